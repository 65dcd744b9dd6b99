"""Figure perturbation: how far a part that does not commute moves the path."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.comparisons import deviations, growth_while_waiting

BOUND_RATE = 0.01
"""Constant c of the bound's shape e^(cδ²); the paper's is not available to us."""


def plot(aggregates: Aggregates) -> Figure:
    """Largest deviation over the perturbation, over the final one by scale, and growth on pairs."""
    runs = deviations(aggregates.times_of("perturbation"))
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.7), layout="constrained")
    linear, growth, waiting = figure.subplots(1, 3)
    _linear(linear, runs)
    style.panel_title(linear, "a", "linear in the perturbation")
    _growth(growth, runs)
    style.panel_title(growth, "b", "orders agree: no growth")
    _waiting(waiting, growth_while_waiting(aggregates.times_of("perturbation_growth")))
    style.panel_title(waiting, "c", "pairs of modes: growth")
    return figure


def _linear(axes: Axes, runs: pd.DataFrame) -> None:
    shown = [runs["delta"].min(), runs["delta"].max()]
    for index, delta in enumerate(shown):
        some = runs[runs["delta"] == delta].sort_values("non_commuting")
        for position, (_, draw) in enumerate(some.groupby(["dim_in", "seed"])):
            axes.plot(
                draw["non_commuting"],
                draw["largest_deviation"],
                linewidth=0.4,
                marker=style.MARKERS[index],
                markersize=2.2,
                markeredgewidth=0.5,
                markerfacecolor="white",
                color=style.distinct_colours()[index],
                label=None if position else rf"$\delta={delta:g}$, a line each draw",
            )
    ends = np.array([runs["non_commuting"].min(), runs["non_commuting"].max()])
    level = 0.2 * (runs["largest_deviation"] / runs["non_commuting"]).min()
    axes.plot(ends, level * ends, color=style.INK, linestyle="--", label="slope 1")
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel=r"perturbation $\|B\|_2$", ylabel=r"$\max_t\,\|W_B(t)-W_0(t)\|_2$")
    axes.legend(loc="upper left", handletextpad=0.3)
    axes.set_ylim(None, 30 * runs["largest_deviation"].max())


def _growth(axes: Axes, runs: pd.DataFrame) -> None:
    scales = np.array(sorted(runs["delta"].unique()))
    sizes = sorted(runs["dim_in"].unique())
    for index, size in enumerate(sizes):
        style.middle_and_spread(
            axes,
            scales * (1 + 0.08 * (index - (len(sizes) - 1) / 2)),
            runs[runs["dim_in"] == size].groupby("delta")["over_final"],
            index,
            color=style.distinct_colours()[index],
            label=f"{size} modes",
        )
    axes.axhline(1, color=style.INK, linewidth=0.8)
    grid = np.geomspace(scales[0], scales[-1], 100)
    axes.plot(
        grid,
        np.exp(BOUND_RATE * (grid**2 - grid[0] ** 2)),
        color=style.INK,
        linestyle="--",
        label=rf"shape $e^{{c\delta^2}}$, $c={BOUND_RATE:g}$",
    )
    style.log_scale_axis(axes, scales)
    axes.set(ylabel="largest / final deviation", ylim=(0.8, 3.2))
    axes.legend(loc="upper left")


def _waiting(axes: Axes, pairs: pd.DataFrame) -> None:
    ends = np.array([min(0.0, pairs["measured"].min()), 1.05 * pairs["derived"].max()])
    axes.plot(ends.clip(0), ends.clip(0), color=style.INK, label="derived")
    for index, (disagree, name) in enumerate(((False, "orders agree"), (True, "they disagree"))):
        some = pairs[pairs["disagree"] == disagree]
        axes.plot(
            some["derived"],
            some["measured"],
            linestyle="none",
            marker=style.MARKERS[index],
            markerfacecolor="white",
            color=style.distinct_colours()[index],
            label=name,
        )
    axes.set(xlabel="derived growth per unit of δ", ylabel="measured growth per unit of δ")
    axes.legend(loc="upper left")
