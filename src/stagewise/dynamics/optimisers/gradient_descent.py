"""Gradient descent: all layers are updated from the same point."""

from typing import ClassVar, Literal

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class GradientDescent(UpdateRule):
    """Gradient descent, W ← W + step · D, with D minus the gradient."""

    kind: Literal["gradient_descent"] = "gradient_descent"
    compiled: ClassVar[bool] = True

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Add step · D."""
        for layer, direction in zip(layers, landscape.directions(layers), strict=True):
            layer += step_size * direction
