"""Figure reduced_rank_path: distance of training to reduced-rank regression of each rank."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style

_SHOWN = 6
"""Ranks drawn at most; more lines cannot be told apart."""


_LOWEST = 1e-5
"""Distances below are not shown."""


def plot(aggregates: Aggregates) -> Figure:
    """A panel a data set: commuting and well ordered, real, and ordered otherwise than learned."""
    curves = aggregates.curves_of("reduced_rank_path")
    curves = curves[curves["delta"] == curves["delta"].max()]
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.6), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    shown = (
        ("staircase", "reduced_rank_distance", "orders agree: W"),
        ("digits", "reduced_rank_response_distance", r"digits: $\Sigma_x W$"),
        ("misordered", "reduced_rank_distance", "orders disagree: W"),
    )
    for axes, letter, (dataset, quantity, title) in zip(panels, "abc", shown, strict=True):
        _distances(axes, curves[(curves["dataset"] == dataset) & (curves["quantity"] == quantity)])
        style.panel_title(axes, letter, title)
    panels[0].set_ylabel("relative distance to regression of rank k")
    return figure


def _distances(axes: Axes, curves: pd.DataFrame) -> None:
    curves = curves[curves["iteration"] > 0]
    ranks = sorted(curves["mode"].unique())[:_SHOWN]
    for index, (rank, colour) in enumerate(
        zip(ranks, style.ordered_colours(len(ranks)), strict=True)
    ):
        curve = curves[curves["mode"] == rank]
        axes.fill_between(
            curve["iteration"], curve["low"], curve["high"], color=colour, alpha=0.2, lw=0
        )
        line = style.LINES[index % len(style.LINES)]
        axes.plot(curve["iteration"], curve["mean"], color=colour, linestyle=line)
        inside = curve[curve["mean"] > 2 * _LOWEST]
        lowest = inside.loc[inside["mean"].idxmin()]
        axes.annotate(
            f"{rank}",
            (lowest["iteration"], lowest["mean"]),
            (0, -8),
            textcoords="offset points",
            ha="center",
            fontsize=6.5,
        )
    start = 0.2 * curves["iteration"].max() / max(len(ranks), 2)
    axes.set(xscale="log", yscale="log", xlabel="iteration", ylim=(_LOWEST, 6))
    axes.set_xlim(start, None)
    axes.xaxis.set_minor_formatter(NullFormatter())
