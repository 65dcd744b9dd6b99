"""Decoupled weight decay: a step, then all weights shrink."""

from dataclasses import dataclass

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate


@dataclass(frozen=True)
class Rule:
    """decay : μ ≥ 0. To shrink before the step is the rule `l2_decay`."""

    decay: float = 1e-2

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """Nothing."""
        return []

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """W ← (1 − ημ)(W − ηg)."""
        for parameter, slope in zip(parameters, gradient(parameters), strict=True):
            parameter -= rate * slope
            parameter *= 1 - rate * self.decay
