"""Gradient clipping by norm."""

from typing import Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class Clipped(UpdateRule):
    """Gradient descent, with a gradient over all layers that is longer than a threshold cut to it."""

    kind: Literal["clipped"] = "clipped"
    threshold: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="Largest norm over all layers of a run."
    )

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Add step · D, shortened where it is long."""
        directions = landscape.directions(layers)
        square = np.sum([(each**2).sum(axis=(1, 2)) for each in directions], axis=0)
        norm = np.sqrt(square)[:, None, None]
        scale = self.threshold / np.maximum(norm, self.threshold)
        for layer, direction in zip(layers, directions, strict=True):
            layer += step_size * scale * direction
