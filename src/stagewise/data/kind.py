"""What a kind of data is: the keys of its section in the configuration, and its moments.

A kind is one module in `data/kinds/`; the configuration's choices, their documentation and what
`stagewise doctor` looks for are derived from that folder.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import get_args

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.fields import Count, Section
from stagewise.problems.moments import Moments
from stagewise.seeds import generator

Samples = tuple[FloatArray, FloatArray]
"""Inputs (n, dim_in) and outputs (n, dim_out)."""


class Data(Section, ABC):
    """Base of every kind of data; its fields are the keys of a data set of that kind.

    A subclass declares `kind: Literal["name"]`, unique among kinds, and defines `moments`.
    """

    kind: str

    @abstractmethod
    def moments(self, name: str, folder: Path) -> list[Moments]:
        """Moments of a data set, one entry per independent draw (real data: one).

        name : of the data set; it seeds the draws. folder : where downloaded data lie. Raises
        StagewiseError when the data cannot be found or read.
        """

    def read_samples(self, folder: Path) -> Samples:
        """The samples themselves, where there are any; StagewiseError where there are none."""
        raise StagewiseError(f"Data of kind {self.kind} have moments only, no samples.")

    def files(self) -> list[str]:
        """Files that the moments are made from and that the user may edit."""
        return []

    def published(self) -> dict[str, str]:
        """Published files that the moments are made from, with their digests."""
        return {}

    def centred_only(self) -> bool:
        """Whether the means are unknown, so that there are no uncentred moments."""
        return False

    def look(self, folder: Path, download: bool = False) -> None:
        """Check that published files are there and whole, or fetch them; StagewiseError if not."""

    @classmethod
    def name_of_kind(cls) -> str:
        """What the key `kind` must be; "" for a base of several kinds."""
        return "".join(get_args(cls.model_fields["kind"].annotation))


class DrawnData(Data):
    """Base of the kinds that are drawn at random, each draw from a generator of its own."""

    draws: Count = 1

    @abstractmethod
    def draw(self, random: np.random.Generator) -> Moments:
        """Moments of one draw."""

    def seed_of(self, name: str) -> str:
        """The name that seeds the draws."""
        return name

    def moments(self, name: str, folder: Path) -> list[Moments]:
        """One entry per draw."""
        seed = self.seed_of(name)
        return [self.draw(generator("dataset", seed, draw)) for draw in range(self.draws)]
