"""Nesterov's accelerated gradient with a constant momentum."""

from typing import Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class Nesterov(UpdateRule):
    """Nesterov momentum: as heavy_ball, with the gradient taken at W + momentum · V.

    Source: Nesterov 1983, in the form of Sutskever et al., "On the importance of initialization and
    momentum in deep learning", ICML 2013.
    """

    kind: Literal["nesterov"] = "nesterov"
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
        """Look ahead, update the velocities there, then the weights."""
        for velocity in memory:
            velocity *= self.momentum
        ahead = [layer + velocity for layer, velocity in zip(layers, memory, strict=True)]
        for layer, velocity, direction in zip(
            layers, memory, landscape.directions(ahead), strict=True
        ):
            velocity += step_size * direction
            layer += velocity
