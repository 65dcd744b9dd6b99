"""Figure autoencoder: trace norm and reconstruction error over training, and learning times."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style


def plot(aggregates: Aggregates) -> Figure:
    """Descent as markers with a band, closed form and law as lines, learning times as ticks."""
    curves = aggregates.curves_of("autoencoder")
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.8), layout="constrained")
    norm, error, scatter = figure.subplots(1, 3, width_ratios=[1, 1, 0.85])
    _curves(norm, curves[curves["quantity"] == "trace_norm"])
    _mark_times(norm, aggregates.times_of("autoencoder"))
    norm.set_ylabel("trace norm of W")
    style.panel_title(norm, "a", "one data set")
    _curves(error, curves[curves["quantity"] == "loss"])
    error.set(yscale="log", ylabel="reconstruction error")
    style.panel_title(error, "b", "one data set")
    _scatter(scatter, aggregates.times_of("autoencoder_data"))
    style.panel_title(scatter, "c", "many data sets")
    handles, labels = norm.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4)
    return figure


def _curves(axes: Axes, curves: pd.DataFrame) -> None:
    colours = style.distinct_colours()
    for index, depth in enumerate(sorted(curves["depth"].unique())):
        curve = curves[(curves["depth"] == depth) & (curves["iteration"] > 0)]
        name = "one layer" if depth == 1 else "two layers"
        axes.plot(
            curve["iteration"],
            curve["predicted"],
            color=colours[index],
            linestyle=style.LINES[index],
            label=f"{name}, closed form",
        )
        style.measured_curve(axes, curve, 22, index, color=colours[index], label=f"{name}, descent")
    axes.set(xscale="log", xlabel="iteration")


def _mark_times(axes: Axes, times: pd.DataFrame) -> None:
    learned = times[(times["depth"] == 2) & times["learning_iteration"].notna()]
    predicted = learned.groupby("mode")["predicted_discrete"].first()
    for time in predicted:
        axes.axvline(time, ymin=0.95, ymax=1.0, color=style.INK, linewidth=0.8)
    axes.annotate(
        r"$T_i$",
        (predicted.iloc[0], 0.975),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        va="center",
    )


def _scatter(axes: Axes, times: pd.DataFrame) -> None:
    times = times[times["learning_iteration"].notna()]
    colour = style.distinct_colours()[1]
    axes.plot(
        times["predicted_discrete"],
        times["learning_iteration"],
        linestyle="none",
        marker=style.MARKERS[1],
        markersize=2.4,
        markerfacecolor="none",
        markeredgecolor=colour,
        markeredgewidth=0.6,
    )
    ends = np.array([times["predicted_discrete"].min(), times["predicted_discrete"].max()])
    axes.plot(ends, ends, color=style.INK, linewidth=0.8)
    axes.text(0.04, 0.98, "line: measured\n= predicted", transform=axes.transAxes, va="top")
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel=r"$\delta/\ln(1+\eta\sigma)$ (iterations)", ylabel="learned at (iterations)")
