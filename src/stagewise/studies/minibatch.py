"""What do mini-batches do to the stages? Their noise multiplies, so it shifts a rate."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.batch_slopes import (
    first_modes,
    later_modes,
    scatters,
)
from stagewise.studies.common.conditions import within
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import Measurement, Study, training
from stagewise.studies.common.training_slopes import SETTING, worst

STUDY = Study(
    __name__,
    order=180,
    question="What do mini-batches do to the stages?",
    title="Mini-batches delay each stage by a rate that the samples' moments give, until noise "
    "mixes modes",
    caption="""\
{% set each = experiments.minibatch -%}
Samples with prescribed moments (σ = {{ each["sigma"] | join(", ") }}), {{ each["replicates"] }} sequences of batches from one start, δ = {{ each["delta"] | join(" → ") }}, batches of 1 to 32, steps of 0.05 to 0.3 (parameters ours); κ says how much of a mode's direction noise mixes into others. (a) Iterations per unit of δ of the first mode times a rate per iteration: the Lyapunov exponent of the product of random steps (filled), its second-order form (crosses), ln(1 + ησ) of full batches (hollow). (b) Scatter of learning times over the law √(TV/B)/σ, and without replacement over that with it. (c) Without replacement, against the delay: the law of draws that repel one another (filled), that of independent draws (hollow). (d) Later modes: with levels that repel (filled), that ignore one another (hollow), full batches (crosses). Bars: one standard error.""",
    alt="Slopes times predicted rates, and scatter of learning times over its law, against the "
    "strength of the noise and the delay.",
)
RUNS = training("minibatch")
LARGEST_DELAY = 1.12
"""Without replacement the law is claimed up to this slowdown over full batches."""


@STUDY.figure(RUNS)
def draw(runs: pd.DataFrame) -> Figure:
    """Slopes and scatter against κ, slopes against delay, later modes."""
    figure = Figure(figsize=(style.TWO_COLUMNS, 4.6), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    with_, without = first_modes(runs, True), first_modes(runs, False)
    _slopes(panels[0], with_)
    style.panel_title(panels[0], "a", "with replacement")
    _scatter(panels[1], scatters(runs))
    style.panel_title(panels[1], "b", "scatter of learning times")
    _shuffled(panels[2], without)
    style.panel_title(panels[2], "c", "without replacement")
    _later(panels[3], later_modes(runs))
    style.panel_title(panels[3], "d", "later modes")
    return figure


def _points(
    axes: Axes, x: pd.Series, found: pd.DataFrame, law: str, label: str, **look: object
) -> None:
    axes.errorbar(
        x,
        found[law],
        yerr=found[law] * found["error"],
        linestyle="none",
        elinewidth=0.6,
        label=label,
        **look,  # type: ignore[arg-type]
    )


def _slopes(axes: Axes, found: pd.DataFrame) -> None:
    colours, kappa = style.distinct_colours(), found["mixing"]
    _points(
        axes, kappa, found, "over_plain", "full batches", marker="s", color=colours[1], mfc="white"
    )
    axes.plot(kappa, found["over_law"], "x", color=colours[2], label="second order")
    _points(axes, kappa, found, "over_exponent", "Lyapunov exponent", marker="o", color=colours[0])
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.set(xscale="log", xlabel=r"$\kappa$", ylabel="slope × rate", ylim=(0, 1.3))
    axes.legend(loc="lower left")


def _scatter(axes: Axes, found: pd.DataFrame) -> None:
    colours = style.distinct_colours()
    axes.plot(found["mixing"], found["over_law"], "o", color=colours[0], label="over the law")
    axes.plot(
        found["mixing"],
        found["over_replaced"],
        "s",
        color=colours[1],
        mfc="white",
        label="without over with replacement",
    )
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.set(xscale="log", xlabel=r"$\kappa$", ylabel="ratio of sd", ylim=(0, 1.6))
    axes.legend(loc="upper right")


def _shuffled(axes: Axes, found: pd.DataFrame) -> None:
    found = found[found["mixing"] <= 1]
    colours = style.distinct_colours()
    delay = 100 * (found["over_plain"] - 1)
    _points(
        axes,
        delay,
        found,
        "over_rival",
        "independent draws",
        marker="s",
        color=colours[1],
        mfc="white",
    )
    _points(axes, delay, found, "over_law", "draws repel", marker="o", color=colours[0])
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.axvline(100 * (LARGEST_DELAY - 1), color=style.MUTED, linewidth=0.7, linestyle=":")
    axes.set(xlabel="delay over full batches, %", ylabel="slope × rate")
    axes.legend(loc="upper left")


def _later(axes: Axes, found: pd.DataFrame) -> None:
    found = found.sort_values(["setting", "mode"])
    x = pd.Series(np.arange(len(found)), index=found.index)
    colours = style.distinct_colours()
    axes.plot(x, found["over_plain"], "x", color=colours[2], label="full batches")
    _points(axes, x, found, "over_rival", "levels apart", marker="s", color=colours[1], mfc="white")
    _points(axes, x, found, "over_law", "levels repel", marker="o", color=colours[0])
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    names = [
        f"{mode}, τ = {noise:g}" for mode, noise in zip(found["mode"], found["noise"], strict=True)
    ]
    axes.set_xticks(x, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set(ylabel="slope × rate", xlabel="mode and noise of labels")
    axes.legend(loc="upper left", ncols=3)
    axes.set_ylim(0.96, 1.16)


@STUDY.claim(
    "practice_batch_slope",
    source="practice",
    statement="Mini-batch noise multiplies the weights near a saddle: escape stays proportional to δ, "
    "at one over the Lyapunov exponent of the random steps (slope times exponent, worst setting).",
    reads=RUNS,
    holds=within(1, 0.03),
)
def batch_slope(runs: pd.DataFrame) -> Measurement:
    """Slope of the first mode times the exponent, farthest from 1."""
    found = first_modes(runs, True)
    off = (found["over_plain"] - 1).abs() > 0.03
    return Measurement(
        value=worst(found["over_exponent"]),
        interval=value_range(found["over_exponent"], "settings of batch, step and noise"),
        note=f"{len(found)} settings with κ from {found['mixing'].min():.2g} to "
        f"{found['mixing'].max():.2g}, standard errors up to {found['error'].max():.3f}. The rate of "
        f"full batches misses by more than .03 in {off.sum()} of them (worst "
        f"{worst(found['over_plain']):.3f}), the exponent to second order in "
        f"{((found['over_law'] - 1).abs() > 0.03).sum()} (worst {worst(found['over_law']):.3f}).",
    )


@batch_slope.rival("Noise averages out: the rate is that of full batches.")
def full_batches(runs: pd.DataFrame) -> pd.DataFrame:
    """The plain growth for the exponent."""
    return runs.assign(exponent=runs["plain_growth"])


@STUDY.claim(
    "practice_batch_scatter",
    source="practice",
    statement="Learning times scatter over batches by √(TV/B)/σ, the sampling error of σ from the "
    "samples seen (standard deviation over the law, worst setting with κ ≤ 1).",
    reads=RUNS,
    holds=within(1, 0.15),
)
def batch_scatter(runs: pd.DataFrame) -> Measurement:
    """Standard deviation over the law, farthest from 1."""
    every = scatters(runs)
    found = every[every["mixing"] <= 1]
    beyond = every[every["mixing"] > 1]["over_law"]
    listed = ", ".join(f"{value:.2f}" for value in beyond)
    seeds = runs["seed"].nunique()
    return Measurement(
        value=worst(found["over_law"]),
        interval=value_range(found["over_law"], "settings with κ ≤ 1"),
        in_scope=float(found["over_law"].median()),
        scope="for the median of the settings",
        note=f"{len(found)} settings; {seeds} sequences leave a sampling error of "
        f"{1 / np.sqrt(2 * seeds):.2f}. {((found['over_law'] - 1).abs() > 0.15).sum()} of them miss by "
        f"more than .15; the median is {found['over_law'].median():.3f}."
        + (f" Where κ > 1: {listed}." if listed else "")
        + f" Without replacement times scatter {found['over_replaced'].min():.2f} to "
        f"{found['over_replaced'].max():.2f} times as much.",
    )


@batch_scatter.rival("Only the batch that escapes matters: scatter of one step, not of √T of them.")
def one_step(runs: pd.DataFrame) -> pd.DataFrame:
    """The scatter that a single batch gives."""
    root = np.sqrt(runs.groupby(SETTING, observed=True)["learning_iteration"].transform("mean"))
    return runs.assign(predicted_scatter=runs["predicted_scatter"] / root)


@STUDY.claim(
    "practice_reshuffling",
    source="practice",
    statement="Without replacement the draws of an epoch repel, which delays more than independent "
    "draws do (slope times the second-order rate, worst setting with a delay of at most 12 %).",
    reads=RUNS,
    holds=within(1, 0.03),
)
def reshuffling(runs: pd.DataFrame) -> Measurement | None:
    """Slope without replacement times its rate, farthest from 1."""
    every = first_modes(runs, False)
    every = every[every["mixing"] <= 1]
    found = every[every["over_plain"] <= LARGEST_DELAY]
    if found.empty:
        return None
    later = every[every["over_plain"] > LARGEST_DELAY]["over_law"]
    listed = ", ".join(f"{value:.3f}" for value in later)
    return Measurement(
        value=worst(found["over_law"]),
        interval=value_range(found["over_law"], "those settings"),
        note=f"{len(found)} settings; the law of independent draws gives "
        f"{found['over_rival'].min():.3f} to {found['over_rival'].max():.3f}."
        + (f" Where delays are longer: {listed}." if listed else ""),
    )


@reshuffling.rival("Reshuffling makes no difference to the mean.")
def independent(runs: pd.DataFrame) -> pd.DataFrame:
    """The law of draws with replacement."""
    return runs.assign(growth=runs["growth"].where(runs["replacement"], runs["rival_growth"]))


@STUDY.claim(
    "practice_level_repulsion",
    source="practice",
    statement="Noise pushes the rate of a later mode down through the modes before it (slope times "
    "the second-order rate, worst of modes 2 and 3).",
    reads=RUNS,
    holds=within(1, 0.04),
)
def level_repulsion(runs: pd.DataFrame) -> Measurement | None:
    """Slope of later modes times their rate, farthest from 1."""
    found = later_modes(runs)
    if found.empty:
        return None
    listed = ", ".join(f"{value:.3f}" for value in found["over_law"])
    return Measurement(
        value=worst(found["over_law"]),
        interval=value_range(found["over_law"], "modes and settings"),
        note=f"Modes {', '.join(map(str, sorted(found['mode'].unique())))} of "
        f"{found['setting'].nunique()} settings: {listed}. Without repulsion "
        f"{found['over_rival'].min():.3f} to {found['over_rival'].max():.3f}, full batches "
        f"{found['over_plain'].min():.3f} to {found['over_plain'].max():.3f}.",
    )


@level_repulsion.rival("Each mode feels its own noise alone.")
def levels_apart(runs: pd.DataFrame) -> pd.DataFrame:
    """The law's diagonal term."""
    return runs.assign(growth=runs["growth"].where(~runs["replacement"], runs["rival_growth"]))
