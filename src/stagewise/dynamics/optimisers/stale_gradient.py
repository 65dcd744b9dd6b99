"""Gradients that come late, as from asynchronous workers."""

from typing import Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class StaleGradient(UpdateRule):
    """Gradient descent with gradients of some iterations ago; none before the first arrives."""

    kind: Literal["stale_gradient"] = "stale_gradient"
    delay: int = Field(1, ge=1, le=100, description="Iterations from a gradient to its use.")

    def start(self, layers: list[FloatArray]) -> list[FloatArray]:
        """Directions on their way, oldest first: (runs, delay, rows, columns) of every layer."""
        return [np.zeros((len(each), self.delay, *each.shape[1:])) for each in layers]

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Add step times the oldest direction, and send a new one on its way."""
        for layer, waiting, direction in zip(
            layers, memory, landscape.directions(layers), strict=True
        ):
            layer += step_size * waiting[:, 0]
            waiting[:, :-1] = waiting[:, 1:].copy()
            waiting[:, -1] = direction
