"""The best map of each rank: by decomposition if all entries are observed, else by least squares."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError

SWEEPS = 2000
TOLERANCE = 1e-12


def greedy_completions(target: FloatArray, observed: FloatArray, rank: int) -> list[FloatArray]:
    """Maps of rank 0, 1, …, `rank` that fit the observed entries best, each grown from the last.

    target, observed : (dim_in, dim_out), observed of zeros and ones.
    Each is a minimum of ½‖observed ∘ (W − target)‖² over maps of its rank, found by alternating
    least squares from the map before plus the strongest direction of its residual. With all entries
    observed that is the truncated singular value decomposition; otherwise a local minimum, as good as
    greedy growth makes it. Source: greedy low-rank learning in the sense of Li, Luo, Lyu 2021.
    """
    if not 0 <= rank <= min(target.shape):
        raise StagewiseError(
            f"rank is {rank}; a map of shape {target.shape} has ranks 0 to {min(target.shape)}."
        )
    maps = [np.zeros_like(target)]
    for size in range(1, rank + 1):
        left, values, right = np.linalg.svd(maps[-1] + observed * (target - maps[-1]))
        maps.append(_alternated(left[:, :size] * values[:size], right[:size], target, observed))
    return maps


def _alternated(
    left: FloatArray, right: FloatArray, target: FloatArray, observed: FloatArray
) -> FloatArray:
    """Alternating least squares in W = left · right, until a sweep hardly lowers the loss."""
    full = bool(observed.all())
    before = float(np.sum(observed * (left @ right - target) ** 2))
    for _ in range(1 if full else SWEEPS):
        right = _rows(left, target.T, observed.T).T
        left = _rows(right.T, target, observed)
        loss = float(np.sum(observed * (left @ right - target) ** 2))
        if before - loss <= TOLERANCE * before:
            break
        # A balanced pair keeps both least-squares problems well posed.
        outer, values, inner = np.linalg.svd(left @ right, full_matrices=False)
        size = left.shape[1]
        root = np.sqrt(values[:size])
        left, right = outer[:, :size] * root, root[:, None] * inner[:size]
        before = loss
    return left @ right


def _rows(basis: FloatArray, target: FloatArray, observed: FloatArray) -> FloatArray:
    """For each row of the target, coefficients over the columns of `basis`, observed entries only."""
    size = basis.shape[1]
    pairs = (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1)
    gram = (observed @ pairs).reshape(-1, size, size)
    moment = (observed * target) @ basis
    ridge = 1e-12 * np.trace(gram, axis1=1, axis2=2)[:, None, None] * np.eye(size)
    # A row with fewer observed entries than the rank has no unique fit; the ridge picks the smallest.
    return np.asarray(np.linalg.solve(gram + ridge + 1e-300 * np.eye(size), moment[:, :, None]))[
        :, :, 0
    ]
