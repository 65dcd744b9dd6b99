"""Heavy-ball momentum."""

from typing import Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class HeavyBall(UpdateRule):
    """Heavy-ball momentum, V ← momentum · V + step · D, W ← W + V; V starts at 0.

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
    """

    kind: Literal["heavy_ball"] = "heavy_ball"
    momentum: float = Field(0.9, ge=0, lt=1, description="Share of the last change that is kept.")

    def start(self, layers: list[FloatArray]) -> list[FloatArray]:
        """A velocity of 0 for every weight."""
        return [np.zeros_like(layer) for layer in layers]

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Update the velocities, then the weights."""
        for layer, velocity, direction in zip(
            layers, memory, landscape.directions(layers), strict=True
        ):
            velocity *= self.momentum
            velocity += step_size * direction
            layer += velocity
