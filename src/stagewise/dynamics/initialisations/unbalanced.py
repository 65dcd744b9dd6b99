"""Unbalanced: as gaussian, with a larger first layer and a smaller last one."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.initialisations import gaussian
from stagewise.problems.problem import Problem

IMBALANCE = 10.0
"""Factor between the layers and e^-delta."""


def draw(
    problem: Problem, shapes: list[tuple[int, int]], delta: float, generator: np.random.Generator
) -> list[FloatArray]:
    """One matrix per shape."""
    layers = gaussian.draw(problem, shapes, delta, generator)
    layers[0] *= IMBALANCE
    layers[-1] /= IMBALANCE
    return layers
