"""Update rules for training on samples: one module each, found by its name.

A rule is a frozen dataclass `Rule` in a module of this folder; its fields are its options. It works
on a list of parameters with a leading axis of runs, weights first, and changes them in place.
"""

import importlib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Protocol

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError

Parameters = list[FloatArray]
Rate = float | FloatArray
Gradient = Callable[[Parameters], Parameters]
"""From parameters to the gradient of the mean loss on this iteration's batch."""


class UpdateRule(Protocol):
    """How parameters change in one iteration."""

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """What the rule remembers before the first iteration."""

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """One iteration, in place. rate : step size, one or per run. memory : changed in place too."""


def rule_names() -> list[str]:
    """Names of the rules: the modules of this folder."""
    here = Path(__file__).parent
    return sorted(each.stem for each in here.glob("[a-z]*.py"))


def update_rule(name: str, **options: float) -> UpdateRule:
    """A rule by its name; StagewiseError for a name or an option that does not exist."""
    if name not in rule_names():
        raise StagewiseError(f"There is no rule {name!r}; there are {', '.join(rule_names())}.")
    rule = importlib.import_module(f"{__name__}.{name}").Rule
    known = [each.name for each in fields(rule)]
    for option in options:
        if option not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise StagewiseError(f"The rule {name} has no option {option!r}; {has}.")
    made: UpdateRule = rule(**options)
    return made


def squared_norm(arrays: Parameters) -> FloatArray:
    """Sum of squares over all parameters of each run, (runs,)."""
    parts = [(each**2).reshape(len(each), -1).sum(axis=1) for each in arrays]
    return np.asarray(np.sum(parts, axis=0))


def per_run(values: FloatArray, like: FloatArray) -> FloatArray:
    """(runs,) with as many axes as an array, to multiply it."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
