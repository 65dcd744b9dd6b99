"""Figure real_data: what is learned over training, and measured over predicted learning times."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.aggregates import Aggregates
from stagewise.figures import style


def plot(aggregates: Aggregates) -> Figure:
    """A row a data set: learned shares at the largest delta, then ratios for every delta."""
    times = aggregates.times_of("real_data")
    curves = aggregates.curves_of("real_data")
    datasets = list(dict.fromkeys(times["dataset"]))
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.75 * len(datasets)), layout="constrained")
    panels = figure.subplots(len(datasets), 2, squeeze=False)
    letters = iter("abcdefghijklmnop")
    for (left, right), dataset in zip(panels, datasets, strict=True):
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
        style.panel_title(right, next(letters), f"{dataset}: the law against training")
    return figure


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
        centre, low, high = (groups.mean(), groups.quantile(0.05), groups.quantile(0.95))
        position = centre.index.to_numpy() + 0.2 * (index - (len(scales) - 1) / 2)
        axes.errorbar(
            position,
            centre,
            yerr=np.abs(np.stack([low, high]) - centre.to_numpy()),
            linestyle="none",
            marker=style.MARKERS[index],
            markerfacecolor="white",
            color=colour,
            elinewidth=0.9,
            label=rf"$\delta={delta:g}$",
        )
    axes.axhline(1, color=style.INK, linewidth=0.9)
    axes.set_xticks(sorted(times["mode"].unique()))
    axes.set(xlabel="mode", ylabel="measured / predicted iteration")
    axes.legend(title="initial scale", loc="upper left", ncols=len(scales))
