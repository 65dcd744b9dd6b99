"""When a mode counts as learned, and where between two records that happens."""

import numpy as np

from stagewise.arrays import FloatArray

LEARNED_SHARE = 0.5
"""Share of its target that a mode must reach.

Training locates this crossing, measurement reads it, stages are counted by it. The forecasts and the
offsets in `theory/` are derived for one half.
"""


def log_odds(share: FloatArray) -> FloatArray:
    """ln(s/(1 − s)) of shares in (0, 1), in which a mode of two layers climbs in a straight line."""
    return np.asarray(np.log(share) - np.log1p(-share))


def crossing_fraction(before: FloatArray, after: FloatArray) -> FloatArray:
    """Where between two records a share reaches `LEARNED_SHARE`: 0 at the first, 1 at the second.

    before, after : shares at the two records, of one shape. Interpolated linearly in the log of the
    odds, because a two-layer mode is a logistic curve in time and so is exact under it; linearly in
    the share where one of the two is outside (0, 1).
    """
    with np.errstate(all="ignore"):
        low, high, level = (log_odds(np.asarray(each)) for each in (before, after, LEARNED_SHARE))
        logistic = (level - low) / (high - low)
        linear = (LEARNED_SHARE - before) / (after - before)
        return np.asarray(np.where((before > 0) & (after < 1), logistic, linear))
