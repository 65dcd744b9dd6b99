"""Do two layers learn one component after another, and does one layer not?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most, within
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import (
    Measurement,
    Study,
    learning_times,
    trajectory_summary,
)

STUDY = Study(
    __name__,
    order=10,
    question="Are components learned one after another?",
    title="Two layers learn in stages, one layer does not",
    caption="""{% set each = experiments.closed_form -%}
Trace norm of the end-to-end map against rescaled time for initial scales δ = {{ each.delta | join(", ") }} (every layer starts at exp(−δ)). Markers: full-matrix gradient descent at ησ₁ = {{ each.step_size | join(", ") }}, mean over {{ each.replicates }} random frames, to which it is indifferent; lines: closed form of the gradient flow; dotted: the integers, where the staircase of the limit δ → ∞ rests. The data are three components with σ = λ = {{ datasets[each.datasets[0]].sigma | join(", ") }} (parameters reconstructed). One layer learns all components together: its limit as δ → ∞ is a single jump at time 0; two layers learn component i at rescaled time 1/σᵢ, ever more sharply.""",
    alt="Trace norm of the learned map against rescaled time for several initial scales: smooth "
    "with one layer, an ever sharper staircase with two.",
)
CURVES = trajectory_summary("closed_form", of=("trace_norm", "mode_strengths"))
SHOWN = trajectory_summary(
    "closed_form", datasets=("staircase",), of=("trace_norm", "mode_strengths")
)
TIMES = learning_times("closed_form", of=("mode_strengths",))


_PANELS = {1: "linear model, one layer", 2: "two layers"}


@STUDY.figure(SHOWN)
def draw(curves: pd.DataFrame) -> Figure:
    """Descent as markers over the closed form as lines, a colour per delta, at the smallest step."""
    curves = curves[curves["relative_step_size"] == curves["relative_step_size"].min()]
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
    for index, delta in enumerate(scales):
        colour = style.scale_colour(delta)
        curve = curves[(curves["delta"] == delta) & (curves["quantity"] == "trace_norm")]
        time = (curve["flow_time"] / delta).to_numpy()
        shown = time <= 5.0
        if not shown.any():
            continue
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


@STUDY.claim(
    "gidel_closed_form",
    source="gidel2019",
    statement="From the aligned start, descent with a small step follows the closed form of the "
    "flow: the largest deviation of a mode at any time, over its target, is small (worst of two "
    "steps, all scales, modes with λ = σ and λ ≠ σ).",
    reads=CURVES,
    holds=at_most(0.02),
)
def follows_closed_form(curves: pd.DataFrame) -> Measurement | None:
    curves = curves[(curves["depth"] == 2) & (curves["quantity"] == "mode_strength")]
    if curves.empty:
        return None
    modes = curves.groupby(["dataset", "relative_step_size", "delta", "mode"])
    share = modes["largest_deviation"].max() / modes["predicted"].max()
    return Measurement(
        value=float(share.max()),
        interval=value_range(share, "data sets, steps, δ and modes"),
        note="Largest deviation of a mode's strength from the flow's closed form at any time, as a "
        f"share of its target, at ησ₁ = {_steps(curves)} and δ up to "
        f"{curves['delta'].max():g}. It grows like ησδ/4, the "
        "delay of descent, so the step must be small against 1/δ.",
    )


@follows_closed_form.rival("The closed form with λ and σ exchanged.")
def exchanged(curves: pd.DataFrame) -> pd.DataFrame:
    """Deviations at the end of training, where that form rests at λ/σ and descent at σ/λ."""
    keys = ["dataset", "relative_step_size", "delta", "quantity", "mode", "depth"]
    target = curves.groupby(keys)["predicted"].transform("max")
    return curves.assign(largest_deviation=(target - 1 / target).abs())


@STUDY.claim(
    "gidel_sequential",
    source="gidel2019",
    statement="As the start vanishes, two layers learn the components one after another.",
    reads=TIMES,
    holds=at_most(0.01),
)
def sequential(times: pd.DataFrame) -> Measurement | None:
    overlap = _overlaps(times, depth=2)
    if overlap.empty:
        return None
    listed = ", ".join(f"{value:.2g} at δ = {delta:g}" for delta, value in overlap.items())
    return Measurement(
        value=float(overlap.iloc[-1]),
        interval=value_range(overlap, "δ"),
        note=f"Share that the next component has reached when one is at 90 %, worst pair: {listed}.",
    )


@sequential.rival("The overlap of one layer, whose components move together.")
def as_one_layer(times: pd.DataFrame) -> pd.DataFrame:
    """The overlaps of one layer in place of those of two."""
    return times[times["depth"] == 1].assign(depth=2)


@STUDY.claim(
    "gidel_linear_simultaneous",
    source="gidel2019",
    statement="The linear model has no such limit: its components overlap as much from a small "
    "start.",
    reads=TIMES,
    holds=within(1, 0.1),
)
def linear_simultaneous(times: pd.DataFrame) -> Measurement | None:
    overlap = _overlaps(times, depth=1)
    if overlap.empty:
        return None
    return Measurement(
        value=float(overlap.iloc[-1] / overlap.iloc[0]),
        interval=value_range(overlap.iloc[-1] / overlap, "δ in the denominator"),
        note=f"The same overlap as for two layers, at δ = {overlap.index[-1]:g} over that at "
        f"δ = {overlap.index[0]:g}: {overlap.iloc[-1]:.3f} against {overlap.iloc[0]:.3f}.",
    )


@linear_simultaneous.rival("The overlap of two layers, which vanishes with the start.")
def as_two_layers(times: pd.DataFrame) -> pd.DataFrame:
    """The overlaps of two layers in place of those of one."""
    return times[times["depth"] == 2].assign(depth=1)


def _overlaps(times: pd.DataFrame, depth: int) -> pd.Series:
    """Worst overlap of neighbouring components, by delta."""
    return times[times["depth"] == depth].groupby("delta")["next_overlap"].max()


def _steps(curves: pd.DataFrame) -> str:
    return ", ".join(f"{step:g}" for step in sorted(curves["relative_step_size"].unique()))
