"""How large may the step of a deep factorisation be?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import within
from stagewise.studies.common.measures import failure_bracket
from stagewise.studies.common.study import Interval, Measurement, Study, learning_times, plateaus
from stagewise.theory import largest_curvature

STUDY = Study(
    __name__,
    order=132,
    question="How large may the step of a deep factorisation be?",
    title="The largest stable step is 2/(Lσ₁^(2−2/L))",
    caption="""\
{% set step = experiments.stable_step_deep -%}
Share of {{ step.replicates }} Gaussian starts a step and depth that converge (n = {{ datasets[step.datasets[0]].dim_in }}, rank {{ datasets[step.datasets[0]].rank | join(", ") }}, ε = {{ step.product_scale | join(", ") }}), over the step in the unit in which 2 is predicted to be the largest stable one (what comes beyond it: Ghosh, Kwon et al. 2025); depths are shifted a little.""",
    alt="Share of runs that converge against the step: all below the predicted limit, none above.",
)
STEPS = learning_times("stable_step_deep", of=("mode_strengths",))
PLATEAUS = plateaus("saddles")


@STUDY.figure(STEPS)
def draw(steps: pd.DataFrame) -> Figure:
    """A marker per depth and step."""
    figure = Figure(figsize=(style.ONE_COLUMN, 2.4), layout="constrained")
    axes = figure.subplots()
    _stable_step(axes, steps)
    style.panel_title(axes, "a", "convergence over the step")
    return figure


def _stable_step(axes: Axes, times: pd.DataFrame) -> None:
    times = times[times["mode"] == 1]
    for at, depth in enumerate(sorted(times["depth"].unique())):
        marker, colour = style.MARKERS[at], style.distinct_colours()[at]
        own = times[times["depth"] == depth]
        good = 100 * (own["outcome"] != "no convergence")
        share = good.groupby(own["relative_step_size"]).mean()
        axes.plot(
            share.index,
            share + 4 * (at - 1),  # apart, so that equal shares stay visible
            linestyle="none",
            marker=marker,
            color=colour,
            markerfacecolor="white",
            label=f"L = {depth}",
        )
    axes.axvline(2, color=style.INK, linewidth=0.9)
    axes.set(xlabel=r"step $\times\;L\sigma_1^{2-2/L}$")
    axes.set(ylabel="runs that converge (%)", ylim=(-12, 112), xlim=(1.7, None))
    axes.legend(loc="center left")


@STUDY.claim(
    "depth_stable_step",
    source="ours",
    statement="The largest stable step is 2/(Lσ₁^(2−2/L)).",
    reads=(STEPS, PLATEAUS),
    holds=within(2, 0.02),
)
def stable_step(times: pd.DataFrame, rests: pd.DataFrame) -> Measurement | None:
    fine = times["outcome"] != "no convergence"
    steps = times["relative_step_size"]
    brackets = [failure_bracket(own, steps[own.index]) for _, own in fine.groupby(times["depth"])]
    middle = np.array(brackets).mean(axis=1)
    worst = middle[int(np.argmax(np.abs(middle - 2)))]
    ends = rests[rests["at_end"]]
    ratio = ends["largest_curvature"] / [
        float(largest_curvature(2.0 ** (rank - 1), depth))
        for rank, depth in zip(ends["rank"], ends["depth"], strict=True)
    ]
    return Measurement(
        value=float(worst),
        interval=Interval(
            min(low for low, _ in brackets),
            max(high for _, high in brackets),
            "range",
            "the ends of all brackets",
        ),
        note="Middle between the last step at which all runs converge and the first at which any does "
        "not, in units of 1/(Lσ₁^(2−2/L)), the worst of L = 2, 3, 4; brackets "
        + ", ".join(f"{low:g}–{high:g}" for low, high in brackets)
        + (
            f". λ_max at the end of {len(ratio)} other runs is {ratio.min():.5f} to "
            f"{ratio.max():.5f} of Lσ₁^(2−2/L)."
            if len(ratio)
            else "."
        ),
    )


@stable_step.rival("The bound of two layers at every depth, 1/σ₁.")
def bound_of_two_layers(
    times: pd.DataFrame, rests: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Steps in the unit of that bound: Lσ₁^(2−2/L) over 2σ₁ as large."""
    depth, sigma = times["depth"], times["sigma"].max()
    unit = depth * sigma ** (2 - 2 / depth) / (2 * sigma)
    return times.assign(relative_step_size=times["relative_step_size"] / unit), rests
