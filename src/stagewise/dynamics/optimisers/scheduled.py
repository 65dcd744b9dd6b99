"""Gradient descent whose step falls by a schedule."""

from typing import Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.update_rule import Landscape, UpdateRule

LEVELS = (1.0, 0.3, 0.1)


class Scheduled(UpdateRule):
    """Gradient descent with a step that falls to a tenth, in three levels or along half a cosine."""

    kind: Literal["scheduled"] = "scheduled"
    schedule: Literal["levels", "cosine"] = Field(
        "cosine",
        description="levels: 1, 0.3 and 0.1 of the step size, a third of the length each; cosine: from "
        "1 to 0.1.",
    )
    length: int = Field(1000, ge=1, description="Iterations after which the step stays.")

    @property
    def label(self) -> str:
        """Kind, schedule and length."""
        return f"{self.kind} {self.schedule} length={self.length}"

    def factors(self, taken: IntArray) -> FloatArray:
        """Factor of the step size at iterations counted from 0."""
        progress = np.minimum(taken / self.length, 1.0)
        if self.schedule == "levels":
            return np.array(LEVELS)[np.minimum((progress * 3).astype(np.int64), 2)]
        low = LEVELS[-1]
        return np.asarray(low + (1 - low) * (1 + np.cos(np.pi * progress)) / 2)

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Add the scheduled step · D."""
        rate = step_size * self.factors(taken)
        for layer, direction in zip(layers, landscape.directions(layers), strict=True):
            layer += rate * direction
