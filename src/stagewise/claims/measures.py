"""Measurements that several claims share."""

import numpy as np
import pandas as pd

from stagewise.arrays import FloatArray


def spread(values: pd.Series | FloatArray) -> tuple[float, float]:
    """5 % and 95 % quantiles."""
    low, high = np.quantile(np.asarray(values, dtype=np.float64), [0.05, 0.95])
    return float(low), float(high)


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
