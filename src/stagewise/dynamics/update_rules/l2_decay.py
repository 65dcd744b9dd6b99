"""Weight decay in the loss: W ← W − η(g + μW)."""

from dataclasses import dataclass

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate


@dataclass(frozen=True)
class Rule:
    """decay : μ ≥ 0, of the penalty ½μΣ‖W‖²; one, or one per run (runs, 1, 1)."""

    decay: float | FloatArray = 1e-2

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """Nothing."""
        return []

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """W ← W − η(g + μW)."""
        for parameter, slope in zip(parameters, gradient(parameters), strict=True):
            parameter -= rate * (slope + self.decay * parameter)
