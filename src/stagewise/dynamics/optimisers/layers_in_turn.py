"""Layers updated one after the other."""

from typing import Literal

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class LayersInTurn(UpdateRule):
    """Gradient descent on one layer after the other, the last layer first.

    An iteration updates every layer once, each with the gradient at what the others are by then.
    """

    kind: Literal["layers_in_turn"] = "layers_in_turn"

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Add step · D to the last layer, then to the one before with a new gradient, and so on."""
        for place in range(len(layers) - 1, -1, -1):
            layers[place] += step_size * landscape.direction(layers, place)
