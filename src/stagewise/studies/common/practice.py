"""Summaries of the table `training` that the studies of practice share."""

import numpy as np
import pandas as pd

from stagewise.studies.common.study import Interval

SETTING = ["setting", "rule", "activation", "loss", "batch_size", "replacement", "depth", "mode"]
_OF_A_SETTING = [
    "momentum",
    "decay",
    "step_size",
    "noise",
    "samples",
    "sigma",
    "plain_growth",
    "rival_growth",
    "exponent",
    "mixing",
]


def slopes(training: pd.DataFrame) -> pd.DataFrame:
    """Iterations per unit of delta between the two largest scales, a row per setting and mode.

    training : rows of one experiment. Differencing cancels whatever does not grow with delta. Returns
    the columns of the setting, `slope` (mean over seeds), `error` (its standard error, relative) and
    `over_law`, `over_plain`, `over_rival`, `over_exponent`: the slope times the growth that each
    says, which is 1 where it is right. Modes that are not learned are left out.
    """
    low, high = np.sort(training["delta"].unique())[-2:]
    wide = training.pivot_table(
        index=[*SETTING, "seed"], columns="delta", values="learning_iteration", observed=True
    )
    each = ((wide[high] - wide[low]) / (high - low)).rename("slope").reset_index().dropna()
    laws = training[training["delta"] == high].drop(columns="learning_iteration")
    each = each.merge(laws, on=[*SETTING, "seed"])
    # Under a schedule the law is a number per seed, so that products come before means.
    each["over_law"] = each["slope"] * each["growth"]
    grouped = each.groupby(SETTING, observed=True, sort=False)
    found = grouped.agg(
        slope=("slope", "mean"),
        over_law=("over_law", "mean"),
        scatter=("slope", "std"),
        seeds=("slope", "size"),
        **{name: (name, "first") for name in _OF_A_SETTING},
    ).reset_index()
    found["error"] = found.pop("scatter") / np.sqrt(found["seeds"]) / found["slope"]
    for name, law in (("plain", "plain_growth"), ("rival", "rival_growth"), ("exponent",) * 2):
        found[f"over_{name}"] = found["slope"] * found[law]
    return found


def worst(values: pd.Series, expected: float = 1.0) -> float:
    """The value farthest from what is expected."""
    return float(values.iloc[int((values - expected).abs().to_numpy().argmax())])


def whole_range(values: pd.Series) -> Interval:
    """Smallest and largest."""
    return Interval(float(values.min()), float(values.max()), "range")


def mean_errors(training: pd.DataFrame, law: str) -> pd.DataFrame:
    """Root-mean-square over modes of ln(mean time/law), a row per data set, momentum and batch.

    law : column of forecasts, "forecast·drift" for the product of two. Returns columns dataset,
    momentum, batch_size, error, mixing (the largest).
    """
    keys = ["dataset", "momentum", "batch_size"]
    columns = {name: training[name] for name in law.split("·")}
    predicted = np.prod(list(columns.values()), axis=0)
    modes = (
        training.assign(predicted=predicted)
        .groupby([*keys, "mode"], observed=True, sort=False)
        .agg(
            time=("learning_iteration", "mean"),
            predicted=("predicted", "first"),
            mixing=("mixing", "first"),
        )
        .reset_index()
    )
    modes["square"] = np.log(modes["time"] / modes["predicted"]) ** 2
    found = modes.groupby(keys, observed=True, sort=False).agg(
        square=("square", "mean"), mixing=("mixing", "max")
    )
    found["error"] = np.sqrt(found.pop("square"))
    return found.reset_index()
