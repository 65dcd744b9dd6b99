"""Does the linear autoencoder climb a staircase?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.measures import bootstrap_confidence
from stagewise.studies.common.study import (
    Measurement,
    Study,
    learning_times,
    trajectory_summary,
)

STUDY = Study(
    __name__,
    order=20,
    question="Does the two-layer autoencoder learn the components of its data one at a time?",
    title="The linear autoencoder climbs a staircase",
    caption="""{% set each = experiments.autoencoder -%}
{% set many = experiments.autoencoder_data -%}
{% set data = datasets[each.datasets[0]] -%}
Linear autoencoder on synthetic data of rank {{ data.rank }} in {{ data.dim }} dimensions, {{ data.samples }} samples (protocol reconstructed), δ = {{ each.delta | join(", ") }}, ησ₁ = {{ each.step_size | join(", ") }}. (a, b) Trace norm and reconstruction error on one data set; markers and bands: mean and 5–95 % of {{ each.replicates }} Gaussian starts; lines: closed form of the flow from the aligned start of the same scale; ticks at the top: predicted learning times Tᵢ = δ/ln(1 + ησᵢ). One layer rises smoothly; two layers climb one step a component. Gaussian starts are later than the aligned one: only ½(W₁ᵀu + W₂v) of a hidden direction grows, and component k has k − 1 hidden directions fewer to choose from. (c) Measured against predicted learning times of all components of {{ many.replicates }} data sets, aligned start.""",
    alt="Trace norm and reconstruction error of a linear autoencoder over training with one and "
    "two layers, and measured against predicted learning times of many data sets.",
)
CURVES = trajectory_summary("autoencoder", of=("trace_norm", "loss"))
ONE_DATA_SET = learning_times("autoencoder")
MANY_DATA_SETS = learning_times("autoencoder_data")
COMPONENT = 1e-6
"""Singular values below this share of the largest are noise of the autoencoder's data."""


@STUDY.figure(CURVES, ONE_DATA_SET, MANY_DATA_SETS)
def draw(curves: pd.DataFrame, times: pd.DataFrame, many: pd.DataFrame) -> Figure:
    """Descent as markers with a band, closed form and law as lines, learning times as ticks."""
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.8), layout="constrained")
    norm, error, scatter = figure.subplots(1, 3, width_ratios=[1, 1, 0.85])
    _curves(norm, curves[curves["quantity"] == "trace_norm"])
    _mark_times(norm, times)
    norm.set_ylabel("trace norm of W")
    style.panel_title(norm, "a", "one data set")
    _curves(error, curves[curves["quantity"] == "loss"])
    error.set(yscale="log", ylabel="reconstruction error")
    style.panel_title(error, "b", "one data set")
    _scatter(scatter, many)
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
    if predicted.empty:
        return
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


@STUDY.claim(
    "gidel_staircase",
    source="gidel2019",
    statement="On average over steps and runs, a component of low-rank data has hardly begun when "
    "the two-layer autoencoder has learned 90 % of the one before it.",
    reads=learning_times(
        "autoencoder_data", "autoencoder", of=("response_values", "mode_strengths")
    ),
    holds=at_most(0.1),
)
def staircase(times: pd.DataFrame) -> Measurement | None:
    # Components of the data; the noise lies below.
    strongest = times.groupby(["experiment", "run"])["sigma"].transform("max")
    data = times[times["sigma"] > COMPONENT * strongest]
    two = data[data["depth"] == 2]
    overlap, linear = (_component_overlap(data[data["depth"] == depth]) for depth in (2, 1))
    if overlap.empty:
        return None
    missing = int(two["learning_iteration"].isna().sum())
    two_runs = [two.loc[overlap.index, name] for name in ("experiment", "run")]
    return Measurement(
        value=float(overlap.mean()),
        interval=bootstrap_confidence(overlap),
        note=f"Share that a component has reached when the one before it is at 90 %, mean over "
        f"{len(overlap)} steps of {two.groupby(['experiment', 'run']).ngroups} runs (worst "
        f"{overlap.max():.2f}, where two components are nearly as strong; "
        f"{(overlap > 0.1).groupby(two_runs).any().mean():.0%} of runs have a step above 0.1); one layer: "
        f"{linear.mean():.2f}. {missing} components were never learned.",
    )


@staircase.rival("The overlap of one layer, which learns all components together.")
def as_one_layer(times: pd.DataFrame) -> pd.DataFrame:
    """The runs of one layer in place of those of two, beside themselves."""
    linear = times[times["depth"] == 1]
    return pd.concat([linear, linear.assign(depth=2)])


def _component_overlap(times: pd.DataFrame) -> pd.Series:
    """Overlap of each component with the next; 1 where one of the two is never learned."""
    last = times.groupby(["experiment", "run"])["mode"].transform("max")
    return times[times["mode"] < last]["next_overlap"].fillna(1.0)
