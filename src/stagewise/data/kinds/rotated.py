"""Moments from commuting to generic: eigenvectors of sigma_x rotated away from the modes."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from stagewise.data.kind import DrawnData
from stagewise.data.synthetic import random_orthogonal
from stagewise.fields import Count, Positive
from stagewise.problems.moments import Moments


class RotatedData(DrawnData):
    """Moments from commuting to generic: eigenvectors of sigma_x rotated away from the modes."""

    kind: Literal["rotated"]
    angle: Annotated[float, Field(ge=0, le=1)] = Field(
        description="0: sigma_x and sigma_xy commute; 1: a random frame; between: on the way."
    )
    dim_in: Count = Field(40, description="Input dimension; at least modes.")
    modes: Count = Field(9, description="Output dimension, and modes of sigma_xy.")
    sigma_decay: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.85, description="sigma is 1, sigma_decay, sigma_decay², …"
    )
    lam_range: list[Positive] = Field(
        [0.05, 1.0],
        min_length=2,
        max_length=2,
        description="Eigenvalues of sigma_x, log-spaced between these, in random order.",
    )
    draws: Count = Field(1, description="Independent draws of the frame.")

    @model_validator(mode="after")
    def _modes_fit(self) -> "RotatedData":
        if self.modes > self.dim_in:
            raise ValueError(f"modes is {self.modes} but dim_in is {self.dim_in}; use at most that")
        return self

    def draw(self, random: np.random.Generator) -> Moments:
        """Moments with fixed spectra whose frames are apart by a chosen part of a random rotation.

        sigma_x = R diag(lam) Rᵀ with R on the geodesic from the identity (angle 0) to a Haar-random
        rotation (angle 1); sigma_xy has the first coordinate axes as left singular vectors.
        """
        import scipy.linalg  # kinds are imported at every start

        target = random_orthogonal(self.dim_in, random)
        if np.linalg.det(target) < 0:
            target[:, 0] = -target[:, 0]
        lam = random.permutation(np.geomspace(self.lam_range[0], self.lam_range[1], self.dim_in))
        rotation = scipy.linalg.expm(self.angle * scipy.linalg.logm(target).real)
        sigma_x = (rotation * lam) @ rotation.T
        sigma = self.sigma_decay ** np.arange(self.modes)
        sigma_xy = np.zeros((self.dim_in, self.modes))
        sigma_xy[: self.modes] = np.diag(sigma) @ random_orthogonal(self.modes, random)
        return Moments.prescribed((sigma_x + sigma_x.T) / 2, sigma_xy)
