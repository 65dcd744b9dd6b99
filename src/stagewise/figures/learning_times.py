"""Figure learning_times: learning time in units of the flow's law, against the step size."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.aggregates import Aggregates
from stagewise.arrays import AnyArray
from stagewise.figures import style
from stagewise.theory import discrete_correction

_BINS = 7


def plot(aggregates: Aggregates) -> Figure:
    """Every mode of every run as a marker, the two laws as lines."""
    times = aggregates.times_of("learning_times", "learning_times_limit")
    times = times[times["learning_iteration"].notna()]
    times["growth"] = times["step_size"] * times["sigma"]
    times["ratio"] = times["learning_iteration"] / times["predicted_flow"]
    scales = sorted(times["delta"].unique())
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.7), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    _every_mode(panels[0], times[times["initialisation"] == "aligned"], scales)
    style.panel_title(panels[0], "a", "aligned start, every mode and run")
    _banded(panels[1], times[times["initialisation"] == "gaussian"], scales)
    style.panel_title(panels[1], "b", "Gaussian start, mean and 5–95 %")
    for axes in panels:
        _laws(axes)
    panels[0].annotate(
        r"discrete law $x/\ln(1+x)$", (0.12, 1.06), xytext=(0.0045, 1.33), arrowprops=_ARROW
    )
    panels[0].annotate(
        r"flow's law $1/(\eta\sigma)$", (0.3, 1.0), xytext=(0.1, 0.88), arrowprops=_ARROW
    )
    panels[0].set_ylabel(r"measured time $\times\,\eta\sigma/\delta$")
    panels[0].set_ylim(0.85, 2.05)
    handles, labels = _all_handles(panels)
    figure.legend(
        handles, labels, loc="outside right center", title="initial scale", markerscale=1.6
    )
    return figure


def _every_mode(axes: Axes, times: pd.DataFrame, scales: list[float]) -> None:
    for delta, look in _looks(scales):
        points = times[times["delta"] == delta]
        if len(points):
            look |= {"markerfacecolor": "none", "markersize": 2.2, "markeredgewidth": 0.5}
            axes.plot(points["growth"], points["ratio"], alpha=0.7, rasterized=True, **look)


def _banded(axes: Axes, times: pd.DataFrame, scales: list[float]) -> None:
    edges = np.geomspace(times["growth"].min() * 0.999, times["growth"].max() * 1.001, _BINS + 1)
    times = times.assign(bin=np.digitize(times["growth"], edges))
    drawn = [delta for delta in scales if delta in set(times["delta"])]
    for delta, look in _looks(scales):
        groups = times[times["delta"] == delta].groupby("bin")
        if not len(groups):
            continue
        shift = 1 + 0.06 * (drawn.index(delta) - (len(drawn) - 1) / 2)
        ratio = groups["ratio"]
        band = np.stack([ratio.mean() - ratio.quantile(0.05), ratio.quantile(0.95) - ratio.mean()])
        axes.errorbar(
            groups["growth"].mean() * shift,
            ratio.mean(),
            yerr=band.clip(0),
            ecolor=look["markeredgecolor"],
            elinewidth=0.8,
            **look,
        )


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


def _laws(axes: Axes) -> None:
    growth = np.geomspace(0.003, 0.55, 200)
    axes.plot(growth, discrete_correction(growth), color=style.INK, zorder=5)
    axes.axhline(1, color=style.INK, linestyle="--", linewidth=0.9, zorder=5)
    axes.set(xscale="log", xlabel=r"growth per step $x=\eta\sigma$")


_ARROW = {"arrowstyle": "-", "linewidth": 0.5, "color": style.INK}


def _all_handles(panels: AnyArray) -> tuple[list[Any], list[str]]:
    found: dict[str, Any] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    labels = sorted(found, key=lambda label: float(label.split("=")[1].rstrip("$")))
    return [found[label] for label in labels], labels
