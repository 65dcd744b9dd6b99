"""Learning times from records of training, and when to record."""

import numpy as np

from stagewise.arrays import FloatArray, IntArray

_ALMOST = 1e-9


def learning_iterations(iterations: IntArray, shares: FloatArray) -> FloatArray:
    """First iteration at which each share reaches one half, NaN where it never does.

    iterations : (records,), ascending. shares : (records, …), what a mode has reached of its target.
    Interpolated between records in the log of the odds, which is straight in time for two layers
    under a constant rate of growth.
    """
    with np.errstate(invalid="ignore"):
        reached = shares >= 0.5
    after = np.argmax(reached, axis=0)
    before = np.maximum(after - 1, 0)
    clipped = np.clip(shares, 1e-300, 1 - _ALMOST)
    odds = np.log(clipped) - np.log1p(-clipped)
    low = np.take_along_axis(odds, before[None], axis=0)[0]
    high = np.take_along_axis(odds, after[None], axis=0)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(high > low, -low / (high - low), 0.0)
    times = iterations[before] + part * (iterations[after] - iterations[before])
    return np.where(reached.any(axis=0), times, np.nan)


def geometric_records(first: float, last: float, ratio: float, skip: float = 0.0) -> IntArray:
    """Iterations from `first` to at least `last`, each `ratio` (or 1, if more) past the one before.

    skip : those before it are left out, and no other changes.
    """
    points = [max(int(first), 0)]
    while points[-1] < last:
        points.append(points[-1] + max(1, int(ratio * points[-1])))
    return np.array([each for each in points if each >= skip], dtype=np.int64)


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
