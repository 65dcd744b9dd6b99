"""Figure escape_times: when modes are learned, over initial scale and depth; their separation."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.depth import with_depth_law
from stagewise.theory import descent_iteration, discrete_correction, flow_time


def plot(aggregates: Aggregates) -> Figure:
    """Learning time over the scale; measured over the flow's law; overlap of stages; by depth."""
    times = with_depth_law(aggregates.times_of("escape_times"))
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.85), layout="constrained")
    scaling, law, overlap = figure.subplots(1, 3)
    first = times[times["mode"] == 1]
    _scaling(scaling, first)
    style.panel_title(scaling, "a", "strongest mode")
    _law(law, with_depth_law(aggregates.times_of("depth_law")))
    style.panel_title(law, "b", "over the law of the flow")
    _overlap(overlap, first)
    style.panel_title(overlap, "c", "separation of stages")
    handles, labels = scaling.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3)
    return figure


def _series(times: pd.DataFrame) -> list[tuple[int, str, pd.DataFrame, dict[str, Any]]]:
    colours = style.distinct_colours()
    depths = sorted(times["depth"].unique())
    return [
        (
            int(depth),
            str(start),
            rows,
            {
                "index": depths.index(depth),
                "color": colours[depths.index(depth)],
                "markerfacecolor": (
                    "white" if start == "gaussian" else colours[depths.index(depth)]
                ),
                "elinewidth": 0.7,
                "markersize": 4 if start == "gaussian" else 2.2,
                "label": f"L = {depth}, {'Gaussian' if start == 'gaussian' else start}",
            },
        )
        for (depth, start), rows in times.groupby(["depth", "initialisation"])
    ]


def _ranged(
    axes: Axes, rows: pd.DataFrame, value: pd.Series, look: dict[str, Any], middle: str = "mean"
) -> None:
    groups = value.groupby(rows["product_scale"])
    scales = list(groups.groups)
    style.middle_and_spread(axes, scales, groups, middle=middle, ends=(0, 1), **look)


def _scaling(axes: Axes, times: pd.DataFrame) -> None:
    for depth, start, rows, look in _series(times):
        _ranged(axes, rows, rows["learning_iteration"] * rows["step_size"] * rows["sigma"], look)
        if start == "aligned":
            scales = np.geomspace(rows["product_scale"].min(), rows["product_scale"].max(), 60)
            sigma, step = rows["sigma"].iloc[0], rows["step_size"].iloc[0]
            delta, lam = -np.log(scales) / depth, np.ones_like(scales)
            predicted = (
                flow_time(sigma, lam, delta, 2)
                if depth == 2
                else step * descent_iteration(sigma, lam, delta, step, depth)
            )
            axes.plot(scales, sigma * predicted, color=style.INK, linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel=r"product scale $\varepsilon$")
    axes.set(ylabel=r"learning time $\times\,\eta\sigma_1$")


def _law(axes: Axes, times: pd.DataFrame) -> None:
    """The strongest mode, followed by its own strength, in units of the law of the flow."""
    rows = times[(times["mode"] == 1) & times["mode_learning_iteration"].notna()]
    flow = rows["predicted_flow"].where(rows["depth"] == 2, rows["predicted_leading"])
    depths = sorted(rows["depth"].unique())
    for depth, _, own, look in _series(rows):
        # A little apart, so that the bars of equal scales stay visible.
        shifted = own.assign(product_scale=own["product_scale"] * 1.3 ** depths.index(depth))
        look |= {"markersize": 3.2, "markerfacecolor": "white"}
        _ranged(axes, shifted, own["mode_learning_iteration"] / flow[own.index], look)
    growth = float((rows["step_size"] * rows["sigma"]).max())
    correction = float(discrete_correction(np.array(growth)))
    axes.axhline(1, color=style.INK, linewidth=0.8)
    axes.axhline(correction, color=style.INK, linewidth=0.8, linestyle="--")
    axes.annotate(
        r"$x/\ln(1+x)$",
        (0.1, correction),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=6.5,
    )
    axes.set(xscale="log", xlabel=r"product scale $\varepsilon$", ylabel="measured / law")


def _overlap(axes: Axes, times: pd.DataFrame) -> None:
    for _, _, rows, look in _series(times):
        # Single runs whose stages merge would decide a mean.
        _ranged(axes, rows, rows["next_value_overlap"], look, "median")
    axes.set(xscale="log", yscale="log", xlabel=r"product scale $\varepsilon$")
    axes.set(ylabel="next value learned at 90 %")
