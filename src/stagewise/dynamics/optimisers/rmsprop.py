"""RMSProp, with a scale per coordinate or one that all coordinates share."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class RMSProp(UpdateRule):
    """RMSProp, W ← W + step · D / (√v + offset), with v ← decay · v + (1 − decay) · D².

    v starts at 0 and is not corrected for that. With one shared v, the running mean of the mean
    square over all coordinates of all layers, the gradient's direction is left alone. Source: Tieleman
    and Hinton's lecture, as is common; `shared` is ours.
    """

    kind: Literal["rmsprop"] = "rmsprop"
    elementwise: ClassVar[bool] = True
    shared: bool = Field(
        False, description="Divide all coordinates by one scale instead of one per coordinate."
    )
    decay: float = Field(
        0.99, ge=0, lt=1, description="Weight of the past in the mean of squared gradients."
    )
    offset: float = Field(
        1e-8, gt=0, allow_inf_nan=False, description="Added to the root of that mean."
    )

    def start(self, layers: list[FloatArray]) -> list[FloatArray]:
        """What v is before the first step, one array per layer, or one for all."""
        if self.shared:
            return [np.zeros((len(layers[0]), 1, 1))]
        return [np.zeros_like(layer) for layer in layers]

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Update v, then divide by its root."""
        directions = landscape.directions(layers)
        squares = [direction**2 for direction in directions]
        if self.shared:
            count = sum(layer[0].size for layer in layers)
            total = np.sum([each.sum(axis=(1, 2)) for each in squares], axis=0)
            squares = [(total / count)[:, None, None]]
        for mean, square in zip(memory, squares, strict=True):
            mean *= self.decay
            mean += (1 - self.decay) * square
        scales = [np.sqrt(mean) + self.offset for mean in memory]
        for position, (layer, direction) in enumerate(zip(layers, directions, strict=True)):
            layer += step_size * direction / scales[0 if self.shared else position]
