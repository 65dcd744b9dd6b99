"""Orthogonal frames between layers, which several starts are made of."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.data.synthetic import random_orthogonal
from stagewise.problems.problem import Problem

Shapes = list[tuple[int, int]]


def random_frames(shapes: Shapes, generator: np.random.Generator) -> list[FloatArray]:
    """One random orthogonal frame per space: inputs, every hidden layer, outputs."""
    sizes = [shapes[0][0], *[shape[1] for shape in shapes]]
    return [random_orthogonal(size, generator) for size in sizes]


def with_ends_of(problem: Problem, frames: list[FloatArray]) -> list[FloatArray]:
    """The frames with the singular vectors of sigma_xy, completed, at the two ends."""
    ends = [_completed(vectors) for vectors in (problem.modes.left, problem.modes.right)]
    return [ends[0], *frames[1:-1], ends[1]]


def diagonal_between(frames: list[FloatArray], shapes: Shapes, scale: float) -> list[FloatArray]:
    """Layers Q_{l-1} · scale · Q_lᵀ: multiples of the identity between neighbouring frames."""
    return [
        scale * left[:, : min(shape)] @ right[:, : min(shape)].T
        for left, right, shape in zip(frames[:-1], frames[1:], shapes, strict=True)
    ]


def _completed(columns: FloatArray) -> FloatArray:
    """An orthogonal matrix whose first columns are the given orthonormal ones."""
    rows, count = columns.shape
    if count == rows:
        return columns
    full = np.linalg.svd(columns, full_matrices=True)[0]
    return np.hstack([columns, full[:, count:]])
