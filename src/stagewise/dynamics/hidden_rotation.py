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
    """Rotate every pair of rows in turn, sweep after sweep, until none is left to rotate.

    rows : (runs, rows, length), in place. A pair neither of whose rows has moved since it was last
    looked at is passed over, and a row's norm is summed once per rotation; neither changes a bit.
    """
    runs, count, length = rows.shape
    pairs = count * (count - 1) // 2
    norm = np.empty(count)
    root = np.empty(count)
    moved = np.empty(count, dtype=np.int64)  # by pair, counted over all sweeps, from 1
    for run in range(runs):
        own = rows[run]
        for row in range(count):
            norm[row] = _norm(own[row])
            root[row] = np.sqrt(norm[row])
            moved[row] = 0
        pair = 0
        for _ in range(_SWEEPS):
            first = pair
            last = 0
            for one in range(count - 1):
                for other in range(one + 1, count):
                    pair += 1
                    if moved[one] < pair - pairs and moved[other] < pair - pairs:
                        continue
                    if norm[one] == 0.0 or norm[other] == 0.0:
                        continue
                    overlap = 0.0
                    for place in range(length):
                        overlap += own[one, place] * own[other, place]
                    # The root of each factor: the product of two tiny norms would underflow.
                    if not abs(overlap) / (root[one] * root[other]) > _TOLERANCE:
                        continue
                    _rotate(own[one], own[other], (norm[other] - norm[one]) / (2.0 * overlap))
                    for row in (one, other):
                        norm[row] = _norm(own[row])
                        root[row] = np.sqrt(norm[row])
                        moved[row] = pair
                    last = pair
            if last <= first:
                break


@njit(cache=True)
def _norm(row: Any) -> Any:
    """Squared norm."""
    total = 0.0
    for place in range(len(row)):
        total += row[place] * row[place]
    return total


@njit(cache=True)
def _rotate(one: Any, other: Any, ratio: Any) -> None:
    """Rotate two rows until they are orthogonal. ratio : cotangent of twice the angle."""
    sign = 1.0 if ratio >= 0 else -1.0
    tangent = sign / (abs(ratio) + np.hypot(1.0, ratio))
    cos = 1.0 / np.hypot(1.0, tangent)
    sin = cos * tangent
    for place in range(len(one)):
        moved = cos * one[place] - sin * other[place]
        other[place] = sin * one[place] + cos * other[place]
        one[place] = moved
