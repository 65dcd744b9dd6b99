"""Gradient descent: W ← W − ηg, all layers from the same point."""

from dataclasses import dataclass

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate


@dataclass(frozen=True)
class Rule:
    """No options."""

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """Nothing."""
        return []

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """W ← W − ηg."""
        for parameter, slope in zip(parameters, gradient(parameters), strict=True):
            parameter -= rate * slope
