"""Steps of one length, whatever the gradient."""

from typing import Literal

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class Normalised(UpdateRule):
    """Steps along the gradient whose length over all layers is the step size."""

    kind: Literal["normalised"] = "normalised"

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Add step · D/‖D‖."""
        directions = landscape.directions(layers)
        square = np.sum([(each**2).sum(axis=(1, 2)) for each in directions], axis=0)
        norm = np.sqrt(square)[:, None, None]
        for layer, direction in zip(layers, directions, strict=True):
            layer += step_size * direction / norm
