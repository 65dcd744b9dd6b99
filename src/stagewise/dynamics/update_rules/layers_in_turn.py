"""Layers in turn: the last one first, each with the gradient at what the others are by then."""

from dataclasses import dataclass

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate


@dataclass(frozen=True)
class Rule:
    """No options. An iteration updates every parameter once."""

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """Nothing."""
        return []

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """W_l ← W_l − ηg_l, from the last parameter to the first."""
        for position in range(len(parameters) - 1, -1, -1):
            parameters[position] -= rate * gradient(parameters)[position]
