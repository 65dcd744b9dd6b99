"""Measurements that several claims share."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from stagewise.arrays import FloatArray
from stagewise.seeds import generator
from stagewise.studies.common.study import Interval


def wilson_interval(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share `count`/`total` (Wilson 1927), within [0, 1]."""
    share = count / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    # Rounding must not leave a share of 0 or 1 outside its own interval.
    return min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)


def value_range(values: pd.Series | FloatArray, over: str) -> Interval:
    """Smallest and largest of the values that a measured value summarises; over : of which, in words."""
    array = np.asarray(values, dtype=np.float64)
    return Interval(float(array.min()), float(array.max()), "range", over)


def share_confidence(count: int, total: int) -> Interval:
    """95 % confidence interval of a share `count`/`total` (Wilson 1927), within [0, 1]."""
    interval = wilson_interval(count, total)
    return Interval(*interval, "95 % confidence", f"Wilson's, for a share of {total}")


def bootstrap_confidence(
    values: pd.Series | FloatArray,
    statistic: Callable[..., FloatArray] = np.mean,
    resamples: int = 2000,
) -> Interval:
    """95 % confidence interval of a statistic of independent values (percentile bootstrap).

    statistic : takes an array and an axis, as np.mean and np.median do. The resamples are seeded
    by their number alone, so that equal values give equal intervals.
    """
    array = np.asarray(values, dtype=np.float64)
    chosen = generator("bootstrap", resamples).integers(len(array), size=(resamples, len(array)))
    low, high = np.quantile(statistic(array[chosen], axis=1), [0.025, 0.975])
    return Interval(
        float(low), float(high), "95 % confidence", f"bootstrap over {len(array)} values"
    )


def failure_bracket(fine: pd.Series, step: pd.Series) -> tuple[float, float]:
    """Last step at which every run is fine, and first at which any is not (the last again if none).

    fine : whether each run is. step : its step size. 0 where already the smallest step fails.
    """
    all_fine = fine.groupby(step).all()
    failing = all_fine.index[~all_fine]
    first_bad = float(failing.min()) if len(failing) else np.inf
    below = all_fine.index[all_fine.index < first_bad]
    last_good = float(below.max()) if len(below) else 0.0
    return last_good, first_bad if np.isfinite(first_bad) else last_good


def over(times: pd.DataFrame, law: str) -> pd.Series:
    """Measured learning iteration over that of a law ("flow" or "discrete"), learned modes only."""
    learned = times[times["learning_iteration"].notna()]
    return learned["learning_iteration"] / learned[f"predicted_{law}"]
