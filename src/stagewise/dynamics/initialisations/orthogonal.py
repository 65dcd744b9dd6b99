"""Orthogonal: as aligned, with random frames at the two ends as well."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.frames import diagonal_between, random_frames
from stagewise.problems.problem import Problem


def draw(
    problem: Problem, shapes: list[tuple[int, int]], delta: float, generator: np.random.Generator
) -> list[FloatArray]:
    """One matrix per shape."""
    return diagonal_between(random_frames(shapes, generator), shapes, np.exp(-delta))
