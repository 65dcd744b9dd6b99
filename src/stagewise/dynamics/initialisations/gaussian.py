"""Gaussian: independent entries of standard deviation e^-delta/√(rows of the layer).

So ‖Wv‖ is e^-delta‖v‖ on average.
"""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.problems.problem import Problem


def draw(
    problem: Problem, shapes: list[tuple[int, int]], delta: float, generator: np.random.Generator
) -> list[FloatArray]:
    """One matrix per shape."""
    scale = np.exp(-delta)
    return [scale / np.sqrt(shape[0]) * generator.standard_normal(shape) for shape in shapes]
