"""When training on samples records and ends, and what its records say."""

from collections.abc import Callable

import numpy as np

from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.problems.learned import LEARNED_SHARE


def until_learned(learned: BoolArray) -> Callable[[FloatArray], bool]:
    """A criterion for the end of training: every mode has been learned at some record.

    learned : (seeds, modes), those that need not be waited for; kept up to date.
    """

    def until(shares: FloatArray) -> bool:
        np.logical_or(learned, shares >= LEARNED_SHARE, out=learned)
        return bool(learned.all())

    return until


def geometric_records(first: float, last: float, ratio: float) -> IntArray:
    """Iterations from `first` to at least `last`, each `ratio` (or 1, if more) past the one before."""
    points = [max(int(first), 0)]
    while points[-1] < last:
        points.append(points[-1] + max(1, int(ratio * points[-1])))
    return np.array(points, dtype=np.int64)


def response_values(responses: FloatArray, modes: int) -> FloatArray:
    """Largest singular values (…, modes) of matrices (…, rows, columns), from the smaller Gram.

    Good to the root of rounding errors, which suffices near one half of a target.
    """
    small = responses if responses.shape[-2] <= responses.shape[-1] else responses.swapaxes(-1, -2)
    with np.errstate(all="ignore"):
        gram = small @ small.swapaxes(-1, -2)
    finite = np.asarray(np.isfinite(gram).all(axis=(-1, -2)))
    eigenvalues = np.linalg.eigvalsh(np.where(finite[..., None, None], gram, 0))
    values = np.sqrt(eigenvalues[..., ::-1][..., :modes].clip(0))
    return np.where(finite[..., None], values, np.nan)


def mode_rows(
    shared: dict[str, object], times: FloatArray, columns: dict[str, FloatArray]
) -> list[dict[str, object]]:
    """A row per seed and mode. shared : of all rows. times : (seeds, modes), as columns or (modes,)."""
    wide = {
        key: np.broadcast_to(values[..., : times.shape[1]], times.shape)
        for key, values in columns.items()
    }
    return [
        shared
        | {"seed": seed, "mode": mode + 1, "learning_iteration": float(times[seed, mode])}
        | {key: float(values[seed, mode]) for key, values in wide.items()}
        for seed, mode in np.ndindex(times.shape)
    ]
