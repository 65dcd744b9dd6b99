"""Moments that satisfy Assumption 1 exactly: sigma and lam prescribed, frames chosen."""

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from stagewise.data.kind import DrawnData
from stagewise.data.synthetic import aligned
from stagewise.fields import Count, Positive
from stagewise.problems.moments import Moments


class AlignedData(DrawnData):
    """Moments that satisfy Assumption 1 exactly: sigma and lam prescribed, frames chosen."""

    kind: Literal["aligned"]
    sigma: list[Positive] = Field(min_length=1, description="Singular values of sigma_xy.")
    lam: list[Positive] | None = Field(
        None, description="Eigenvalues of sigma_x, in sigma's order; null: equal to sigma."
    )
    frame: Literal["coordinate", "random"] = Field(
        "random",
        description="Singular vectors: random orthogonal ones, or coordinate axes (diagonal "
        "matrices, where rounding never mixes modes, for large delta).",
    )
    draws: Count = Field(1, description="Independent draws of the frames.")

    @model_validator(mode="after")
    def _lengths_match(self) -> "AlignedData":
        if self.lam is not None and len(self.lam) != len(self.sigma):
            raise ValueError(
                f"lam has {len(self.lam)} values and sigma {len(self.sigma)}; give one per mode"
            )
        return self

    def draw(self, random: np.random.Generator) -> Moments:
        """The prescribed problem in one draw of its frames."""
        lam = self.sigma if self.lam is None else self.lam
        return aligned(np.array(self.sigma), np.array(lam), self.frame, random)
