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


def random_hidden_frames(shapes: Shapes, generator: np.random.Generator) -> list[FloatArray]:
    """Those of `random_frames` that belong to hidden layers."""
    # Drawn all the same: what comes after in the stream are the hidden frames of `random_frames`.
    generator.standard_normal((shapes[0][0], shapes[0][0]))
    return [random_orthogonal(shape[1], generator) for shape in shapes[:-1]]


def with_ends_of(problem: Problem, hidden: list[FloatArray]) -> list[FloatArray]:
    """Frames of the hidden layers between the singular vectors of sigma_xy, completed."""
    left, right = (_completed(vectors) for vectors in (problem.modes.left, problem.modes.right))
    return [left, *hidden, right]


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
