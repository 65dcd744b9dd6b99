"""Weight decay as a penalty in the loss."""

from typing import Literal

from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule


class L2Decay(UpdateRule):
    """Weight decay in the loss, W ← W + step · (D − decay · W)."""

    kind: Literal["l2_decay"] = "l2_decay"
    decay: float = Field(
        0.01, ge=0, allow_inf_nan=False, description="Penalty decay/2 times the squared weights."
    )

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Add step · (D − decay · W)."""
        for layer, direction in zip(layers, landscape.directions(layers), strict=True):
            layer += step_size * (direction - self.decay * layer)
