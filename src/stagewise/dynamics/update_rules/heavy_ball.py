"""Heavy ball: V ← βV − ηg, W ← W + V."""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate


@dataclass(frozen=True)
class Rule:
    """momentum : β in [0, 1). Source: Polyak 1964."""

    momentum: float = 0.9

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """V of each parameter, 0."""
        return [np.zeros_like(each) for each in parameters]

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """V ← βV − ηg, W ← W + V."""
        for parameter, speed, slope in zip(parameters, memory, gradient(parameters), strict=True):
            speed *= self.momentum
            speed -= rate * slope
            parameter += speed
