"""Diagonal: as aligned, with identity frames between the layers.

Where singular vectors are coordinate axes, rounding leaves every matrix exactly diagonal.
"""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.frames import diagonal_between, with_ends_of
from stagewise.problems.problem import Problem


def draw(
    problem: Problem, shapes: list[tuple[int, int]], delta: float, generator: np.random.Generator
) -> list[FloatArray]:
    """One matrix per shape; nothing is random."""
    hidden = [np.eye(shape[1]) for shape in shapes[:-1]]
    return diagonal_between(with_ends_of(problem, hidden), shapes, np.exp(-delta))
