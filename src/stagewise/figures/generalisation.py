"""Figure generalisation: held-out error along training beside methods that are solved."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.comparisons import best_errors

_NAMES = {1: "one layer", 2: "two layers"}
_METHODS = {"reduced_rank": "reduced rank", "ridge": "ridge"}


def plot(aggregates: Aggregates) -> Figure:
    """A panel of curves a data set, then the best error of each method over that of ridge."""
    curves = aggregates.curves_of("generalisation")
    curves = curves[(curves["quantity"] == "test_error") & (curves["iteration"] > 0)]
    references = aggregates.references
    references = references[references["experiment"] == "generalisation"]
    best = best_errors(aggregates.times_of("generalisation"), references)
    datasets = list(dict.fromkeys(aggregates.times_of("generalisation")["dataset"]))
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.8), layout="constrained")
    *panels, last = figure.subplots(1, len(datasets) + 1)
    for axes, letter, dataset in zip(panels, "abcdefg", datasets, strict=False):
        _curves(axes, curves[curves["dataset"] == dataset])
        _references(axes, references[references["dataset"] == dataset])
        style.panel_title(axes, letter, dataset.replace("_", " "))
    panels[0].set_ylabel("held-out error / size of targets")
    for axes in panels[1:]:
        axes.set_ylabel("held-out error")
    _best(last, best, datasets)
    style.panel_title(last, "abcdefg"[len(datasets)], "best of each method")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4)
    return figure


def _curves(axes: Axes, curves: pd.DataFrame) -> None:
    for index, depth in enumerate(sorted(curves["depth"].unique())):
        style.measured_curve(
            axes,
            curves[curves["depth"] == depth],
            20,
            index,
            color=style.distinct_colours()[index],
            label=_NAMES[depth],
        )
    start = curves[curves["iteration"] == curves["iteration"].min()]["mean"].max()
    axes.set(xscale="log", xlabel="iteration", ylim=(0, min(1.6 * start, axes.get_ylim()[1])))


def _references(axes: Axes, references: pd.DataFrame) -> None:
    for line, (method, name) in zip(("--", ":"), _METHODS.items(), strict=True):
        rows = references[references["method"] == method]
        mean = rows.groupby("parameter")["test_error"].mean()
        label = f"{name}, best"
        axes.axhline(mean.min(), color=style.INK, linestyle=line, linewidth=0.9, label=label)


def _best(axes: Axes, best: pd.DataFrame, datasets: list[str]) -> None:
    methods = list(dict.fromkeys(best["method"]))
    for index, method in enumerate(methods):
        rows = best[best["method"] == method].set_index("dataset").loc[datasets].reset_index()
        style.middle_and_spread(
            axes,
            np.arange(float(len(datasets))) + 0.16 * (index - (len(methods) - 1) / 2),
            rows.groupby("dataset", sort=False)["over_ridge"],
            index,
            color=style.distinct_colours()[index],
            label=method,
        )
    axes.axhline(1, color=style.INK, linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(datasets)), [name.replace("_", "\n") for name in datasets])
    axes.set(xlabel="data set", ylabel="best error / best of ridge", xlim=(-0.6, None))
    axes.legend(loc="upper left", handletextpad=0.2)
    axes.set_ylim(None, 1.25 * axes.get_ylim()[1])
