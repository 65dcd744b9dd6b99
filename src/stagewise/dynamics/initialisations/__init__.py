"""Starts of training, one module each, found by listing this folder.

A module is named as the configuration names the start, and defines `draw(problem, shapes, delta,
generator)`, which returns one weight matrix per shape.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Literal

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem

NAMES = tuple(sorted(each.name for each in pkgutil.iter_modules(__path__)))
"""Names of the starts."""

if TYPE_CHECKING:
    Initialisation = str
else:
    Initialisation = Literal[NAMES]
    """A start as the configuration names it."""


def draw(
    name: str,
    problem: Problem,
    shapes: list[tuple[int, int]],
    delta: float,
    generator: np.random.Generator,
) -> list[FloatArray]:
    """Weights of these shapes whose layers have the scale e^-delta; StagewiseError for a bad name."""
    if name not in NAMES:
        raise StagewiseError(
            f"The initialisation {name!r} does not exist; there are {', '.join(NAMES)}."
        )
    module = importlib.import_module(f"{__name__}.{name}")
    weights: list[FloatArray] = module.draw(problem, shapes, delta, generator)
    return weights
