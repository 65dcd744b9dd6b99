"""Measurements that several claims share."""

import numpy as np
import pandas as pd

from stagewise.arrays import FloatArray


def spread(values: pd.Series | FloatArray) -> tuple[float, float]:
    """5 % and 95 % quantiles."""
    low, high = np.quantile(np.asarray(values, dtype=np.float64), [0.05, 0.95])
    return float(low), float(high)


def over(times: pd.DataFrame, law: str) -> pd.Series:
    """Measured learning iteration over that of a law ("flow" or "discrete"), learned modes only."""
    learned = times[times["learning_iteration"].notna()]
    return learned["learning_iteration"] / learned[f"predicted_{law}"]
