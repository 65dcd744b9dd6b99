"""Do mini-batches alter the way from saddle to saddle? What arXiv 2604.06366 says in its abstract."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.batch_slopes import deep_delays, first_modes
from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import Measurement, Study, training
from stagewise.theory.minibatch import diffusion_peak as theory_peak

STUDY = Study(
    __name__,
    order=185,
    question="Do mini-batches alter the way from saddle to saddle?",
    title="Mini-batches leave the order of stages alone, but not their times, nor where diffusion "
    "peaks",
    caption="""\
{% set each = experiments.minibatch -%}
Two statements of arXiv 2604.06366 (as its abstract has them), measured. (a) How much longer the first mode takes on mini-batches than on full ones: slopes over δ of two layers (circles), and times of three layers (squares, δ = 5.5), against κ, the share of a mode's direction that noise mixes into others; {{ each["replicates"] }} sequences of batches, bars one standard error. Noise delays two layers until it mixes modes, and then speeds them; three layers hardly feel it. (b) Share of its target that a mode has reached where the variance of a step on one sample is largest, against the label noise τ² over λw*²; lines: theory. Beyond a noise of 5√5 − 11 = 0.18 (two layers) diffusion is largest at the end, not on the way (parameters ours).""",
    alt="Delay by mini-batches against the strength of the noise for two and three layers, and the share "
    "of its target at which a mode diffuses most against label noise.",
)
RUNS = training("minibatch")
LEARNED = 0.9
"""Share of its target at which the claim on diffusion takes a mode to be learned."""


def peaks(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows about diffusion, with the label noise as a share."""
    rows = runs[runs["dataset"] == "diffusion"]
    return rows.assign(share=rows["noise"] ** 2)


@STUDY.figure(RUNS)
def draw(runs: pd.DataFrame) -> Figure:
    """Delay against κ, and where diffusion peaks."""
    figure = Figure(figsize=(style.TWO_COLUMNS * 0.8, 2.5), layout="constrained")
    first, second = figure.subplots(1, 2)
    _delays(first, runs)
    style.panel_title(first, "a", "time over that of full batches")
    _peaks(second, peaks(runs))
    style.panel_title(second, "b", "where a mode diffuses most")
    return figure


def _delays(axes: Axes, runs: pd.DataFrame) -> None:
    found, deep = first_modes(runs, True), deep_delays(runs)
    colours = style.distinct_colours()
    for x, y, error, marker, colour, label in (
        (found["mixing"], found["over_plain"], found["error"], "o", colours[0], "two layers"),
        (deep["mixing"], deep["delay"], deep["error"], "s", colours[1], "three layers"),
    ):
        axes.errorbar(
            x,
            y,
            yerr=error,
            linestyle="none",
            marker=marker,
            color=colour,
            mfc="white",
            label=label,
        )
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.axhspan(0.97, 1.03, color="0.92", lw=0, zorder=0)
    axes.set(xscale="log", xlabel=r"$\kappa$", ylabel="ratio of times")
    axes.legend(loc="lower left")


def _peaks(axes: Axes, rows: pd.DataFrame) -> None:
    for place, (depth, own) in enumerate(rows.groupby("depth")):
        colour = style.distinct_colours()[place]
        line = np.linspace(0, max(float(own["share"].max()), 0.1), 201)
        law = [theory_peak(int(str(depth)), noise) for noise in line]
        axes.plot(line, law, style.LINES[place], color=colour, linewidth=0.9)
        axes.plot(
            own["share"],
            own["peak_share"],
            style.MARKERS[place],
            color=colour,
            mfc="white",
            label=f"L = {depth}",
        )
    axes.axhline(LEARNED, color=style.MUTED, linewidth=0.7, linestyle=":")
    axes.set(
        xlabel=r"label noise $\tau^2/\lambda w_*^2$",
        ylabel=r"$w/w_*$ at the peak",
        ylim=(0.4, 1.05),
    )
    axes.legend(loc="lower right")


@STUDY.claim(
    "sgd_saddle_dynamics",
    source="practice",
    statement="Mini-batches do not alter saddle-to-saddle dynamics (as arXiv 2604.06366 has it in its "
    "abstract): the first mode of two layers is learned when full batches learn it (|slope over that "
    "of full batches − 1|, worst setting).",
    reads=RUNS,
    holds=at_most(0.03),
)
def unaltered(runs: pd.DataFrame) -> Measurement | None:
    """Largest relative change of the slope."""
    found = first_modes(runs, True)
    change = (found["over_plain"] - 1).abs()
    strong = found[found["mixing"] > 1]["over_plain"]
    weak = found[found["mixing"] <= 1]["over_plain"]
    deep = deep_delays(runs)
    if deep.empty:
        return None
    shallow, listed = (
        ", ".join(f"{value:.3f}" for value in deep[name]) for name in ("rival_drift", "delay")
    )
    faster = f" and is {strong.min():.2f} where κ > 1" if len(strong) else ""
    return Measurement(
        value=float(change.max()),
        interval=value_range(change, "settings of batch, step and noise"),
        in_scope=float((deep["delay"] - 1).abs().max()),
        scope="with three layers, where the delay vanishes as δ grows",
        note=f"The slope over that of full batches is {weak.min():.3f} to {weak.max():.3f} where κ ≤ 1{faster}. With three layers "
        f"times change by the factors {listed} (law "
        f"{', '.join(f'{value:.3f}' for value in deep['drift'])}; two layers: {shallow}).",
    )


@unaltered.rival("The noise of batches kicks networks off the saddle, in half the time.")
def half_the_time(runs: pd.DataFrame) -> pd.DataFrame:
    """Half the learning times, whatever the depth."""
    return runs.assign(learning_iteration=runs["learning_iteration"] / 2)


@STUDY.claim(
    "sgd_diffusion_peak",
    source="practice",
    statement="The largest diffusion along a mode precedes its being learned (arXiv 2604.06366, "
    "abstract): the variance of a step on one sample peaks before the mode has reached 90 % of its "
    "target (share at the peak, largest over label noise and two and three layers).",
    reads=RUNS,
    holds=at_most(LEARNED),
)
def diffusion_peak(runs: pd.DataFrame) -> Measurement | None:
    """Largest share of its target at which a mode diffuses most."""
    rows = peaks(runs)
    if rows.empty:
        return None
    clean = rows[rows["share"] == 0]
    listed = "; ".join(
        f"L = {depth}: {', '.join(f'{value:.2f}' for value in own['peak_share'])}"
        for depth, own in rows.groupby("depth")
    )
    off = (rows["peak_share"] - rows["predicted_peak_share"]).abs().max()
    noises = ", ".join(f"{value:.2g}" for value in np.sort(rows["share"].unique()))
    return Measurement(
        value=float(rows["peak_share"].max()),
        interval=value_range(rows["peak_share"], "label noises and depths"),
        in_scope=float(clean["peak_share"].max()),
        scope="without much label noise (τ² below 0.18 λw*² at two layers)",
        note=f"At label noise τ²/(λw*²) = {noises}, {listed}; the law is off by at most {off:.3f}. "
        "Without label noise the peak of two layers is at one half, when this project counts the mode "
        "as learned.",
    )


@diffusion_peak.rival("The variance grows for as long as the mode does.")
def grows_throughout(runs: pd.DataFrame) -> pd.DataFrame:
    """Peaks at the end."""
    return runs.assign(peak_share=runs["peak_share"].mask(runs["dataset"] == "diffusion", 1.0))
