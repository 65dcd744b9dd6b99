"""Where a mode is learned: the crossing of ½ is predicted, approached, and interpolated.

A run's next record is moved to just before or just after the predicted crossing, so that nothing is
trained twice but for the rare prediction that goes too far. The prediction is a straight line through
the last two records, in the coordinate in which an aligned mode of that depth climbs in a straight
line: ln(s/(1−s)) for two layers, and for L of them F(s) with F' = 1/(s^(2 − 2/L)(1 − s)).
"""

import numpy as np

from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.problems.learned import LEARNED_SHARE, log_odds

SHARE = 1.5e-3
"""A crossing lies between records closer than this share of it; interpolation does the rest.

Largest error found over all kinds of run: 0.2 of max(½ iteration, 2·10⁻³ T).
"""
_CAUTION = 0.93
"""Share of the predicted distance to a crossing that a hop takes."""
_NEARLY = 0.4
_STEADY = 4
_TERMS = 20
_FAR = 1e15
"""Iterations that no run goes; infinity is no integer."""
NEVER = np.iinfo(np.int64).max


def close_enough(iteration: IntArray | FloatArray) -> FloatArray:
    """Largest distance between the two records around a crossing near this iteration."""
    return np.asarray(np.maximum(1.0, np.multiply(SHARE, iteration)))


def straight(share: FloatArray, depth: int) -> FloatArray:
    """The coordinate in which the share of an aligned mode climbs in a straight line.

    share : in (0, ½] for three or more layers, (0, 1) for fewer. Derived: s' ∝ s^(2 − 2/L)(1 − s),
    integrated term by term.
    """
    if depth <= 2:
        return log_odds(share)
    power = 1 - 2 / depth
    series = np.zeros_like(share)
    for term in range(_TERMS, 0, -1):
        series = share * (series + 1 / (term - power))
    return np.asarray(share**-power * (series - 1 / power))


def remaining(
    share: FloatArray, before: FloatArray, steps: IntArray, depth: int, learned: BoolArray
) -> FloatArray:
    """Iterations until the next mode is learned, predicted for each run (runs,); inf: none.

    share, before, learned : (runs, curves), of the last record and the one before it. steps : (runs,)
    between the two.
    """
    usable = (before > 0) & (share < LEARNED_SHARE) & (before < share) & ~learned
    left = np.full(share.shape, np.inf)
    run, curve = np.nonzero(usable)
    if len(run):
        now, then = straight(share[run, curve], depth), straight(before[run, curve], depth)
        level = straight(np.array([LEARNED_SHARE]), depth)
        with np.errstate(divide="ignore"):  # shares that differ by rounding alone
            left[run, curve] = (level - now) / (now - then) * steps[run]
    # A curve that oscillates this close to one half may cross it at any time, and not stay.
    falling = (share > _NEARLY) & (share < LEARNED_SHARE) & (before >= share) & ~learned
    left[falling] = 1.0
    return np.asarray(left.min(axis=1, initial=np.inf))


def hop(stop: IntArray, left: FloatArray) -> IntArray:
    """Iteration of the next record after `stop`, if a crossing is predicted `left` later (runs,).

    Just past the crossing where the prediction cannot be far off, before it elsewhere.
    """
    near = close_enough(stop + np.minimum(left, _FAR))
    past = left <= 0.66 * near
    ahead = np.where(past, np.ceil(left + near / 3), np.minimum(_CAUTION * left, left - near / 3))
    # The last iterations are taken one by one: a curve that oscillates may be past it and back.
    ahead = np.where(np.maximum(left, near) <= _STEADY, 1, ahead)
    moved = stop + np.clip(ahead, 1, _FAR).astype(np.int64)
    return np.where(ahead < _FAR, moved, NEVER)


def shorter_hop(now: IntArray, steps: IntArray, at: FloatArray) -> IntArray:
    """Iteration of the next record where one of `steps` went past a crossing at the share `at` of it."""
    iterations = at * steps
    ahead = np.minimum(0.97 * iterations, iterations - close_enough(now + steps) / 3)
    return np.asarray(now + np.clip(ahead, 1, np.maximum(steps - 1, 1)).astype(np.int64))
