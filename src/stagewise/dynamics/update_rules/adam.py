"""Adam, with its corrections of the running means."""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate


@dataclass(frozen=True)
class Rule:
    """momentum, second : weights of the past in the means of g and g². offset : added to the root.

    Source: Kingma and Ba 2015.
    """

    momentum: float = 0.9
    second: float = 0.999
    offset: float = 1e-8

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """Means of g and of g² of each parameter, then the number of iterations."""
        zeros = [np.zeros_like(each) for each in parameters for _ in range(2)]
        return [*zeros, np.zeros(1)]

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """W ← W − ηm̂/(√v̂ + offset)."""
        memory[-1] += 1
        count = float(memory[-1][0])
        first, second = memory[:-1:2], memory[1::2]
        slopes = gradient(parameters)
        for parameter, mean, square, slope in zip(parameters, first, second, slopes, strict=True):
            mean *= self.momentum
            mean += (1 - self.momentum) * slope
            square *= self.second
            square += (1 - self.second) * slope**2
            scale = np.sqrt(square / (1 - self.second**count)) + self.offset
            parameter -= rate * mean / (1 - self.momentum**count) / scale
