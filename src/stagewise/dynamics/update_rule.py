"""What an update rule is: its settings, what it remembers of the past, and one step.

A rule is one module in `dynamics/optimisers/`; the configuration's choices are derived from that
folder. Runs are batched: every array has a leading axis of runs, and no run sees another.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, Protocol

import numpy as np
from pydantic_core import PydanticUndefined

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.gradients import descent_directions
from stagewise.fields import Section


class Landscape(Protocol):
    """The losses of a batch of runs, as an update rule sees them."""

    def directions(self, layers: list[FloatArray]) -> list[FloatArray]:
        """Minus the gradient of every layer at these weights, each (runs, rows, columns)."""

    def direction(self, layers: list[FloatArray], place: int) -> FloatArray:
        """That of one layer."""
        return self.directions(layers)[place]


@dataclass(frozen=True)
class MomentLandscape(Landscape):
    """Losses from moments; minus the gradient in the product W is target − curvature ∘ W.

    target, curvature : (runs, dim_in, dim_out), in the eigenbasis of sigma_x. basis : (runs, dim_in,
    dim_in), its vectors in the columns, where weights are in the problems' own coordinates; or None.
    """

    target: FloatArray
    curvature: FloatArray
    basis: FloatArray | None = None

    def of(self, runs: IntArray) -> "MomentLandscape":
        """The same for some of the runs."""
        basis = None if self.basis is None else self.basis[runs]
        return MomentLandscape(self.target[runs], self.curvature[runs], basis)

    def directions(self, layers: list[FloatArray]) -> list[FloatArray]:
        """Minus the gradient of every layer at these weights, each (runs, rows, columns)."""
        layers = self._in_eigenbasis(layers)
        found = descent_directions(self._residual(layers), layers)
        if self.basis is not None:
            found[0] = self.basis @ found[0]
        return found

    def direction(self, layers: list[FloatArray], place: int) -> FloatArray:
        """That of one layer."""
        layers = self._in_eigenbasis(layers)
        found = self._residual(layers)
        for layer in reversed(layers[place + 1 :]):
            found = found @ layer.transpose(0, 2, 1)
        if place:
            return reduce(np.matmul, layers[:place]).transpose(0, 2, 1) @ found
        return found if self.basis is None else self.basis @ found

    def _in_eigenbasis(self, layers: list[FloatArray]) -> list[FloatArray]:
        if self.basis is None:
            return layers
        return [self.basis.transpose(0, 2, 1) @ layers[0], *layers[1:]]

    def _residual(self, layers: list[FloatArray]) -> FloatArray:
        return self.target - self.curvature * reduce(np.matmul, layers)


class UpdateRule(Section, ABC):
    """Base of every update rule; its fields are the rule's keys in the configuration.

    A subclass declares `kind: Literal["name"] = "name"`, unique among rules, and defines `step`.
    compiled : whether the kernel takes the steps of this rule instead of `step`. elementwise :
    whether a rotation of the inputs changes what the rule does, because it treats coordinates apart.
    """

    kind: str
    compiled: ClassVar[bool] = False
    elementwise: ClassVar[bool] = False

    @classmethod
    def is_rule(cls) -> bool:
        """Whether this class can be chosen: a base of several rules declares no kind."""
        return cls.model_fields["kind"].default is not PydanticUndefined

    @property
    def label(self) -> str:
        """Name of the rule in tables: its kind, then the settings that differ from the defaults."""
        parts = [self.kind]
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name != "kind" and value != field.default:
                parts.append(f"_{name}" if value is True else f" {name}={value:g}")
        return "".join(parts)

    def start(self, layers: list[FloatArray]) -> list[FloatArray]:
        """What the rule remembers before the first step: arrays with a leading axis of runs."""
        return []

    @abstractmethod
    def step(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
    ) -> None:
        """Take one step with every run, in place.

        layers : of each layer (runs, rows, columns). memory : as `start` made it. step_size, taken :
        (runs, 1, 1), the runs' step sizes and how many steps they took before, for schedules.
        """

    def advance(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        landscape: Landscape,
        step_size: FloatArray,
        taken: IntArray,
        steps: int,
    ) -> None:
        """Take steps with every run, in place; step_size, taken : (runs,)."""
        with np.errstate(all="ignore"):
            for more in range(steps):
                done = (taken + more)[:, None, None]
                self.step(layers, memory, landscape, step_size[:, None, None], done)
