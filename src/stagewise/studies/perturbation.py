"""What does a part that does not commute do to the path?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import between, within
from stagewise.studies.common.measures import bootstrap_confidence, value_range
from stagewise.studies.common.study import (
    Measurement,
    NothingToMeasureError,
    Study,
    learning_times,
)
from stagewise.theory import waiting_growth

STUDY = Study(
    __name__,
    order=60,
    question="How far does a part that does not commute move the path?",
    title="What a part that does not commute does to the path depends on the order of modes",
    caption="""{% set each = experiments.perturbation -%}
What a part B of sigma_x that does not commute with sigma_xy does to training: random symmetric B of zero diagonal in the modes, ‖B‖₂ from {{ datasets[each.datasets[0]].perturbation }} to {{ datasets[each.datasets[-1]].perturbation }} of the smallest λ, {{ each.replicates }} draws of σ, of one λ for all modes, and of B, aligned start, step ησ₁ = {{ each.step_size | join(", ") }} (protocol ours). Each run is compared, iteration by iteration, with one from the same start without B. (a) Largest distance of the two maps during training against ‖B‖₂, every run; line: slope 1. (b) The same over the distance of the two at the end of training, mean and 5–95 %; dashed: the shape of a bound that is exponential in the square of time, as remembered from the paper, with a constant of ours, scaled to 1 at the smallest δ. (c) {{ experiments.perturbation_growth.replicates }} pairs of modes with random λ, hardly perturbed: exponent by which the largest distance over the final one grows per unit of δ, against the one derived from the saddle at which the network waits for the second mode. It is positive where σ₂²/λ₂ > σ₁²/λ₁, so that descent and regression of rank one pick different modes.""",
    alt="Largest deviation of the path against the size of the perturbation, over the final "
    "deviation by initial scale, and measured against derived growth on pairs of modes.",
)
TIMES = learning_times("perturbation")
PAIRS = learning_times("perturbation_growth")
E_FOLDS = 1.7
"""Growth between the two largest scales, derived, below which a slope says little."""


BOUND_RATE = 0.01
"""Constant c of the bound's shape e^(cδ²); the paper's is not available to us."""


@STUDY.figure(TIMES, PAIRS)
def draw(times: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Largest deviation over the perturbation, over the final one by scale, and growth on pairs."""
    runs = deviations(times)
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.7), layout="constrained")
    linear, growth, waiting = figure.subplots(1, 3)
    _linear(linear, runs)
    style.panel_title(linear, "a", "linear in the perturbation")
    _growth(growth, runs)
    style.panel_title(growth, "b", "orders agree: no growth")
    _waiting(waiting, growth_while_waiting(pairs))
    style.panel_title(waiting, "c", "pairs of modes: growth")
    return figure


def _linear(axes: Axes, runs: pd.DataFrame) -> None:
    shown = [runs["delta"].min(), runs["delta"].max()]
    for index, delta in enumerate(shown):
        some = runs[runs["delta"] == delta].sort_values("non_commuting")
        for position, (_, draw) in enumerate(some.groupby(["dim_in", "seed"])):
            axes.plot(
                draw["non_commuting"],
                draw["largest_deviation"],
                linewidth=0.4,
                marker=style.MARKERS[index],
                markersize=2.2,
                markeredgewidth=0.5,
                markerfacecolor="white",
                color=style.distinct_colours()[index],
                label=None if position else rf"$\delta={delta:g}$, a line each draw",
            )
    ends = np.array([runs["non_commuting"].min(), runs["non_commuting"].max()])
    level = 0.2 * (runs["largest_deviation"] / runs["non_commuting"]).min()
    axes.plot(ends, level * ends, color=style.INK, linestyle="--", label="slope 1")
    axes.set(xscale="log", yscale="log")
    axes.set(xlabel=r"perturbation $\|B\|_2$", ylabel=r"$\max_t\,\|W_B(t)-W_0(t)\|_2$")
    axes.legend(loc="upper left", handletextpad=0.3)
    axes.set_ylim(None, 300 * runs["largest_deviation"].max())


def _growth(axes: Axes, runs: pd.DataFrame) -> None:
    scales = np.array(sorted(runs["delta"].unique()))
    sizes = sorted(runs["dim_in"].unique())
    for index, size in enumerate(sizes):
        style.middle_and_spread(
            axes,
            scales * (1 + 0.08 * (index - (len(sizes) - 1) / 2)),
            runs[runs["dim_in"] == size].groupby("delta")["over_final"],
            index,
            color=style.distinct_colours()[index],
            label=f"{size} modes",
        )
    axes.axhline(1, color=style.INK, linewidth=0.8)
    grid = np.geomspace(scales[0], scales[-1], 100)
    axes.plot(
        grid,
        np.exp(BOUND_RATE * (grid**2 - grid[0] ** 2)),
        color=style.INK,
        linestyle="--",
        label=rf"as $e^{{{BOUND_RATE:g}\delta^2}}$",
    )
    style.log_scale_axis(axes, scales)
    axes.set(ylabel="largest / final deviation", ylim=(0.8, 3.2))
    axes.legend(loc="upper right")


def _waiting(axes: Axes, pairs: pd.DataFrame) -> None:
    ends = np.array([min(0.0, pairs["measured"].min()), 1.05 * pairs["derived"].max()])
    axes.plot(ends.clip(0), ends.clip(0), color=style.INK, label="derived")
    for index, (disagree, name) in enumerate(((False, "orders agree"), (True, "they disagree"))):
        some = pairs[pairs["disagree"] == disagree]
        axes.plot(
            some["derived"],
            some["measured"],
            linestyle="none",
            marker=style.MARKERS[index],
            markerfacecolor="white",
            color=style.distinct_colours()[index],
            label=name,
        )
    axes.set(xlabel="derived growth per unit of δ", ylabel="measured growth per unit of δ")
    axes.legend(loc="upper left")


@STUDY.claim(
    "gidel_perturbation",
    source="gidel2019",
    statement="A part B of sigma_x that does not commute moves the path in proportion to ‖B‖, "
    "uniformly in δ (slope 1; median over draws, worst δ).",
    reads=TIMES,
    holds=within(1, 0.05),
)
def linear_in_the_perturbation(times: pd.DataFrame) -> Measurement | None:
    slopes = _log_slopes(deviations(times))
    if slopes.empty:
        return None
    medians = slopes.groupby("delta")[["all", "small"]].median()
    farthest = (medians["all"] - 1).abs().idxmax()
    first = medians["small"]
    listed = ", ".join(f"{value:.3f} at δ = {delta:g}" for delta, value in medians["all"].items())
    return Measurement(
        value=float(medians["all"][farthest]),
        interval=value_range(slopes["all"], f"{len(slopes)} combinations of draw and δ"),
        in_scope=float(first[(first - 1).abs().idxmax()]),
        scope="between the two smallest perturbations",
        note=f"Slope of ln(largest deviation) over ln‖B‖₂ between the smallest and the largest "
        f"perturbation, the same matrix scaled, median over draws: {listed}; between the two "
        f"smallest {first.min():.4f} to {first.max():.4f}.",
    )


@linear_in_the_perturbation.rival("The path moves like the square root of ‖B‖.")
def square_root(times: pd.DataFrame) -> pd.DataFrame:
    """Deviations whose logarithms grow half as fast."""
    return times.assign(largest_deviation=np.sqrt(times["largest_deviation"]))


def _log_slopes(runs: pd.DataFrame) -> pd.DataFrame:
    """Slopes over the perturbation's size, a row a draw and delta: of all sizes, of the smallest."""
    rows = []
    for (_, _, delta), group in runs.groupby(["dim_in", "seed", "delta"]):
        if len(group) < 2:
            continue
        ordered = group.sort_values("non_commuting")
        size, deviation = (np.log(ordered[name]) for name in ("non_commuting", "largest_deviation"))
        steps = np.diff(deviation) / np.diff(size)
        whole = (deviation.iloc[-1] - deviation.iloc[0]) / (size.iloc[-1] - size.iloc[0])
        rows.append({"delta": delta, "all": whole, "small": steps[0]})
    return pd.DataFrame(rows)


@STUDY.claim(
    "ours_perturbation_end",
    source="ours",
    statement="Where descent and regression of growing rank agree on the order, the path is moved "
    "hardly more during training than at its end: the median ratio stays below 2 up to δ = 128.",
    reads=TIMES,
    holds=between(1, 2),
)
def moved_at_the_end(times: pd.DataFrame) -> Measurement | None:
    runs = deviations(times)
    if runs.empty:
        return None
    ratio = runs.groupby("delta")["over_final"].median()
    largest = runs[runs["delta"] == ratio.index[-1]]["over_final"]
    listed = ", ".join(f"{value:.3f} at δ = {delta:g}" for delta, value in ratio.items())
    late = runs["moment"]
    return Measurement(
        value=float(ratio.iloc[-1]),
        interval=bootstrap_confidence(largest, np.median),
        note=f"Largest deviation during training over that at its end, median: {listed}; worst run "
        f"{runs['over_final'].max():.2f}, and {(largest > 2).mean():.0%} of runs exceed 2 at the "
        f"largest δ. Whether the median saturates is open. It is largest at {late.median():.2f} (5–95 % "
        f"{late.quantile(0.05):.2f} to {late.quantile(0.95):.2f}) of the time at which the weakest "
        "mode is learned.",
    )


@moved_at_the_end.rival("A bound that is exponential in the square of time.")
def exponential_in_time_squared(times: pd.DataFrame) -> pd.DataFrame:
    """Deviations during training that grow like the shape of that bound."""
    growth = np.exp(BOUND_RATE * times["delta"] ** 2)
    return times.assign(largest_deviation=times["final_deviation"] * growth)


@STUDY.claim(
    "ours_perturbation_growth",
    source="ours",
    statement="Where the orders disagree (σ₂²/λ₂ > σ₁²/λ₁) the perturbation grows exponentially "
    "while the network waits, at the unstable rate of the saddle that it waits at (slope of "
    "measured over derived exponents; pairs that grow by 1.7 e-folds or more).",
    reads=PAIRS,
    holds=within(1, 0.1),
)
def grows_while_waiting(times: pd.DataFrame) -> Measurement | None:
    pairs = growth_while_waiting(times)
    gap = pairs["measured"] - pairs["derived"]
    growing = pairs["disagree"] & (pairs["e_folds"] >= E_FOLDS)
    apart, agreeing = pairs[growing], pairs[~pairs["disagree"]]
    if apart.empty:
        return None
    slope = float(apart["measured"] @ apart["derived"] / (apart["derived"] @ apart["derived"]))
    return Measurement(
        value=slope,
        interval=value_range(apart["measured"] / apart["derived"], "those pairs"),
        note=f"Measured over derived growth exponent per unit of δ, least squares through 0 over "
        f"{len(apart)} pairs whose orders disagree and that grow by {E_FOLDS:g} e-folds or more "
        f"between the two largest δ (exponents {apart['derived'].min():.3f} to "
        f"{apart['derived'].max():.3f}). On the {len(agreeing)} others the "
        f"largest measured exponent is {agreeing['measured'].max():.4f}; largest difference of any "
        f"pair {gap.abs().max():.3f}.",
    )


@grows_while_waiting.rival("It grows at half of that rate.")
def half_the_rate(times: pd.DataFrame) -> pd.DataFrame:
    """Deviations whose logarithms over the final ones grow half as fast."""
    over_final = np.sqrt(times["largest_deviation"] / times["final_deviation"])
    return times.assign(largest_deviation=over_final * times["final_deviation"])


def deviations(times: pd.DataFrame) -> pd.DataFrame:
    """One row a run that was compared with commuting moments.

    times : learning times. Returns columns dataset, seed, dim_in, delta, non_commuting,
    largest_deviation, over_final (over the last recorded one), moment (its iteration over the
    last learning time).
    """
    keys = ["dataset", "run", "seed", "dim_in", "delta"]
    columns = ["non_commuting", "largest_deviation", "final_deviation"]
    when = "largest_deviation_iteration"
    runs = times.groupby(keys)[[*columns, when, "learning_iteration"]].max().reset_index()
    return runs.assign(
        over_final=runs["largest_deviation"] / runs["final_deviation"],
        moment=runs[when] / runs["learning_iteration"],
    )


def growth_while_waiting(times: pd.DataFrame) -> pd.DataFrame:
    """Growth of the deviation per unit of delta on pairs of modes, measured and derived.

    times : learning times of compared runs at two or more delta. Measured between the two largest:
    of the largest deviation over the final one. Derived: `waiting_growth` times the time between
    the two learning times, 1/σ₂ − 1/σ₁ for each unit of delta. Returns columns seed, measured,
    derived, e_folds (the derived growth between the two), disagree (whether σ²/λ orders the pair the
    other way round).
    """
    if times["mode"].nunique() < 2 or times["delta"].nunique() < 2:
        raise NothingToMeasureError("two modes and two initial scales (delta)")
    runs = deviations(times).pivot(index="seed", columns="delta", values="over_final")
    low, high = sorted(runs.columns)[-2:]
    measured = np.log(runs[high] / runs[low]) / (high - low)
    pairs = times.drop_duplicates(["seed", "mode"]).pivot(index="seed", columns="mode")
    sigma, lam = (pairs[name].to_numpy() for name in ("sigma", "lam"))
    wait = 1 / sigma[:, 1] - 1 / sigma[:, 0]
    strength = sigma**2 / lam
    derived = waiting_growth(sigma, lam) * wait
    return pd.DataFrame(
        {
            "seed": runs.index,
            "measured": measured.to_numpy(),
            "derived": derived,
            "e_folds": derived * (high - low),
            "disagree": strength[:, 1] > strength[:, 0],
        }
    )
