"""Figure learning_times: learning time in units of the flow's law, against the step size."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.theory import discrete_correction


def plot(aggregates: Aggregates) -> Figure:
    """Every mode of every run as a marker, the two laws as lines."""
    times = aggregates.times_of("learning_times", "learning_times_limit")
    times = times[times["learning_iteration"].notna()]
    times["growth"] = times["step_size"] * times["sigma"]
    times["ratio"] = times["learning_iteration"] / times["predicted_flow"]
    scales = sorted(times["delta"].unique())
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.7), layout="constrained")
    every, convergence = figure.subplots(1, 2, width_ratios=[1.3, 1])
    _every_mode(every, times[times["initialisation"] == "aligned"], scales)
    _laws(every, times["growth"])
    style.panel_title(every, "a", "aligned start, every mode and run")
    every.set_ylabel(r"measured time $\times\,\eta\sigma/\delta$")
    every.legend(title="initial scale", loc="upper left", ncols=2, markerscale=1.6)
    _convergence(convergence, times[times["initialisation"] == "gaussian"])
    style.panel_title(convergence, "b", "Gaussian start, mean and 5–95 %")
    return figure


def _every_mode(axes: Axes, times: pd.DataFrame, scales: list[float]) -> None:
    for delta, look in _looks(scales):
        points = times[times["delta"] == delta]
        if len(points):
            look |= {"markerfacecolor": "none", "markersize": 2.2, "markeredgewidth": 0.5}
            axes.plot(points["growth"], points["ratio"], alpha=0.7, rasterized=True, **look)


def _convergence(axes: Axes, times: pd.DataFrame) -> None:
    """Measured over the discrete law against delta, a series for each of three step sizes."""
    steps = sorted(times["relative_step_size"].unique())
    chosen = [steps[0], steps[len(steps) // 2], steps[-1]]
    times = times.assign(over=times["learning_iteration"] / times["predicted_discrete"])
    for index, step in enumerate(dict.fromkeys(chosen)):
        over = times[times["relative_step_size"] == step].groupby("delta")["over"]
        style.middle_and_spread(
            axes,
            np.array(sorted(over.groups)) * (1 + 0.07 * (index - 1)),
            over,
            index,
            color=style.distinct_colours()[index],
            label=rf"$\eta\sigma_1={step:g}$",
        )
    axes.axhline(1, color=style.INK, linewidth=0.9)
    scales = sorted(times["delta"].unique())
    style.log_scale_axis(axes, scales)
    axes.set_ylabel("measured / discrete law")
    axes.legend(loc="upper right")


def _looks(scales: list[float]) -> list[tuple[float, dict[str, Any]]]:
    return [
        (
            delta,
            {
                "linestyle": "none",
                "marker": style.MARKERS[index % len(style.MARKERS)],
                "markerfacecolor": "white",
                "markeredgecolor": colour,
                "label": rf"$\delta={delta:g}$",
            },
        )
        for index, (delta, colour) in enumerate(
            zip(scales, style.ordered_colours(len(scales)), strict=True)
        )
    ]


def _laws(axes: Axes, growth: pd.Series) -> None:
    grid = np.geomspace(0.8 * growth.min(), 1.1 * growth.max(), 200)
    axes.plot(grid, discrete_correction(grid), color=style.INK, zorder=5)
    axes.axhline(1, color=style.INK, linestyle="--", linewidth=0.9, zorder=5)
    high = discrete_correction(grid[-1:])[0]
    axes.annotate(
        r"$\delta/\ln(1+\eta\sigma)$",
        (grid[-1], high),
        xytext=(-2, 8),
        textcoords="offset points",
        ha="right",
    )
    axes.annotate(
        r"$\delta/(\eta\sigma)$",
        (grid[-1], 1),
        xytext=(-2, -9),
        textcoords="offset points",
        ha="right",
    )
    axes.set(xscale="log", xlabel=r"growth per step $x=\eta\sigma$")
