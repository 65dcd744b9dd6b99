"""Weight decay apart from the gradient's step."""

from typing import Literal

from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class DecoupledDecay(UpdateRule):
    """A step, then all weights shrink: W ← (1 − step · decay)(W + step · D).

    To shrink them before the gradient is added is the rule `l2_decay`.
    """

    kind: Literal["decoupled_decay"] = "decoupled_decay"
    decay: float = Field(
        0.01, ge=0, allow_inf_nan=False, description="Share per unit of step that weights lose."
    )

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Add step · D, then shrink."""
        for layer, direction in zip(layers, landscape.directions(layers), strict=True):
            layer += step_size * direction
            layer *= 1 - step_size * self.decay
