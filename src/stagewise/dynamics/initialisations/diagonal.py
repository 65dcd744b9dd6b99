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
    frames = [np.eye(size) for size in (shapes[0][0], *[shape[1] for shape in shapes])]
    return diagonal_between(with_ends_of(problem, frames), shapes, np.exp(-delta))
