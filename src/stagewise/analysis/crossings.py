"""When training on samples records and ends, and what its records say."""

from collections.abc import Callable

import numpy as np

from stagewise.analysis.learning_times import crossing_iteration
from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.problems.learned import LEARNED_SHARE

Share = Callable[[list[FloatArray], IntArray], FloatArray]
"""Weights (and biases) of some runs, which runs these are → shares (those runs, modes)."""

NEAR = LEARNED_SHARE / 2
CLIMBING = LEARNED_SHARE / 25


class FirstCrossings:
    """First iterations at which modes are learned, found while training goes on.

    To measure every record can cost more than training itself. Of `stride` records the last is
    measured first, and those before it only in runs where a mode that is waited for has come to
    `NEAR` of its target by then. What is missed is a share that rises from below `NEAR` to where it
    is learned and falls back below `NEAR`, all within a stride: noise of steps on single samples
    does that, and then the stride must be 1.
    """

    def __init__(self, share: Share, waited_for: BoolArray, stride: int = 8) -> None:
        """share : what is measured. waited_for : (runs, modes), those that training goes on for."""
        self._share = share
        self._waiting = waited_for.copy()
        self._times = np.full(waited_for.shape, np.nan)
        self._kept: list[tuple[int, list[FloatArray]]] = []
        self._before: tuple[list[int], FloatArray] = [], np.empty((0, *waited_for.shape))
        self._longest = self._stride = stride

    def __call__(self, iteration: int, layers: list[FloatArray]) -> bool:
        """Take the next record; whether every mode that is waited for has been learned."""
        self._kept.append((iteration, [each.copy() for each in layers]))
        if len(self._kept) >= self._stride:
            self._look_back()
        return not self._waiting.any()

    def times(self) -> FloatArray:
        """Iterations (runs, modes), as `crossing_iteration` of all records; NaN: not learned."""
        if self._kept:
            self._look_back()
        return self._times

    def _look_back(self) -> None:
        """Measure the records kept, as far as that is needed, and forget all but the last."""
        runs = np.flatnonzero(self._waiting.any(axis=1))
        shares = np.full((len(self._kept), *self._times.shape), np.nan)
        shares[-1, runs] = self._measured(self._kept[-1][1], runs)
        near = np.flatnonzero((self._waiting & (shares[-1] >= NEAR)).any(axis=1))
        for place, (_, layers) in enumerate(self._kept[:-1]):
            shares[place, near] = self._measured(layers, near)
        iterations = self._before[0] + [iteration for iteration, _ in self._kept]
        known = np.concatenate([self._before[1], shares])[:, near]
        found = crossing_iteration(np.array(iterations), known)
        self._times[near] = np.where(self._waiting[near], found, self._times[near])
        self._waiting &= np.isnan(self._times)
        self._before = iterations[-1:], shares[-1:]
        # Where every mode still waited for is on its way, training is about to end.
        climbing = shares[-1] >= CLIMBING
        self._stride = 1 if (climbing | ~self._waiting).all() else self._longest
        self._kept = []

    def _measured(self, layers: list[FloatArray], runs: IntArray) -> FloatArray:
        return self._share([each[runs] for each in layers], runs)


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
