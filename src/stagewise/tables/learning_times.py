"""Measured and predicted learning times per experiment."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from stagewise.studies.common.judging import read_frame

READS = "learning_times"


def table(paths: Sequence[Path]) -> pd.DataFrame:
    """The table from the learning times of all experiments."""
    return learning_times_summary(read_frame(READS, *paths))


def learning_times_summary(times: pd.DataFrame) -> pd.DataFrame:
    """`learning_times` as a table: measured over predicted, per experiment and grid axis.

    Experiments that do not record when modes are learned are left out; where singular values of
    sigma_x·W are not recorded, mode strengths say when. Columns experiment, dataset, depth, initialisation, delta, runs, learned (share of modes), then
    mean and 5–95 % range of measured/predicted for the discrete law, and the mean for the flow's.
    """
    keys = ["experiment", "dataset", "depth", "initialisation", "delta"]
    rows = []
    times = times[times["status"].isin(["ok", "not_reached", "diverged"])]
    by_values = times.groupby("experiment")["learning_iteration"].transform("count") > 0
    learned = times["learning_iteration"].where(by_values, times["mode_learning_iteration"])
    for key, group in times.assign(learned=learned).groupby(keys, sort=True):
        reached = group[group["learned"].notna()]
        discrete = (reached["learned"] / reached["predicted_discrete"]).dropna()
        flow = (reached["learned"] / reached["predicted_flow"]).dropna()
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "runs": group["run"].nunique(),
                "learned": len(reached) / len(group),
                "over_discrete": discrete.mean(),
                "over_discrete_low": discrete.quantile(0.05),
                "over_discrete_high": discrete.quantile(0.95),
                "over_flow": flow.mean(),
            }
        )
    return pd.DataFrame(rows)
