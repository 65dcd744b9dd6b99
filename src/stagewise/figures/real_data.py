"""Figure real_data: what is learned over training, and measured over predicted learning times."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style


def plot(aggregates: Aggregates) -> Figure:
    """A row a data set: learned shares at the largest delta, ratios by mode, errors by delta."""
    times = aggregates.times_of("real_data")
    uncentred = aggregates.times_of("real_data_uncentred")
    curves = aggregates.curves_of("real_data")
    datasets = list(dict.fromkeys(times["dataset"]))
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.75 * len(datasets)), layout="constrained")
    panels = figure.subplots(len(datasets), 3, squeeze=False, width_ratios=[1.25, 1.25, 1])
    letters = iter("abcdefghijklmnop")
    for (left, right, last), dataset in zip(panels, datasets, strict=True):
        own = times[times["dataset"] == dataset]
        largest = own["delta"].max()
        step = own["relative_step_size"].min()
        own = own[own["relative_step_size"] == step]
        shown = curves[
            (curves["relative_step_size"] == step)
            & (curves["dataset"] == dataset)
            & (curves["delta"] == largest)
            & (curves["quantity"] == "response_value")
        ]
        _learned(left, shown, own[own["delta"] == largest])
        style.panel_title(left, next(letters), rf"{dataset}: training, $\delta={largest:g}$")
        _ratios(right, own)
        style.panel_title(right, next(letters), "law against training")
        _errors(last, own, uncentred[uncentred["dataset"] == dataset])
        style.panel_title(last, next(letters), "error of the law")
    return figure


def _errors(axes: Axes, centred: pd.DataFrame, uncentred: pd.DataFrame) -> None:
    """|mean over seeds of measured/predicted − 1| of the median and of the worst mode."""
    kinds = (("centred", centred), ("not centred", uncentred))
    for index, (name, times) in enumerate(kinds):
        if times.empty:
            continue
        ratio = times["learning_iteration"] / times["predicted_discrete"]
        error = (ratio.groupby([times["delta"], times["mode"]]).mean() - 1).abs()
        for line, (which, values) in zip(
            style.LINES,
            (
                ("worst", error.groupby("delta").max()),
                ("median", error.groupby("delta").median()),
            ),
            strict=False,
        ):
            axes.plot(
                values.index,
                values,
                linestyle=line,
                marker=style.MARKERS[index],
                markerfacecolor="white",
                color=style.distinct_colours()[index],
                label=f"{name}, {which}",
            )
    scales = sorted(centred["delta"].unique())
    style.log_scale_axis(axes, scales)
    axes.set(ylabel="|measured / predicted − 1|", ylim=(0, 1.5 * axes.get_ylim()[1]))
    axes.legend(loc="upper right", handlelength=2.2)


def _learned(axes: Axes, curves: pd.DataFrame, times: pd.DataFrame) -> None:
    modes = sorted(curves["mode"].unique())
    colours = style.ordered_colours(len(modes))
    full = times.groupby("mode").agg(
        sigma=("sigma", "first"), predicted=("predicted_discrete", "first")
    )
    for index, (mode, colour) in enumerate(zip(modes, colours, strict=True)):
        scale = 1 / full["sigma"][mode]
        curve = curves[curves["mode"] == mode]
        line = style.LINES[index % len(style.LINES)]
        iteration = curve["iteration"]
        axes.plot(iteration, scale * curve["mean"], color=colour, linestyle=line)
        axes.fill_between(
            iteration, scale * curve["low"], scale * curve["high"], color=colour, alpha=0.2, lw=0
        )
        predicted = full["predicted"][mode]
        axes.plot(predicted, 0.5, marker="|", markersize=9, color=colour, markeredgewidth=1.4)
        axes.annotate(
            str(mode),
            (predicted, 1.03),
            ha="center",
            fontsize=6.5,
        )
    first, last = full["predicted"].min(), full["predicted"].max()
    axes.set(xlim=(0.5 * first, 1.25 * last), ylim=(-0.03, 1.1))
    axes.set(xlabel="iteration", ylabel=r"learned share $\sigma_k(\Sigma_x W)/\sigma_k$")


def _ratios(axes: Axes, times: pd.DataFrame) -> None:
    scales = sorted(times["delta"].unique())
    colours = style.ordered_colours(len(scales))
    times = times.assign(ratio=times["learning_iteration"] / times["predicted_discrete"])
    for index, (delta, colour) in enumerate(zip(scales, colours, strict=True)):
        groups = times[times["delta"] == delta].groupby("mode")["ratio"]
        position = np.array(sorted(groups.groups)) + 0.2 * (index - (len(scales) - 1) / 2)
        style.middle_and_spread(
            axes, position, groups, index, color=colour, label=rf"$\delta={delta:g}$"
        )
    axes.axhline(1, color=style.INK, linewidth=0.9)
    axes.set_xticks(sorted(times["mode"].unique()))
    axes.set(xlabel="mode", ylabel="measured / predicted iteration")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.15 * (high - low))
    axes.legend(loc="upper left", ncols=len(scales), handletextpad=0.2, columnspacing=1.0)
