"""Summaries of runs on mini-batches, for the study of them."""

import numpy as np
import pandas as pd

from stagewise.studies.common.training_slopes import slopes


def _two_layers(runs: pd.DataFrame) -> pd.DataFrame:
    return runs[(runs["dataset"] == "prescribed") & (runs["depth"] == 2)]


def first_modes(runs: pd.DataFrame, replacement: bool) -> pd.DataFrame:
    """Slopes of the first mode in the settings that follow no other."""
    rows = _two_layers(runs)
    alone = rows.groupby("setting")["mode"].transform("max") == 1
    return slopes(rows[alone & (rows["replacement"] == replacement)])


def later_modes(runs: pd.DataFrame) -> pd.DataFrame:
    """Slopes of modes 2 and up."""
    rows = _two_layers(runs)
    found = slopes(rows[rows["replacement"]])
    return found[found["mode"] > 1]


def scatters(runs: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation of the first mode's learning time at the largest delta, by setting.

    Columns setting, mixing, over_law (with replacement), over_replaced (without over with).
    """
    rows = _two_layers(runs)
    rows = rows[(rows["mode"] == 1) & (rows["delta"] == rows["delta"].max())]
    groups = rows.groupby(["setting", "replacement"])
    wide = groups["learning_iteration"].std().unstack("replacement")
    with_law = rows[rows["replacement"]].groupby("setting")
    shuffled = wide.get(False, np.nan)
    return pd.DataFrame(
        {
            "mixing": with_law["mixing"].first(),
            "over_law": wide[True] / with_law["predicted_scatter"].first(),
            "over_replaced": shuffled / wide[True],
        }
    ).reset_index()


def deep_delays(runs: pd.DataFrame) -> pd.DataFrame:
    """Three layers: mean time over that of full batches, by setting, with the laws of the delay."""
    rows = runs[(runs["dataset"] == "prescribed") & (runs["depth"] > 2)].copy()
    rows["delay"] = rows["learning_iteration"] / rows["forecast"]
    columns = {name: (name, "first") for name in ("noise", "mixing", "drift", "rival_drift")}
    return rows.groupby("setting").agg(delay=("delay", "mean"), error=("delay", "sem"), **columns)
