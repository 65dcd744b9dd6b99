"""One update rule with weight decay in its gradient, a schedule of its step, or both."""

from dataclasses import dataclass
from typing import Literal

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.optimisers.scheduled import Scheduled
from stagewise.dynamics.update_rule import Landscape, UpdateRule


@dataclass(frozen=True)
class DecayedLandscape(Landscape):
    """A landscape with the penalty decay/2 times the squares of the first `weights` parameters."""

    landscape: Landscape
    decay: float
    weights: int

    def directions(self, layers: list[FloatArray]) -> list[FloatArray]:
        """Minus the gradient of the penalised loss."""
        found = self.landscape.directions(layers)
        pairs = zip(found[: self.weights], layers, strict=False)
        return [each - self.decay * layer for each, layer in pairs] + found[self.weights :]


class Combined(UpdateRule):
    """Steps of another rule, on the penalised loss, with a scheduled step size.

    rule : takes the steps. decay : of the first `weights` parameters; biases are spared.
    """

    kind: Literal["combined"] = "combined"
    rule: UpdateRule
    decay: float = 0.0
    weights: int = 2
    schedule: Scheduled | None = None

    def start(self, layers: list[FloatArray]) -> list[FloatArray]:
        """What the rule remembers."""
        return self.rule.start(layers)

    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """One step of the rule."""
        if self.decay:
            landscape = DecayedLandscape(landscape, self.decay, self.weights)
        if self.schedule is not None:
            step_size = step_size * self.schedule.factors(taken)
        self.rule.step(layers, memory, landscape, step_size, taken)
