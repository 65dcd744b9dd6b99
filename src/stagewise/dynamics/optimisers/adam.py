"""Adam."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class Adam(UpdateRule):
    """Adam, W ← W + step · m/(√v + offset) with running means m of D and v of D², corrected.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    kind: Literal["adam"] = "adam"
    elementwise: ClassVar[bool] = True
    momentum: float = Field(0.9, ge=0, lt=1, description="Weight of the past in the mean of D.")
    second: float = Field(0.999, ge=0, lt=1, description="Weight of the past in the mean of D².")
    offset: float = Field(
        1e-8, gt=0, allow_inf_nan=False, description="Added to the root of the mean of D²."
    )

    def start(self, layers: list[FloatArray]) -> list[FloatArray]:
        """Both means of every layer, 0."""
        return [np.zeros_like(layer) for layer in layers for _ in range(2)]

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Update the means, then divide one by the root of the other."""
        late, later = 1 - self.momentum ** (taken + 1), 1 - self.second ** (taken + 1)
        means, squares = memory[::2], memory[1::2]
        for layer, mean, square, direction in zip(
            layers, means, squares, landscape.directions(layers), strict=True
        ):
            mean *= self.momentum
            mean += (1 - self.momentum) * direction
            square *= self.second
            square += (1 - self.second) * direction**2
            layer += step_size * mean / late / (np.sqrt(square / later) + self.offset)
