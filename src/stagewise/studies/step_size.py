"""What does a large step do?"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.arrays import FloatArray
from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most, within
from stagewise.studies.common.measures import failure_bracket, value_range
from stagewise.studies.common.stability import (
    stability_brackets,
    swapped_pairs,
    with_stability,
)
from stagewise.studies.common.study import Interval, Measurement, Study, learning_times
from stagewise.theory import CONVERGENCE_THRESHOLD, OVERSHOOT_THRESHOLD, stable_step

STUDY = Study(
    __name__,
    order=40,
    question="How large may the step be?",
    title="What a large step does",
    caption="""{% set single = experiments.step_size -%}
{% set pair = experiments.stable_step -%}
{% set order = experiments.mode_order -%}
Outcomes of full-matrix gradient descent over the step size. (a) One aligned mode, {{ single.replicates }} values of λ/σ: below ησ = ½ it approaches its target from below, up to 1 it overshoots and converges, beyond it does not converge; λ makes no difference. (b) Two modes with random λ from a Gaussian start, {{ pair.replicates }} problems a step: here λ does matter. The vertical axis is the step over the stable step 2/max λᵢ(wᵢ + wⱼ) of the balanced solution (w = σ/λ); below 1 runs end at a balanced solution (the layers' Gram matrices agree), above it they settle on an unbalanced one or diverge, some although ησ₁ ≤ ½. (c) Share of {{ order.replicates }} random pairs whose weaker mode is learned first at ησ₁ = {{ order.step_size | join(", ") }}, with 95 % intervals, for δ = {{ order.delta | join(", ") }} and exactly diagonal starts: where λ differs, order can be lost at finite δ, and returns as δ grows.""",
    alt="Outcomes over the step size: one aligned mode approaches from below up to one half and "
    "converges up to one; two modes end balanced below the derived bound; share of pairs out of "
    "order by initial scale.",
)
SINGLE = learning_times("step_size", of=("mode_strengths",))
PAIR = learning_times("stable_step", of=("mode_strengths", "imbalance"))
NEAR = learning_times("stable_step_bracket", of=("mode_strengths", "imbalance"))
ORDER = learning_times("mode_order", of=("mode_strengths",))


_STYLES = {
    "monotone": ("o", 0, "from below"),
    "overshoot": ("^", 1, "overshoots"),
    "no convergence": ("x", 3, "does not converge"),
    "balanced": ("s", 2, "ends balanced"),
    "unbalanced": ("D", 4, "ends unbalanced"),
}
_PAIRS = {
    "pairs": (r"random $\lambda$", "o"),
    "pairs_equal_lam": (r"equal $\lambda$", "s"),
}


@STUDY.figure(SINGLE, PAIR, ORDER)
def draw(single_mode: pd.DataFrame, pairs: pd.DataFrame, ordered: pd.DataFrame) -> Figure:
    """Outcome per run in the first two panels, share of swapped pairs in the third."""
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.75), layout="constrained")
    single, pair, order = figure.subplots(1, 3, width_ratios=[1.25, 1.15, 0.8])
    _thresholds(single, single_mode)
    _stability(pair, with_stability(pairs))
    largest = ordered["relative_step_size"] == ordered["relative_step_size"].max()
    _order(order, swapped_pairs(ordered[largest]))
    handles = dict(zip(*reversed(single.get_legend_handles_labels()), strict=True))
    handles |= dict(zip(*reversed(pair.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=5)
    return figure


def _scatter(axes: Axes, points: pd.DataFrame, kind: str, x: str, y: str) -> None:
    colours = style.distinct_colours()
    for outcome, (marker, colour, label) in _STYLES.items():
        some = points[points[kind] == outcome]
        if some.empty:
            continue
        axes.plot(
            some[x],
            some[y],
            linestyle="none",
            marker=marker,
            markersize=2.6,
            markerfacecolor="none",
            markeredgecolor=colours[colour],
            markeredgewidth=0.6,
            label=label,
        )


def _thresholds(axes: Axes, times: pd.DataFrame) -> None:
    times["ratio"] = times["lam"] / times["sigma"]
    _scatter(axes, times, "outcome", "relative_step_size", "ratio")
    for threshold in (OVERSHOOT_THRESHOLD, CONVERGENCE_THRESHOLD):
        axes.axvline(threshold, color=style.INK, linewidth=0.8, linestyle="--")
    axes.set(xlabel=r"$\eta\sigma$", ylabel=r"$\lambda/\sigma$", yscale="log")
    style.panel_title(axes, "a", "one aligned mode")


def _stability(axes: Axes, runs: pd.DataFrame) -> None:
    _scatter(axes, runs, "ending", "relative_step_size", "over_stability")
    axes.axhline(1, color=style.INK, linewidth=0.8, linestyle="--")
    axes.set(xlabel=r"$\eta\sigma_1$", ylabel=r"$\eta\,/\,$stable step", yscale="log")
    style.panel_title(axes, "b", "two modes, Gaussian start")


def _order(axes: Axes, pairs: pd.DataFrame) -> None:
    colours = style.distinct_colours()
    scales = sorted(pairs["delta"].unique())
    for index, (dataset, (label, marker)) in enumerate(_PAIRS.items()):
        some = pairs[pairs["dataset"] == dataset].sort_values("delta")
        if some.empty:
            continue
        share = 100 * some[["share", "low", "high"]].to_numpy()
        position = np.arange(len(some)) + 0.14 * (index - 0.5)
        axes.errorbar(
            position,
            share[:, 0],
            yerr=np.abs(share[:, 1:].T - share[:, 0]),
            linestyle="none",
            marker=marker,
            markerfacecolor="white",
            color=colours[index],
            elinewidth=0.8,
            label=label,
        )
    axes.set_xticks(range(len(scales)), [f"{scale:g}" for scale in scales])
    axes.set(xlabel=r"initial scale $\delta$", ylabel="pairs out of order (%)")
    axes.set_xlim(-0.5, len(scales) - 0.5)
    axes.legend(loc="upper right")
    style.panel_title(axes, "c", r"order at $\eta\sigma_1=\frac{1}{2}$")


@STUDY.claim(
    "gidel_overshoot",
    source="gidel2019",
    statement="An aligned mode approaches its target from below for small steps, up to ησ = ½.",
    reads=SINGLE,
    holds=within(OVERSHOOT_THRESHOLD, 0.01),
)
def overshoot(times: pd.DataFrame) -> Measurement | None:
    return _threshold(times, lambda outcome: outcome == "monotone", "approach from below")


@overshoot.rival("A mode overshoots only where it does not converge, from ησ = 1 on.")
def overshoot_late(times: pd.DataFrame) -> pd.DataFrame:
    """Overshooting runs taken for monotone ones."""
    return times.assign(outcome=times["outcome"].replace("overshoot", "monotone"))


@STUDY.claim(
    "gidel_convergence",
    source="gidel2019",
    statement="An aligned mode converges up to ησ = 1.",
    reads=SINGLE,
    holds=within(CONVERGENCE_THRESHOLD, 0.02),
)
def convergence(times: pd.DataFrame) -> Measurement | None:
    return _threshold(times, lambda outcome: outcome != "no convergence", "converge")


@convergence.rival("A mode converges only where it does not overshoot, up to ησ = ½.")
def no_overshoot(times: pd.DataFrame) -> pd.DataFrame:
    """Overshooting runs taken for runs that do not converge."""
    return times.assign(outcome=times["outcome"].replace("overshoot", "no convergence"))


def _threshold(
    times: pd.DataFrame, good: Callable[[pd.Series], pd.Series], meaning: str
) -> Measurement:
    """Middle between the last step at which all runs are good and the first at which any is not."""
    step = times["relative_step_size"]
    fine = good(times["outcome"])
    all_good, any_good = (getattr(fine.groupby(step), name)() for name in ("all", "any"))
    ratio = times["lam"] / times["sigma"]
    mixed = int((any_good & ~all_good).sum())
    bracket = failure_bracket(fine, step)
    return Measurement(
        value=sum(bracket) / 2,
        interval=Interval(*bracket, "range", "these two steps"),
        note=f"All runs {meaning} up to the first value of ησ, not all at the second; {len(times)} "
        f"aligned runs of one mode with λ/σ from {ratio.min():.2g} to {ratio.max():.2g}. At {mixed} "
        "of the steps the outcome depends on λ.",
    )


@STUDY.claim(
    "gidel_order",
    source="gidel2019",
    statement="For small enough steps the stronger mode is learned first (share of pairs out of "
    "order at the smaller step is 0, largest start).",
    reads=ORDER,
    holds=at_most(0),
)
def order(times: pd.DataFrame) -> Measurement | None:
    steps = sorted(times["relative_step_size"].unique())
    random = times[times["dataset"] == "pairs"]
    if random["mode"].nunique() < 2:
        return None
    by_step = {
        step: swapped_pairs(random[random["relative_step_size"] == step]).sort_values("delta")
        for step in steps
    }
    equal = swapped_pairs(times[times["dataset"] == "pairs_equal_lam"])
    listed = "; ".join(
        f"ησ₁ = {step:g}: "
        + ", ".join(
            f"{row.swapped} of {row.runs} at δ = {row.delta:g}" for row in pairs.itertuples()
        )
        for step, pairs in by_step.items()
    )
    smallest, largest = by_step[steps[0]].iloc[0], by_step[steps[0]].iloc[-1]
    return Measurement(
        value=float(smallest["share"]),
        interval=Interval(
            float(smallest["low"]), float(smallest["high"]), "95 % confidence", "Wilson's"
        ),
        in_scope=float(largest["share"]),
        scope="at the smallest start",
        note=f"Pairs learned in the wrong order with random λ: {listed}; with equal λ "
        f"{equal['swapped'].sum()} of {equal['runs'].sum()}. A smaller step does not restore the "
        "order, a smaller start does. The pairs are not selected by the gap between their singular "
        "values.",
    )


@order.rival("The weaker mode is learned first.")
def reversed_order(times: pd.DataFrame) -> pd.DataFrame:
    """The two modes exchanged."""
    return times.assign(mode=3 - times["mode"])


@STUDY.claim(
    "ours_stable_step",
    source="ours",
    statement="From a generic start two layers end at the balanced solution for steps below "
    "2/max λᵢ(wᵢ + wⱼ), w = σ/λ, and not for steps above: with several modes λ matters, and ησ₁ ≤ ½ is "
    "not enough (middle between the last step at which a run does and the first at which it does not, "
    "over the bound, worst of random pairs).",
    reads=(NEAR, PAIR),
    holds=within(1, 0.025),
)
def stable_step_bound(near: pd.DataFrame, pairs: pd.DataFrame) -> Measurement | None:
    brackets = stability_brackets(with_stability(near))
    if brackets.empty:
        return None
    middle = brackets.mean(axis=1)
    far = with_stability(pairs)
    below, balanced = far["over_stability"] < 1, far["ending"] == "balanced"
    failed, small = far["ending"] == "no convergence", far["relative_step_size"] <= 0.5
    return Measurement(
        value=float(middle[(middle - 1).abs().idxmax()]),
        interval=value_range(brackets.to_numpy(), "the ends of the brackets of all pairs"),
        note=f"Steps over the bound, of {len(brackets)} pairs of modes. From far "
        f"below to far above the bound {(below == balanced).mean():.1%} of {len(far)} runs end as it "
        f"says: below it {(below & balanced).sum()} of {below.sum()} end balanced; above it "
        f"{(~below & balanced).sum()} do, {(~below & failed).sum()} do not converge and "
        f"{(~below & ~balanced & ~failed).sum()} settle on an unbalanced solution. Of {small.sum()} "
        f"runs with ησ₁ ≤ ½ {(failed & small).sum()} do not converge.",
    )


def _in_units_of(bound: Callable[[pd.DataFrame], float], times: pd.DataFrame) -> pd.DataFrame:
    """Steps that are to our bound what they were to another one, so that they are judged by it."""
    parts = [
        run.assign(step_size=run["step_size"] * stable_step(*_spectrum(run)) / bound(run))
        for _, run in times.groupby("run", sort=False)
    ]
    return pd.concat(parts)


def _spectrum(run: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    return run["sigma"].to_numpy(), run["lam"].to_numpy()


@stable_step_bound.rival("λ does not matter: the bound of a single mode, ησ₁ ≤ 1.")
def single_mode_bound(near: pd.DataFrame, pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Steps in units of that bound."""
    return _in_units_of(lambda run: 1 / run["sigma"].max(), near), pairs


@stable_step_bound.rival("The bound 2/(σ₁ + λ_max w_max).")
def separate_maxima(near: pd.DataFrame, pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Steps in units of that bound."""

    def bound(run: pd.DataFrame) -> float:
        sigma, lam = _spectrum(run)
        return float(2 / (sigma.max() + lam.max() * (sigma / lam).max()))

    return _in_units_of(bound, near), pairs
