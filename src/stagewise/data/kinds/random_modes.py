"""Commuting moments whose sigma and lam are drawn at random, one set a draw."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from stagewise.data.kind import DrawnData
from stagewise.data.synthetic import aligned
from stagewise.fields import Count, Positive
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Problem


class RandomModesData(DrawnData):
    """Commuting moments whose sigma and lam are drawn at random, one set a draw."""

    kind: Literal["random_modes"]
    modes: Count = Field(2, description="Number of modes.")
    sigma_ratio: Annotated[float, Field(gt=0, le=1)] = Field(
        0.2, description="The first sigma is 1, the others uniform on [sigma_ratio, 1]."
    )
    lam_range: list[Positive] = Field(
        [0.2, 5.0],
        min_length=2,
        max_length=2,
        description="lam/sigma is log-uniform between these two values.",
    )
    equal_lam: bool = Field(False, description="One lam for all modes of a draw.")
    frame: Literal["coordinate", "random"] = Field("coordinate", description="As for aligned.")
    perturbation: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="Spectral norm of a random symmetric matrix added to sigma_x that breaks "
        "commutation (zero diagonal in the modes), as a share of the smallest lam.",
    )
    seed_name: str | None = Field(
        None,
        description="Name that seeds the draws; null: the data set's own. Data sets that share it "
        "share their random numbers.",
    )
    draws: Count = Field(20, description="Independent draws.")

    @model_validator(mode="after")
    def _range_ascends(self) -> "RandomModesData":
        if self.lam_range[0] > self.lam_range[1]:
            raise ValueError(f"lam_range is {self.lam_range}; its first value must not be larger")
        return self

    def seed_of(self, name: str) -> str:
        """The name that seeds the draws: its own, unless it shares that of others."""
        return self.seed_name or name

    def draw(self, random: np.random.Generator) -> Moments:
        """A commuting problem with random sigma (largest 1, descending) and lam."""
        weaker = random.uniform(self.sigma_ratio, 1.0, self.modes - 1)
        sigma = np.concatenate([[1.0], np.sort(weaker)[::-1]])
        low, high = np.log(self.lam_range)
        ratio = np.exp(random.uniform(low, high, self.modes))
        lam = np.full(self.modes, ratio[0]) if self.equal_lam else ratio * sigma
        moments = aligned(sigma, lam, self.frame, random)
        if self.perturbation == 0:
            return moments
        left = Problem(moments.sigma_x, moments.sigma_xy).modes.left
        breaking = random.standard_normal((self.modes, self.modes))
        breaking += breaking.T
        np.fill_diagonal(breaking, 0)
        breaking *= self.perturbation * lam.min() / np.linalg.norm(breaking, ord=2)
        return Moments.prescribed(moments.sigma_x + left @ breaking @ left.T, moments.sigma_xy)
