"""Figure stage_counts: stages counted, and targets recovered, over rank, depth and observed share."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.depth import STAGE_COUNTS, stage_counts


def plot(aggregates: Aggregates) -> Figure:
    """A column an observed share: counts above, with the range over seeds; recovered below."""
    counts = stage_counts(aggregates.stages_of(*STAGE_COUNTS))
    shares = sorted(counts["observed"].unique(), reverse=True)
    figure = Figure(figsize=(style.TWO_COLUMNS, 3.9), layout="constrained")
    panels = figure.subplots(2, len(shares), squeeze=False, sharex=True)
    letters = iter("abcdefghij")
    for axes, share in zip(panels[0], shares, strict=True):
        _counts(axes, counts[counts["observed"] == share])
        style.panel_title(axes, next(letters), f"{share:.0%} observed")
        axes.set(xlabel="rank of the target", ylabel="stages, mean and range")
    for axes, share in zip(panels[1], shares, strict=True):
        _recovered(axes, counts[counts["observed"] == share])
        style.panel_title(axes, next(letters), f"{share:.0%} observed")
        axes.set(xlabel="rank of the target", ylabel="recovered within 5 % (%)")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4)
    return figure


def _counts(axes: Axes, counts: pd.DataFrame) -> None:
    ranks = np.array(sorted(counts["rank"].unique()))
    axes.plot(ranks, ranks, color=style.INK, linewidth=0.9, label="one a mode")
    for rows, offset, look in _series(counts):
        band = np.stack([rows["stages"] - rows["stages_low"], rows["stages_high"] - rows["stages"]])
        axes.errorbar(rows["rank"] + offset, rows["stages"], yerr=band, elinewidth=0.7, **look)
    axes.set_xticks(ranks)


def _recovered(axes: Axes, counts: pd.DataFrame) -> None:
    for rows, offset, look in _series(counts):
        axes.plot(rows["rank"] + offset, 100 * rows["recovered"], **look)
    axes.set(ylim=(-5, 105))


def _series(counts: pd.DataFrame) -> list[tuple[pd.DataFrame, float, dict[str, Any]]]:
    """A series for each depth and size, a little apart so that equal counts stay visible."""
    colours = style.distinct_colours()
    groups = list(counts.groupby(["depth", "dim_in"]))
    depths, sizes = (sorted(counts[name].unique()) for name in ("depth", "dim_in"))
    series = []
    for position, ((depth, size), rows) in enumerate(groups):
        colour = colours[depths.index(depth)]
        look = {
            "linestyle": "none",
            "marker": style.MARKERS[depths.index(depth)],
            "markerfacecolor": "white" if sizes.index(size) == 0 else colour,
            "color": colour,
            "label": f"L = {depth}, n = {size}",
        }
        series.append((rows, 0.11 * (position - (len(groups) - 1) / 2), look))
    return series
