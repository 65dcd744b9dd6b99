"""Inputs of eigenvalues i^-decay and a Gaussian target map, as in natural images."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from stagewise.data.kind import DrawnData
from stagewise.fields import Count, Positive
from stagewise.problems.moments import Moments


class PowerLawData(DrawnData):
    """Inputs of eigenvalues i^-decay and a Gaussian target map, as in natural images."""

    kind: Literal["power_law"]
    dim_in: Count = Field(100, description="Input dimension.")
    dim_out: Count = Field(10, description="Output dimension.")
    decay: Positive = Field(2.0, description="Eigenvalue i of sigma_x is i^-decay.")
    output_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        0.8, description="Output k of the target map is scaled by output_decay^k."
    )
    draws: Count = Field(1, description="Independent draws of the target map.")

    def draw(self, random: np.random.Generator) -> Moments:
        """Moments sigma_x = diag(i^-decay) and sigma_xy = sigma_x·W with a Gaussian W.

        Column k of W (dim_in, dim_out) is scaled by output_decay^k.
        """
        lam = np.arange(1.0, self.dim_in + 1) ** -self.decay
        scale = self.output_decay ** np.arange(self.dim_out)
        teacher = random.standard_normal((self.dim_in, self.dim_out)) * scale
        return Moments.prescribed(np.diag(lam), np.asarray(lam[:, None] * teacher))
