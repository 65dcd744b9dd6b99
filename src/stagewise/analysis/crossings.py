"""When training on samples records and ends, and what its records say."""

from collections.abc import Callable

import numpy as np

from stagewise.analysis.learning_times import crossing_iteration
from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.problems.learned import LEARNED_SHARE

Share = Callable[[list[FloatArray], IntArray], FloatArray]
"""Weights (and biases) of some runs, which runs these are → shares (those runs, modes)."""

NEAR = LEARNED_SHARE / 2


class FirstCrossings:
    """First iterations at which modes are learned, found while training goes on.

    To measure every record can cost more than training itself. Of `stride` records, a power of two,
    the last is measured first; where a mode that is waited for has come to `near` of its target by
    then, the one in the middle, and so on in either half. What is missed is a share that rises from
    below `near` to where it is learned and falls back below `near`, all within a stride: noise of
    steps on single samples does that, and then the stride must be 1.
    """

    def __init__(
        self,
        share: Share,
        waited_for: BoolArray,
        stride: int = 8,
        ceiling: Share | None = None,
        near: float = NEAR,
    ) -> None:
        """share : what is measured. waited_for : (runs, modes), those that training goes on for.

        ceiling : a cheap upper bound of the shares, below `near` of which nothing is measured.
        """
        self._share, self._ceiling, self._near = share, ceiling, near
        self._waiting = waited_for.copy()
        self._times = np.full(waited_for.shape, np.nan)
        self._stride = stride
        self._records: list[tuple[int, list[FloatArray]]] = []
        self._new = 0

    def __call__(self, iteration: int, layers: list[FloatArray]) -> bool:
        """Take the next record; whether every mode that is waited for has been learned."""
        self._records.append((iteration, [each.copy() for each in layers]))
        self._new += 1
        if self._new == self._stride:
            self._look_back()
        return not self._waiting.any()

    def times(self) -> FloatArray:
        """Iterations (runs, modes), as `crossing_iteration` of all records; NaN: not learned."""
        if self._new:
            self._look_back()
        return self._times

    def _look_back(self) -> None:
        """Measure the new records, as far as that is needed, and forget all but the last."""
        old = len(self._records) - self._new  # the record before them, if there is one
        last = len(self._records) - 1
        shares = np.full((last + 1, *self._times.shape), np.nan)
        self._measure(shares, last, self._waiting & self._possible())
        gap = self._stride
        while gap > 1:
            for right in range(last, old + gap // 2 - 1, -gap):
                learned = (shares[: max(right - gap + 1, 0)] >= LEARNED_SHARE).any(axis=0)
                near = self._waiting & ~learned & (shares[right] >= self._near)
                self._measure(shares, right - gap // 2, near)
            gap //= 2
        crossed = self._waiting & (shares >= LEARNED_SHARE).any(axis=0)
        if crossed.any():
            for place in range(old):
                self._measure(shares, place, crossed)
            iterations = np.array([iteration for iteration, _ in self._records])
            self._times[crossed] = crossing_iteration(iterations, shares[:, crossed])
            self._waiting &= ~crossed
        self._records, self._new = self._records[-1:], 0

    def _possible(self) -> BoolArray:
        """Modes (runs, modes) that may have come near by the last record."""
        if self._ceiling is None:
            return np.ones_like(self._waiting)
        runs = np.flatnonzero(self._waiting.any(axis=1))
        possible = np.zeros_like(self._waiting)
        layers = [each[runs] for each in self._records[-1][1]]
        possible[runs] = self._ceiling(layers, runs) >= self._near
        return possible

    def _measure(self, shares: FloatArray, place: int, wanted: BoolArray) -> None:
        """Fill in the shares of one record in every run that has a mode that is wanted."""
        runs = np.flatnonzero(wanted.any(axis=1))
        if len(runs):
            shares[place, runs] = self._share(
                [each[runs] for each in self._records[place][1]], runs
            )


def geometric_records(first: float, last: float, ratio: float) -> IntArray:
    """Iterations from `first` to at least `last`, each `ratio` (or 1, if more) past the one before."""
    points = [int(first)]
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


def response_ceilings(responses: FloatArray, modes: int) -> FloatArray:
    """Upper bounds (…, modes) of the same: k − 1 columns aside, what is left has this norm.

    Source: Eckart and Young 1936, no matrix of rank k − 1 is closer than σ_k.
    """
    squares = (responses**2).sum(axis=-2)
    left = np.cumsum(squares[..., ::-1], axis=-1)[..., ::-1]
    return np.asarray(np.sqrt(left[..., :modes]))


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
