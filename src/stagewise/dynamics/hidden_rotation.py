"""Rotations of the hidden space of two layers, which change neither product nor dynamics.

Descent keeps a small hidden direction only as precisely as rounding of the large ones allows, if
both are spread over the same hidden units. With the rows of [W₁ᵀ, W₂] orthogonal each direction
has a unit of its own, and its relative precision.
"""

from typing import Any

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.compiling import njit

_SWEEPS = 30
_TOLERANCE = 1e-14


def rotate_hidden(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights with the same product whose hidden units are orthogonal, by one-sided Jacobi.

    first : (runs, dim_in, width). second : (runs, width, dim_out). Returns the rotated pair. An
    eigendecomposition would lose the small directions that this is meant to keep.
    """
    rows = np.ascontiguousarray(np.concatenate([first.transpose(0, 2, 1), second], axis=2))
    _orthogonalise(rows)
    dim_in = first.shape[1]
    return (
        np.ascontiguousarray(rows[:, :, :dim_in].transpose(0, 2, 1)),
        np.ascontiguousarray(rows[:, :, dim_in:]),
    )


@njit(cache=True)
def _orthogonalise(rows: Any) -> None:
    for run in range(rows.shape[0]):
        for _ in range(_SWEEPS):
            worst = 0.0
            for one in range(rows.shape[1] - 1):
                for other in range(one + 1, rows.shape[1]):
                    worst = max(worst, _rotate(rows[run, one], rows[run, other]))
            if worst < _TOLERANCE:
                break


@njit(cache=True)
def _rotate(one: Any, other: Any) -> Any:
    """Rotate two rows until they are orthogonal; returns how far they were from it."""
    norm_one, norm_other, overlap = 0.0, 0.0, 0.0
    for place in range(len(one)):
        norm_one += one[place] * one[place]
        norm_other += other[place] * other[place]
        overlap += one[place] * other[place]
    if norm_one == 0.0 or norm_other == 0.0:
        return 0.0
    # The root of each factor: the product of two tiny norms would underflow.
    cosine = abs(overlap) / (np.sqrt(norm_one) * np.sqrt(norm_other))
    if not cosine > _TOLERANCE:
        return 0.0
    ratio = (norm_other - norm_one) / (2.0 * overlap)
    sign = 1.0 if ratio >= 0 else -1.0
    tangent = sign / (abs(ratio) + np.hypot(1.0, ratio))
    cos = 1.0 / np.hypot(1.0, tangent)
    sin = cos * tangent
    for place in range(len(one)):
        moved = cos * one[place] - sin * other[place]
        other[place] = sin * one[place] + cos * other[place]
        one[place] = moved
    return cosine
