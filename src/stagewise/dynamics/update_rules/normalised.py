"""Normalised gradients: every step has the length of the step size."""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate, per_run, squared_norm


@dataclass(frozen=True)
class Rule:
    """No options."""

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """Nothing."""
        return []

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """W ← W − ηg/‖g‖."""
        slopes = gradient(parameters)
        norm = np.sqrt(squared_norm(slopes))
        for parameter, slope in zip(parameters, slopes, strict=True):
            parameter -= rate * slope / per_run(norm, slope)
