"""Figure closed_form: trace norm against rescaled time, one layer and two."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style

_PANELS = {1: "linear model, one layer", 2: "two layers"}


def plot(aggregates: Aggregates) -> Figure:
    """Descent as markers over the closed form as lines, a colour per delta."""
    curves = aggregates.curves_of("closed_form")
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.5), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, letter, depth in zip(panels, "ab", _PANELS, strict=True):
        _panel(axes, curves[curves["depth"] == depth])
        style.panel_title(axes, letter, _PANELS[depth])
    _limit(panels[1], curves)
    panels[0].set_ylabel("trace norm of W")
    panels[0].legend(title="initial scale", loc="lower right")
    return figure


def _panel(axes: Axes, curves: pd.DataFrame) -> None:
    scales = sorted(curves["delta"].unique())
    colours = style.ordered_colours(len(scales))
    for index, (delta, colour) in enumerate(zip(scales, colours, strict=True)):
        curve = curves[(curves["delta"] == delta) & (curves["quantity"] == "trace_norm")]
        time = (curve["flow_time"] / delta).to_numpy()
        shown = time <= 5.0
        axes.plot(time[shown], curve["predicted"][shown], color=colour, zorder=1)
        wanted = np.linspace(0.15 + 0.06 * index, 4.8, 16)
        marks = np.unique(np.searchsorted(time[shown], wanted)).clip(0, shown.sum() - 1)
        axes.plot(
            time[marks],
            curve["mean"].to_numpy()[marks],
            linestyle="none",
            marker=style.MARKERS[index % len(style.MARKERS)],
            markerfacecolor="white",
            markeredgecolor=colour,
            label=rf"$\delta={delta:g}$",
        )
    axes.set_xlabel(r"rescaled time $\eta k/\delta$")
    axes.set_ylim(-0.1, None)


def _limit(axes: Axes, curves: pd.DataFrame) -> None:
    """The limit delta to infinity, read off the curves' end: one step a component."""
    last = curves[(curves["depth"] == 2) & (curves["quantity"] == "mode_strength")]
    if last.empty:
        return
    heights = last[last["delta"] == last["delta"].max()].groupby("mode")["predicted"].max()
    axes.axhline(0, color=style.MUTED, linewidth=0.6, linestyle=":")
    for step in heights.cumsum():
        axes.axhline(step, color=style.MUTED, linewidth=0.6, linestyle=":")
