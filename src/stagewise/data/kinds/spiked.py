"""A few strong inputs and many weak ones, with a target that rests on the weak ones."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from stagewise.data.kind import DrawnData
from stagewise.fields import Count, NonNegative, Positive
from stagewise.problems.moments import Moments


class SpikedData(DrawnData):
    """A few strong inputs and many weak ones, with a target that rests on the weak ones."""

    kind: Literal["spiked"]
    dim_in: Count = Field(20, description="Input dimension; more than spikes.")
    dim_out: Count = Field(5, description="Output dimension.")
    spikes: Count = Field(3, description="Strong inputs, of eigenvalue 1.")
    weak_range: list[Positive] = Field(
        [0.01, 0.05],
        min_length=2,
        max_length=2,
        description="Eigenvalues of the weak inputs, log-uniform between these.",
    )
    spike_target: NonNegative = Field(
        0.1, description="Size of the target map on a strong input; on a weak one it is 1."
    )
    output_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        0.8, description="Output k of the target map is scaled by output_decay^k."
    )
    draws: Count = Field(40, description="Independent draws of eigenvalues and target map.")

    @model_validator(mode="after")
    def _weak_inputs_are_left(self) -> "SpikedData":
        if self.spikes >= self.dim_in:
            raise ValueError(
                f"spikes is {self.spikes} but dim_in is {self.dim_in}; use fewer spikes than inputs"
            )
        return self

    def draw(self, random: np.random.Generator) -> Moments:
        """Moments sigma_x = diag(1, …, 1, weak) and sigma_xy = sigma_x·W with a Gaussian W.

        Rows of W (dim_in, dim_out) on strong inputs are scaled by spike_target, column k by
        output_decay^k.
        """
        low, high = np.log(self.weak_range)
        weak = np.exp(random.uniform(low, high, self.dim_in - self.spikes))
        lam = np.concatenate([np.ones(self.spikes), weak])
        teacher = random.standard_normal((self.dim_in, self.dim_out))
        teacher *= self.output_decay ** np.arange(self.dim_out)
        teacher[: self.spikes] *= self.spike_target
        return Moments.prescribed(np.diag(lam), np.asarray(lam[:, None] * teacher))
