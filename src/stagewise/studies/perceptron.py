"""Do networks with activations, biases and cross-entropy go through the stages of linear ones?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most, within
from stagewise.studies.common.measures import bootstrap_confidence, value_range
from stagewise.studies.common.study import Measurement, Study, training
from stagewise.studies.common.training_slopes import carried, over_forecast, slopes, worst

STUDY = Study(
    __name__,
    order=200,
    question="Do nonlinear networks and cross-entropy go through the stages of linear ones?",
    title="Nonlinear networks learn their first three modes when the linear theory says",
    caption="""\
{% set each = experiments.perceptron -%}
One hidden layer of {{ each["width"] }} units with biases on raw {{ each["samples"] }}, momentum {{ each["momentum"] }}, batches of {{ each["batch_size"] }} without replacement, {{ each["replicates"] }} seeds; a mode k is learned when the k-th singular value of X_cᵀ(response)/n reaches half of σ_k (parameters ours). (a–c) Learning times over the staged forecast from the moments of the samples, by initial scale, for modes 1 (darkest) to {{ each["modes"] }}; the bands are the tolerances of the claims about tanh. For cross-entropy the forecast takes λ/p for λ; for ReLU the growth rate of the best rectified unit. (d) Iterations per unit of δ between the two smallest starts, times the growth per iteration: filled; hollow, half of σ, as a rectifier's two slopes would have it. The fourth mode under cross-entropy comes early: the response of probabilities that saturate is not that of a linear map.""",
    alt="Learning times over forecasts for tanh and ReLU networks under squared loss and "
    "cross-entropy, against the initial scale, and slopes times growth by mode.",
)
RUNS = training("perceptron")
HELD_OUT = training("perceptron_mnist")
CARRIED = 3
"""Modes that the claims are about."""
LARGE_DELTA = 4
SMALL_START = within(1, 0.05)
LARGE_START = within(1, 0.10)

_LOOKS = [
    ("tanh", "squared"),
    ("tanh", "cross_entropy"),
    ("relu", "squared"),
    ("relu", "cross_entropy"),
]
_NAMES = {"squared": "squared loss", "cross_entropy": "cross-entropy", "relu": "ReLU"}


@STUDY.figure(RUNS)
def draw(runs: pd.DataFrame) -> Figure:
    """Times over forecasts by initial scale, and slopes."""
    figure = Figure(figsize=(style.TWO_COLUMNS, 4.4), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    ratios = over_forecast(runs)
    for axes, letter, (activation, loss) in zip(panels, "abc", _LOOKS, strict=False):
        rows = ratios[(ratios["activation"] == activation) & (ratios["loss"] == loss)]
        if rows.empty:  # a small run may have one network only
            axes.set_axis_off()
            continue
        _ratios(axes, rows, activation == "tanh")
        name = _NAMES.get(activation, activation)
        style.panel_title(axes, letter, f"{name}, {_NAMES[loss]}")
    handles, labels = panels[0].get_legend_handles_labels()
    panels[0].legend(handles, labels, loc="lower right", ncols=2)
    _slopes(panels[3], slopes(runs))
    style.panel_title(panels[3], "d", "slopes")
    return figure


def _ratios(axes: Axes, rows: pd.DataFrame, claimed: bool) -> None:
    modes = sorted(rows["mode"].unique())
    for place, mode in enumerate(modes):
        own = rows[rows["mode"] == mode]
        axes.plot(
            own["delta"],
            own["ratio"],
            marker=style.MARKERS[place],
            markerfacecolor="white",
            linewidth=0.7,
            color=style.ordered_colours(len(modes))[place],
            label=f"mode {mode}",
        )
    scales = np.sort(rows["delta"].unique())
    if claimed:
        for edge, times in ((scales.min(), LARGE_START), (scales.max(), SMALL_START)):
            band = times.low, times.high
            axes.fill_between(sorted((edge, LARGE_DELTA)), *band, color="0.92", lw=0, zorder=0)
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    style.log_scale_axis(axes, scales)
    axes.set(ylabel="T over forecast", ylim=(0.8, 1.45))


def _slopes(axes: Axes, found: pd.DataFrame) -> None:
    for place, (activation, loss) in enumerate(_LOOKS):
        rows = found[(found["activation"] == activation) & (found["loss"] == loss)]
        if rows.empty:
            continue
        colour = style.distinct_colours()[place]
        x = rows["mode"] + 0.14 * (place - 1.5)
        label = f"{_NAMES.get(activation, activation)}, {_NAMES[loss]}"
        axes.plot(
            x, rows["over_rival"], style.MARKERS[place], color=colour, markerfacecolor="white"
        )
        axes.errorbar(
            x,
            rows["over_law"],
            yerr=rows["over_law"] * rows["error"],
            linestyle="none",
            marker=style.MARKERS[place],
            color=colour,
            label=label,
        )
    axes.axhline(1, color=style.MUTED, linewidth=0.7, zorder=0)
    axes.set_xticks(sorted(found["mode"].unique()))
    axes.set(xlabel="mode", ylabel="slope × growth", ylim=(0.2, 1.1))
    axes.legend(loc="lower left", ncols=2)


@STUDY.claim(
    "practice_tanh_slopes",
    source="practice",
    statement="A tanh network with biases learns its first three modes at δ/g(σ), under squared loss "
    "and cross-entropy alike (slope over δ times g between the two smallest starts, worst).",
    reads=RUNS,
    holds=within(1, 0.03),
)
def tanh_slopes(runs: pd.DataFrame) -> Measurement:
    """Slope times growth, farthest from 1."""
    found = slopes(carried(runs, "tanh", CARRIED))
    return Measurement(
        value=worst(found["over_law"]),
        interval=value_range(found["over_law"], "losses and modes"),
        note=f"{len(found)} pairs of a loss and a mode, {found['seeds'].max()} seeds, standard errors "
        f"up to {found['error'].max():.3f}. Half the rate gives {found['over_rival'].min():.2f} to "
        f"{found['over_rival'].max():.2f}.",
    )


@tanh_slopes.rival("Hidden units are active half of the time, so σ counts by half.")
def halved(runs: pd.DataFrame) -> pd.DataFrame:
    """Growth of half the singular value."""
    return runs.assign(growth=runs["rival_growth"])


def _times_claim(runs: pd.DataFrame, small: bool) -> Measurement | None:
    rows = carried(runs, "tanh", CARRIED)
    rows = rows[(rows["delta"] >= LARGE_DELTA) == small]
    if rows.empty:
        return None
    entropy = rows[rows["loss"] == "cross_entropy"]
    found = over_forecast(rows)
    ratio, plain = found["ratio"], over_forecast(entropy, "plain_forecast")["ratio"]
    farthest = found.loc[(ratio - 1).abs().idxmax()]
    other = f" With λ for λ/p, cross-entropy gives {plain.min():.2f} to {plain.max():.2f}."
    scales = ", ".join(f"{value:g}" for value in np.sort(rows["delta"].unique()))
    return Measurement(
        value=worst(ratio),
        interval=value_range(ratio, "losses, modes and starts"),
        note=f"Both losses, modes 1 to {CARRIED}, δ = {scales}, means over "
        f"{rows['seed'].nunique()} seeds; farthest, {farthest['ratio']:.3f}: mode {farthest['mode']} "
        f"under {_NAMES[farthest['loss']]} at δ = {farthest['delta']:g}."
        + (other if len(plain) else ""),
    )


@STUDY.claim(
    "practice_tanh_times",
    source="practice",
    statement="The staged forecast from second moments tells when a tanh network learns its first "
    "three modes, for δ of 4 and more (mean time over forecast, worst).",
    reads=RUNS,
    holds=SMALL_START,
)
def tanh_times(runs: pd.DataFrame) -> Measurement | None:
    """Mean time over forecast, farthest from 1, small starts."""
    return _times_claim(runs, True)


@tanh_times.rival("Cross-entropy has the curvature of squared loss.")
def no_factor(runs: pd.DataFrame) -> pd.DataFrame:
    """The forecast of squared loss."""
    return runs.assign(forecast=runs["plain_forecast"])


@STUDY.claim(
    "practice_tanh_times_large_start",
    source="practice",
    statement="The same from larger starts, δ below 4.",
    reads=RUNS,
    holds=LARGE_START,
)
def tanh_times_large(runs: pd.DataFrame) -> Measurement | None:
    """Mean time over forecast, farthest from 1, large starts."""
    return _times_claim(runs, False)


tanh_times_large.rival("Cross-entropy has the curvature of squared loss.")(no_factor)


@STUDY.claim(
    "practice_held_out_slopes",
    source="practice",
    statement="The same as for digits, of slopes, on MNIST, which was set aside while the laws "
    "were made.",
    reads=HELD_OUT,
    holds=within(1, 0.03),
)
def held_out_slopes(runs: pd.DataFrame) -> Measurement:
    """Slope times growth, farthest from 1."""
    return tanh_slopes.measure(runs)  # type: ignore[return-value]


held_out_slopes.rival("Hidden units are active half of the time, so σ counts by half.")(halved)


@STUDY.claim(
    "practice_held_out_times",
    source="practice",
    statement="The same of times, on MNIST, for all its starts (δ of 2 and more).",
    reads=HELD_OUT,
    holds=within(1, 0.10),
)
def held_out_times(runs: pd.DataFrame) -> Measurement | None:
    """Mean time over forecast, farthest from 1; at best for small starts."""
    small, large = (_times_claim(runs, which) for which in (True, False))
    if small is None or large is None:
        return small or large
    value = max(small.value, large.value, key=lambda each: abs(each - 1))
    ends = [end for each in (small.interval, large.interval) for end in (each.low, each.high)]
    return Measurement(
        value=value,
        interval=value_range(np.array(ends), "losses, modes and starts"),
        in_scope=small.value,
        scope=f"for δ of {LARGE_DELTA} and more",
        note=f"{large.note} For smaller starts: {small.note}",
    )


held_out_times.rival("Cross-entropy has the curvature of squared loss.")(no_factor)


@STUDY.claim(
    "practice_relu_slopes",
    source="practice",
    statement="A ReLU network learns its first three modes at the growth of the best rectified unit, "
    "max E[relu(wᵀx + b) aᵀ(y − ȳ)], not at that of second moments (squared loss, slope over δ times "
    "growth, worst).",
    reads=RUNS,
    holds=within(1, 0.03),
)
def relu_slopes(runs: pd.DataFrame) -> Measurement | None:
    """Slope times growth, farthest from 1, squared loss."""
    rows = carried(runs, "relu", CARRIED)
    rows = rows[rows["loss"] == "squared"]
    if rows.empty:
        return None
    found = slopes(rows)
    listed = ", ".join(f"{value:.3f}" for value in found["over_law"])
    return Measurement(
        value=worst(found["over_law"]),
        interval=value_range(found["over_law"], "modes"),
        note=f"Modes 1 to {CARRIED}: {listed}, standard errors up to {found['error'].max():.3f}. "
        f"Second moments give {found['over_plain'].min():.3f} to {found['over_plain'].max():.3f}, "
        f"half of σ {found['over_rival'].min():.2f} to {found['over_rival'].max():.2f}.",
    )


@relu_slopes.rival("A rectified unit grows like a linear one.")
def second_moments(runs: pd.DataFrame) -> pd.DataFrame:
    """Growth from second moments."""
    return runs.assign(growth=runs["plain_growth"])


relu_slopes.rival("A rectified unit is active half of the time.")(halved)


@STUDY.claim(
    "practice_cross_entropy_limit",
    source="practice",
    statement="Under cross-entropy the linear theory ends with the third mode: the fourth comes early "
    "(tanh, slope over δ times growth).",
    reads=RUNS,
    holds=at_most(0.9),
)
def cross_entropy_limit(runs: pd.DataFrame) -> Measurement | None:
    """Slope of the first mode beyond those carried, times growth."""
    rows = runs[(runs["activation"] == "tanh") & (runs["mode"] == CARRIED + 1)]
    rows = rows[rows["loss"] == "cross_entropy"]
    if rows.empty:
        return None
    low, high = np.sort(rows["delta"].unique())[-2:]
    wide = rows.pivot(index="seed", columns="delta", values="learning_iteration")
    each = (wide[high] - wide[low]) / (high - low) * rows["growth"].iloc[0]
    return Measurement(
        value=float(each.mean()),
        interval=bootstrap_confidence(each),
        note=f"{len(each)} seeds. The response of probabilities that have begun to saturate is not "
        "that of a linear map; which law replaces it is open.",
    )


@cross_entropy_limit.rival("The law goes on: the fourth mode is at δ/g(σ₄) too.")
def law_goes_on(runs: pd.DataFrame) -> pd.DataFrame:
    """Learning times of the law."""
    return runs.assign(learning_iteration=runs["delta"] / runs["growth"])
