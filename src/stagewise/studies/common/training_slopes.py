"""Summaries of the table `training` that the studies of practice share."""

import numpy as np
import pandas as pd

from stagewise.studies.common.study import NothingToMeasureError

SETTING = ["setting", "rule", "activation", "loss", "batch_size", "replacement", "depth", "mode"]
LAWS = {
    "law": "growth",
    "plain": "plain_growth",
    "rival": "rival_growth",
    "exponent": "exponent",
}
"""Columns with a growth per iteration, by what they are called in `over_…`."""
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


def slopes_by_seed(training: pd.DataFrame) -> pd.DataFrame:
    """Iterations per unit of delta between the two largest scales, a row per setting, mode and seed.

    training : rows of one experiment. Differencing cancels whatever does not grow with delta. Returns
    the columns of the table at the largest delta with `slope` and `over_law`, `over_plain`,
    `over_rival`, `over_exponent`: the slope times the growth that each says, which is 1 where it is
    right. Modes that are not learned are left out.
    """
    if training["delta"].nunique() < 2:
        raise NothingToMeasureError("two initial scales (delta)")
    low, high = np.sort(training["delta"].unique())[-2:]
    wide = training.pivot_table(
        index=[*SETTING, "seed"], columns="delta", values="learning_iteration", observed=True
    )
    slope = ((wide[high] - wide[low]) / (high - low)).rename("slope").reset_index().dropna()
    each = slope.merge(training[training["delta"] == high], on=[*SETTING, "seed"])
    for name, law in LAWS.items():
        each[f"over_{name}"] = each["slope"] * each[law]
    return each


def slopes(training: pd.DataFrame) -> pd.DataFrame:
    """Means of `slopes_by_seed` over seeds, a row per setting and mode.

    Laws may differ from seed to seed, so that products come before means. `error` is the standard
    error of the slope, relative; `seeds` their number.
    """
    each = slopes_by_seed(training)
    found = (
        each.groupby(SETTING, observed=True, sort=False)
        .agg(
            slope=("slope", "mean"),
            scatter=("slope", "std"),
            seeds=("slope", "size"),
            **{f"over_{name}": (f"over_{name}", "mean") for name in LAWS},
            **{name: (name, "first") for name in _OF_A_SETTING},
        )
        .reset_index()
    )
    found["error"] = found.pop("scatter") / np.sqrt(found["seeds"]) / found["slope"]
    return found


def worst(values: pd.Series, expected: float = 1.0) -> float:
    """The value farthest from what is expected."""
    if values.empty:
        raise NothingToMeasureError("modes that were learned")
    return float(values.iloc[int((values - expected).abs().to_numpy().argmax())])


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


def over_forecast(runs: pd.DataFrame, law: str = "forecast") -> pd.DataFrame:
    """Mean time over a forecast, a row per activation, loss, delta and mode."""
    keys = ["activation", "loss", "delta", "mode"]
    means = runs.groupby(keys, observed=True).agg(
        time=("learning_iteration", "mean"), forecast=(law, "first")
    )
    return (means["time"] / means["forecast"]).rename("ratio").reset_index()


def carried(runs: pd.DataFrame, activation: str, modes: int) -> pd.DataFrame:
    """Rows of one activation and its first modes."""
    return runs[(runs["activation"] == activation) & (runs["mode"] <= modes)]
