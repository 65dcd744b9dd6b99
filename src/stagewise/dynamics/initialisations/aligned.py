"""Aligned: layer l is Q_{l-1} diag(e^-delta) Q_lᵀ with the singular vectors of sigma_xy at the ends.

The frames between are random and orthogonal. Source: the closed form of Gidel et al. 2019, which
needs orthogonal frames; invertible ones leave the diagonal form.
"""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.frames import diagonal_between, random_hidden_frames, with_ends_of
from stagewise.problems.problem import Problem


def draw(
    problem: Problem, shapes: list[tuple[int, int]], delta: float, generator: np.random.Generator
) -> list[FloatArray]:
    """One matrix per shape."""
    frames = with_ends_of(problem, random_hidden_frames(shapes, generator))
    return diagonal_between(frames, shapes, np.exp(-delta))
