"""The UCI handwritten digits that scikit-learn bundles: 1797 images of 8 × 8."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from stagewise.data.kind import DrawnData, Samples
from stagewise.data.samples import digits
from stagewise.fields import Count
from stagewise.problems.moments import Moments


class DigitsData(DrawnData):
    """The UCI handwritten digits that scikit-learn bundles: 1797 images of 8 × 8."""

    kind: Literal["digits"]
    train_samples: Annotated[int, Field(ge=20, le=1700)] | None = Field(
        None, description="Learn from as many random images and hold out the others; null: all."
    )
    draws: Count = Field(1, description="Independent splits; 1 where nothing is held out.")

    @model_validator(mode="after")
    def _only_splits_are_drawn(self) -> "DigitsData":
        if self.draws > 1 and self.train_samples is None:
            raise ValueError(f"draws is {self.draws} but nothing is held out; set train_samples")
        return self

    def draw(self, random: np.random.Generator) -> Moments:
        """Moments of all images, or of `train_samples` of them with the others held out."""
        inputs, outputs = digits()
        if self.train_samples is None:
            return Moments.of_block(inputs, outputs)
        order = random.permutation(len(inputs))
        train, test = order[: self.train_samples], order[self.train_samples :]
        return replace(
            Moments.of_block(inputs[train], outputs[train]),
            held_out=Moments.of_block(inputs[test], outputs[test]),
        )

    def read_samples(self, folder: Path) -> Samples:
        """Pixels in [0, 1] and one-hot classes of all images."""
        return digits()
