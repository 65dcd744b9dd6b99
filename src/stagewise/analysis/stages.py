"""Stages of escape from saddles: a plateau of the gradient, a peak, singular values that rise."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.problems.learned import LEARNED_SHARE

PROMINENCE = 1.5
"""A peak of the gradient norm stands above the minima beside it by this factor at least."""
FLOOR = 1e-9
"""Gradient norms below this share of the largest one are rounding, and count as equal."""


@dataclass(frozen=True)
class Plateau:
    """A place where training rests, and the stage that ends the rest.

    record : position of the smallest gradient norm. learned : singular values learned by then.
    peak : position of the largest gradient norm of the stage that follows, None at the end of the
    run. rises : singular values that are learned in that stage, 0 at the end.
    """

    record: int
    learned: int
    peak: int | None
    rises: int


def plateaus(
    gradient_norm: FloatArray, singular_values: FloatArray, sigma: FloatArray
) -> list[Plateau]:
    """The plateaus of one run, the last of them the run's end: one more than there are stages.

    gradient_norm : (records,), on a grid that is about log-spaced. singular_values : (records,
    modes) of the product. sigma : (modes,), their targets.
    A stage is a peak of the gradient norm, in between plateaus, during which a singular value is
    learned; two that are learned in one peak are one stage with two rises. A peak that the run's end
    cuts off before the gradient falls again is no stage, nor is a slow tail, which has no peak.
    """
    levels = np.log(np.maximum(gradient_norm, FLOOR * gradient_norm.max()))
    learned = (singular_values >= LEARNED_SHARE * sigma).sum(axis=1)
    peaks = prominent_peaks(levels, np.log(PROMINENCE))
    while len(peaks):
        rests = _rests(levels, peaks)
        rises = np.diff(learned[rests])
        if (rises > 0).all():
            break
        peaks = np.delete(peaks, int(np.argmax(rises <= 0)))
    rests = _rests(levels, peaks)
    stages = [
        Plateau(int(rest), int(learned[rest]), int(peak), int(learned[after] - learned[rest]))
        for (rest, after), peak in zip(pairwise(rests), peaks, strict=True)
    ]
    return [*stages, Plateau(int(rests[-1]), int(learned[-1]), None, 0)]


def prominent_peaks(levels: FloatArray, prominence: float) -> IntArray:
    """Positions of maxima that are left by `prominence` at least, on both sides, before it is higher.

    levels : (records,). A flat top counts as one maximum, in its middle; the ends are none.
    Gives what `scipy.signal.find_peaks` gives with the same prominence, and spares a job the second
    that its import takes.
    """
    tops = np.flatnonzero(np.diff(levels, prepend=np.nan) != 0)  # where each run of equals begins
    heights = levels[tops]
    last = np.append(tops[1:], len(levels)) - 1
    is_peak = np.zeros(len(tops), dtype=bool)
    is_peak[1:-1] = (heights[1:-1] > heights[:-2]) & (heights[1:-1] > heights[2:])
    found = [
        (tops[top] + last[top]) // 2
        for top in np.flatnonzero(is_peak)
        if min(_drop(heights[top::-1]), _drop(heights[top:])) >= prominence
    ]
    return np.array(found, dtype=np.int64)


def _drop(levels: FloatArray) -> float:
    """How deep the levels fall below the first of them before they exceed it."""
    higher = np.flatnonzero(levels > levels[0])
    return float(levels[0] - levels[: higher[0] if len(higher) else None].min())


def _rests(levels: FloatArray, peaks: IntArray) -> IntArray:
    """Where the gradient is smallest before, between and after the peaks; the end for the last."""
    edges = [0, *peaks.tolist()]
    lowest = [left + int(np.argmin(levels[left : right + 1])) for left, right in pairwise(edges)]
    return np.array([*lowest, len(levels) - 1])
