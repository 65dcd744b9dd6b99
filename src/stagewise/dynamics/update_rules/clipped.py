"""Gradient clipping: a gradient longer than a threshold is cut to it."""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate, per_run, squared_norm


@dataclass(frozen=True)
class Rule:
    """threshold : largest norm of the gradient over all parameters of a run."""

    threshold: float = 1.0

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """Nothing."""
        return []

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """W ← W − ηg·min(1, c/‖g‖)."""
        slopes = gradient(parameters)
        norm = np.sqrt(squared_norm(slopes))
        scale = np.minimum(1, self.threshold / np.maximum(norm, self.threshold))
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter -= rate * per_run(scale, slope) * slope
