"""Figure rmsprop: how far apart stages are, by optimiser and learning rate, and how fast they go."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.depth import run_separation, with_product_scale

_LOOKS = {
    "gradient_descent": ("D", 7, "descent"),
    "rmsprop": ("o", 1, "RMSProp, a scale a coordinate"),
    "rmsprop_shared": ("s", 0, "RMSProp, one scale for all"),
}


def plot(aggregates: Aggregates) -> Figure:
    """Overlap of neighbouring stages for each depth, then iterations until all is learned."""
    times = with_product_scale(aggregates.times_of("descent_separation", "rmsprop"))
    depths = sorted(times["depth"].unique())
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.9), layout="constrained")
    panels = figure.subplots(1, len(depths) + 1, squeeze=False)[0]
    letters = iter("abcdef")
    for axes, depth in zip(panels[:-1], depths, strict=True):
        _separation(axes, times[times["depth"] == depth])
        style.panel_title(axes, next(letters), f"{depth} layers")
    _speed(panels[-1], times[times["optimizer"] != "gradient_descent"])
    style.panel_title(panels[-1], next(letters), "until all is learned")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3)
    return figure


def _separation(axes: Axes, times: pd.DataFrame) -> None:
    runs = run_separation(times)
    rates = sorted(runs[runs["optimizer"] != "gradient_descent"]["relative_step_size"].unique())
    scales = sorted(runs["product_scale"].unique(), reverse=True)
    for (optimizer, scale), group in runs.groupby(["optimizer", "product_scale"]):
        marker, colour, name = _LOOKS[str(optimizer)]
        shift = 0.16 * (scales.index(scale) - (len(scales) - 1) / 2)
        for rate, some in group.groupby("relative_step_size"):
            place = -1 if optimizer == "gradient_descent" else rates.index(rate)
            middle = some["overlap"].median()
            spread = np.quantile(some["overlap"], [0.05, 0.95])
            side = 0.06 * (1 if optimizer == "rmsprop" else -1)
            axes.errorbar(
                place + shift + side,
                middle,
                yerr=np.abs(spread - middle)[:, None],
                linestyle="none",
                marker=marker,
                color=style.distinct_colours()[colour],
                markerfacecolor="white" if scale == scales[0] else style.distinct_colours()[colour],
                elinewidth=0.8,
                label=_label(axes, rf"{name}, $\varepsilon=10^{{{np.log10(scale):.0f}}}$"),
            )
    axes.set_xticks(range(-1, len(rates)), ["descent", *(f"{rate:g}" for rate in rates)])
    axes.set(yscale="log", xlabel="learning rate of RMSProp", ylabel="next value learned at 90 %")
    axes.axhline(0.1, color=style.MUTED, linewidth=0.7, linestyle="--")


def _speed(axes: Axes, times: pd.DataFrame) -> None:
    last = times[times["mode"] == times.groupby("run")["mode"].transform("max")]
    markers = {depth: style.LINES[at] for at, depth in enumerate(sorted(times["depth"].unique()))}
    small = last[last["product_scale"] == last["product_scale"].min()]
    for (optimizer, depth), group in small.groupby(["optimizer", "depth"]):
        marker, colour, _ = _LOOKS[str(optimizer)]
        middle = group.groupby("relative_step_size")["learning_iteration"].median()
        axes.plot(
            middle.index,
            middle,
            marker=marker,
            color=style.distinct_colours()[colour],
            linestyle=markers[depth],
            linewidth=0.7,
        )
    for depth, line in markers.items():
        axes.plot([], [], color=style.INK, linestyle=line, linewidth=0.7, label=f"{depth} layers")
    axes.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="iterations")
    rates = sorted(small["relative_step_size"].unique())
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.xaxis.minorticks_off()
    axes.legend(loc="upper right")


def _label(axes: Axes, text: str) -> str:
    """The text once for each axes."""
    return "_" if text in axes.get_legend_handles_labels()[1] else text
