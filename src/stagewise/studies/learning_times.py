"""When does gradient descent learn a mode?"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.comparisons import slope_over_scale
from stagewise.studies.common.conditions import within
from stagewise.studies.common.measures import bootstrap_confidence, over, value_range
from stagewise.studies.common.study import (
    Measurement,
    Study,
    learning_times,
)
from stagewise.theory import discrete_correction

STUDY = Study(
    __name__,
    order=30,
    question="When is a mode learned?",
    title="When descent learns a mode: δ/ln(1 + ησ), not δ/(ησ)",
    caption="""{% set each = experiments.learning_times -%}
{% set limit = experiments.learning_times_limit -%}
Measured learning time in units of the flow's law δ/(ησ), against the growth per step x = ησ, for problems of three random commuting modes; {{ each.replicates }} seeds a grid point, δ = {{ (each.delta + limit.delta) | join(", ") }}, ησ₁ = {{ each.step_size | join(", ") }} (grid ours). (a) Aligned starts fall on the discrete law (solid) as δ grows, the largest δ within the line; the flow's law (dashed) is its limit for small steps. What is left at finite δ is an offset of a few iterations that depends on λ/σ. (b) Gaussian starts, measured over the discrete law: it is approached from above like 1/δ, because only half of a hidden direction's start lies along the growing one and later modes have fewer hidden directions to choose from.""",
    alt="Measured learning times in units of the law of the flow against the growth per step: "
    "they lie on x/ln(1+x), not on 1, and Gaussian starts approach it as the start vanishes.",
)
TIMES = learning_times("learning_times", "learning_times_limit")
STARTS = learning_times("learning_times", "learning_times_limit_gaussian")
LIMIT = learning_times("learning_times_limit")
GENERIC = learning_times("learning_times_limit_gaussian")


@STUDY.figure(TIMES)
def draw(times: pd.DataFrame) -> Figure:
    """Every mode of every run as a marker, the two laws as lines."""
    times = times[times["learning_iteration"].notna()].copy()
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
    if not steps:
        return
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
                "markeredgecolor": style.scale_colour(delta),
                "label": rf"$\delta={delta:g}$",
            },
        )
        for index, delta in enumerate(scales)
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


@STUDY.claim(
    "gidel_flow_scaling",
    source="gidel2019",
    statement="Descent learns a mode at δ/(ησ) iterations (scaling quoted from memory).",
    reads=LIMIT,
    holds=within(1, 0.02),
)
def flow_scaling(times: pd.DataFrame) -> Measurement | None:
    slopes = slope_over_scale(times)
    slopes = slopes[slopes["mode"] == 1]
    if slopes.empty:
        return None
    ratio = slopes["slope"] * slopes["step_size"] * slopes["sigma"]
    by_step = ratio.groupby(slopes["relative_step_size"])
    means = by_step.mean()
    return Measurement(
        value=float(means.iloc[-1]),
        interval=value_range(by_step.get_group(means.index[-1]), "problems at the largest step"),
        in_scope=float(means.iloc[0]),
        scope="in the limit of small steps",
        note="Iterations per unit of δ, in units of 1/(ησ), between the two largest δ: "
        + ", ".join(f"{value:.4f} at ησ = {step:g}" for step, value in means.items())
        + ". The law is the limit of small steps of δ/ln(1 + ησ).",
    )


@flow_scaling.rival("The product, not each layer, starts at e^-δ: half the time.")
def product_scale(times: pd.DataFrame) -> pd.DataFrame:
    """Half of every learning time."""
    return times.assign(learning_iteration=times["learning_iteration"] / 2)


@STUDY.claim(
    "ours_discrete_law",
    source="ours",
    statement="At fixed step and δ → ∞, descent from Gaussian starts learns mode i at δ/ln(1 + ησᵢ) "
    "iterations (slope in δ, mean over modes and random problems, worst step).",
    reads=(GENERIC, LIMIT),
    holds=within(1, 0.01),
)
def discrete_law(times: pd.DataFrame, aligned: pd.DataFrame) -> Measurement | None:
    slopes, single = (_over_law(slope_over_scale(each)) for each in (times, aligned))
    if slopes.empty:
        return None
    by_step = slopes["over_law"].groupby(slopes["relative_step_size"])
    worst = by_step.get_group((by_step.mean() - 1).abs().idxmax())
    listed = ", ".join(f"{value:.4f} at ησ₁ = {step:g}" for step, value in by_step.mean().items())
    farthest = single["over_law"][(single["over_law"] - 1).abs().idxmax()]
    modes = ", ".join(f"{value:.4f}" for value in slopes.groupby("mode")["over_law"].mean())
    return Measurement(
        value=float(worst.mean()),
        interval=bootstrap_confidence(worst),
        note=f"Iterations per unit of δ, in units of 1/ln(1 + ησ), between the two largest δ (what does "
        f"not grow with δ cancels): {listed}, means of {len(worst)} modes; by mode {modes}; in units of the "
        f"flow's 1/(ησ) up to {slopes['over_flow'].max():.3f}. From the aligned start, where descent is the "
        f"recursion of each mode by itself, the worst of {len(single)} modes has {farthest:.5f}.",
    )


def _over_law(slopes: pd.DataFrame) -> pd.DataFrame:
    """Slopes in units of the law of descent and of the flow."""
    growth = slopes["step_size"] * slopes["sigma"]
    slopes = slopes.dropna(subset="slope")
    return slopes.assign(
        over_law=slopes["slope"] * np.log1p(growth), over_flow=slopes["slope"] * growth
    )


@discrete_law.rival("The law of the flow, δ/(ησ).")
def flow_law(times: pd.DataFrame, aligned: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Learning times as the flow's law has them."""
    return flow_of_gaussian_starts(times), aligned


@STUDY.claim(
    "review_alignment",
    source="reviews",
    statement="The aligned start is not necessary: from Gaussian starts too the strongest mode takes "
    "1/ln(1 + ησ) iterations per unit of δ at ησ = ½ (mean over seeds, between the two largest δ).",
    reads=STARTS,
    holds=within(1, 0.015),
)
def generic_start(times: pd.DataFrame) -> Measurement | None:
    gaussian = times[times["initialisation"] == "gaussian"]
    slopes = slope_over_scale(gaussian).dropna(subset="slope")
    if slopes.empty:
        return None
    slopes = slopes[slopes["mode"] == 1]
    ratio = slopes["slope"] * np.log1p(slopes["step_size"] * slopes["sigma"])
    by_step = ratio.groupby(slopes["relative_step_size"])
    largest = by_step.get_group(slopes["relative_step_size"].max())
    listed = ", ".join(f"{value:.4f} at ησ₁ = {step:g}" for step, value in by_step.mean().items())
    over_law = over(gaussian, "discrete").groupby(gaussian["delta"]).median()
    return Measurement(
        value=float(largest.mean()),
        interval=bootstrap_confidence(largest),
        note=f"Iterations per unit of δ in units of 1/ln(1 + ησ), from Gaussian starts, strongest "
        f"mode, mean over {len(largest)} seeds: {listed}. Differencing cancels what the start adds: the "
        "learning times themselves are, median over modes and seeds, "
        + ", ".join(f"{value:.3f} at δ = {delta:g}" for delta, value in over_law.items())
        + " of the law.",
    )


def _taking(times: pd.DataFrame, iterations: pd.Series) -> pd.DataFrame:
    return times.assign(learning_iteration=iterations)


@generic_start.rival("The law of the flow, δ/(ησ).")
def flow_of_gaussian_starts(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times as the flow's law has them."""
    return _taking(times, times["predicted_flow"])


@generic_start.rival("The law δ(1 + x)/x, x = ησ.")
def with_a_step_more(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times of that law, which is the flow's and one step a unit of δ more."""
    return _taking(times, times["predicted_flow"] + times["delta"])


@generic_start.rival("The law δ/(√(1 + 2x) − 1), x = ησ.")
def square_root_law(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times of that law, close to δ/ln(1 + x) for small steps."""
    growth = np.sqrt(1 + 2 * times["step_size"] * times["sigma"]) - 1
    return _taking(times, times["delta"] / growth)
