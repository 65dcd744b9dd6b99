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
    steps on single samples does that, and then it takes a stride of 1 or a ceiling. With a ceiling
    nothing is missed: every record at which some mode may have come near is measured, those of a
    stride together.
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

        ceiling : a cheap upper bound of the shares.
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
        shares = np.full((len(self._records), *self._times.shape), np.nan)
        if self._ceiling is None:
            self._by_halves(shares, old)
        else:
            self._where_possible(shares, old, self._ceiling)
        reached = shares >= LEARNED_SHARE
        crossed = self._waiting & reached.any(axis=0)
        if crossed.any():
            before = np.zeros(shares.shape, dtype=bool)
            run, mode = np.nonzero(crossed)
            before[np.maximum(reached.argmax(axis=0)[run, mode] - 1, 0), run, mode] = True
            self._fill(shares, before & np.isnan(shares), self._share)
            iterations = np.array([iteration for iteration, _ in self._records])
            self._times[crossed] = crossing_iteration(iterations, shares[:, crossed])
            self._waiting &= ~crossed
        self._records, self._new = self._records[-1:], 0

    def _by_halves(self, shares: FloatArray, old: int) -> None:
        """Measure the last record, and where a mode is near by then those in the middle."""
        last = len(shares) - 1
        wanted = np.zeros(shares.shape, dtype=bool)
        wanted[last] = self._waiting
        self._fill(shares, wanted, self._share)
        gap = self._stride
        while gap > 1:
            for right in range(last, old + gap // 2 - 1, -gap):
                learned = (shares[: max(right - gap + 1, 0)] >= LEARNED_SHARE).any(axis=0)
                wanted[:] = False
                wanted[right - gap // 2] = self._waiting & ~learned & (shares[right] >= self._near)
                self._fill(shares, wanted, self._share)
            gap //= 2

    def _where_possible(self, shares: FloatArray, old: int, ceiling: Share) -> None:
        """Measure the new records at which a mode may have come near."""
        wanted = self._waiting & (np.arange(len(shares)) >= old)[:, None, None]
        bounds = np.full(shares.shape, np.nan)
        self._fill(bounds, wanted, ceiling)
        self._fill(shares, wanted & (bounds >= self._near), self._share)

    def _fill(self, values: FloatArray, wanted: BoolArray, measure: Share) -> None:
        """Measure, in one call, every record and run that has a mode that is wanted.

        values, wanted : (records, runs, modes).
        """
        place, run = np.nonzero(wanted.any(axis=2))
        if len(run) == 0:
            return
        first = place[0]
        records = [layers for _, layers in self._records[first : place[-1] + 1]]
        layers = [np.stack(each)[place - first, run] for each in zip(*records, strict=True)]
        values[place, run] = measure(layers, run)


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
