"""Do second moments of real data predict when a network learns?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.comparisons import FORECASTS, forecast_errors, in_place_of, turning
from stagewise.studies.common.conditions import at_most, within
from stagewise.studies.common.measures import over, value_range
from stagewise.studies.common.study import (
    Measurement,
    Study,
    learning_times,
    trajectory_summary,
)

STUDY = Study(
    __name__,
    order=80,
    question="Do the moments of real data predict when a trained network learns each mode?",
    title="Second moments of real data predict when a network learns each mode",
    caption="""{% set each = experiments.real_data -%}
Real classification data ({{ each.datasets | join(", ") }}; pixels in [0, 1], one-hot labels, {{ "centred" if each.centred else "not centred" }}), whose moments do not commute, learned by a two-layer network with {{ each.width | join(", ") }} hidden units from a Gaussian start, step {{ each.step_size | min }}/max(λ₁, σ₁), {{ each.replicates }} seeds (protocol ours). (a) Learned share of each mode over training, mean and 5–95 %; bars at height ½: the iteration δ/ln(1 + ησₖ) predicted from second moments alone. (b) Measured over predicted iteration for δ = {{ each.delta | join(", ") }}, mean and 5–95 % of seeds; at small δ the start is felt, and as δ grows the law takes over, up to a point: the moments do not commute, and on digits the error rises again from δ = 32 to 64 (docs/forecast.md). (c) Relative error of the law, mean over seeds, of the median and of the worst of {{ each.modes }} modes, with the means of the data removed and left in. (d) Errors of the four laws on these and on further data sets ({{ experiments.real_data_sets.datasets | join(", ") if "real_data_sets" in experiments else "none beside" }}; {{ experiments.real_data_sets.replicates if "real_data_sets" in experiments else 0 }} seeds; MNIST and CIFAR-10, the latter with three seeds and five modes, by their archived moments). (e) Error of the plain law against how far learned directions turn between stages, the largest |ln(staged forecast/plain law)|, which moments alone give; dashed: where the plain law is taken to hold.""",
    alt="Learned share of each mode of real data over training with predicted learning times as ticks, measured over predicted times by mode, and the error of the law by initial scale.",
)
TIMES = learning_times("real_data")
CURVES = trajectory_summary("real_data", of=("response_values",))
UNCENTRED = learning_times("real_data_uncentred")
SETS = learning_times("real_data", "real_data_sets", "real_data_cifar10")
TURNING = 0.05
"""Turn between stages up to which the plain law is expected to hold; see `turning`."""
SCOPE = f"where directions turn by at most {TURNING:g} between stages, which moments alone tell"


@STUDY.figure(
    TIMES,
    learning_times(optional=("real_data_uncentred",)),
    CURVES,
    learning_times("real_data", optional=("real_data_sets", "real_data_cifar10")),
)
def draw(
    times: pd.DataFrame, uncentred: pd.DataFrame, curves: pd.DataFrame, sets: pd.DataFrame
) -> Figure:
    """Digits: learned shares, ratios by mode, errors by delta; then errors of laws by data set."""
    datasets = list(dict.fromkeys(times["dataset"]))
    height = 2.75 * len(datasets) + 2.6
    figure = Figure(figsize=(style.TWO_COLUMNS, height), layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=[2.75 * len(datasets), 2.6])
    above, below = list(np.ravel(np.asarray(parts)))
    panels = above.subplots(len(datasets), 3, squeeze=False, width_ratios=[1.25, 1.25, 1])
    letters = iter("abcdefghijklmnop")
    for (left, right, last), dataset in zip(panels, datasets, strict=True):
        own = times[times["dataset"] == dataset]
        largest = own["delta"].max()
        step = own["relative_step_size"].min()
        own = own[own["relative_step_size"] == step]
        shown = curves[
            (curves["relative_step_size"] == step)
            & (curves["dataset"] == dataset)
            & (curves["delta"] == largest)
            & (curves["quantity"] == "response_value")
        ]
        _learned(left, shown, own[own["delta"] == largest])
        style.panel_title(left, next(letters), rf"{dataset}: training, $\delta={largest:g}$")
        _ratios(right, own)
        style.panel_title(right, next(letters), "law against training")
        _errors(last, own, uncentred[uncentred["dataset"] == dataset])
        style.panel_title(last, next(letters), "error of the law")
    by_set, beforehand = below.subplots(1, 2, width_ratios=[1.6, 1])
    errors = forecast_errors(_comparable(sets))
    _by_set(by_set, errors)
    style.panel_title(by_set, next(letters), rf"by data set, $\delta={sets['delta'].max():g}$")
    _beforehand(beforehand, errors, turning(_comparable(sets)))
    style.panel_title(beforehand, next(letters), "what tells beforehand")
    return figure


def _comparable(sets: pd.DataFrame) -> pd.DataFrame:
    """Runs of the smallest step at the largest delta of each experiment."""
    step, delta = (sets.groupby("experiment")[name] for name in ("relative_step_size", "delta"))
    return sets[
        (sets["relative_step_size"] == step.transform("min"))
        & (sets["delta"] == delta.transform("max"))
    ]


def _by_set(axes: Axes, errors: pd.DataFrame) -> None:
    names = list(dict.fromkeys(errors["dataset"]))
    for index, (law, label) in enumerate(FORECASTS.items()):
        rows = errors[errors["law"] == law].set_index("dataset")["error"].reindex(names)
        axes.plot(
            rows,
            range(len(names)),
            linestyle="none",
            marker=style.MARKERS[index],
            markerfacecolor="white",
            color=style.distinct_colours()[index],
            label=label,
        )
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.set(xscale="log", xlabel="root-mean-square log error over stages", ylabel="data set")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.1)


def _beforehand(axes: Axes, errors: pd.DataFrame, turned: pd.Series) -> None:
    plain = errors[errors["law"] == "discrete"].set_index("dataset")["error"]
    axes.plot(
        turned.reindex(plain.index),
        plain,
        linestyle="none",
        marker=style.MARKERS[0],
        markerfacecolor="white",
        color=style.distinct_colours()[0],
    )
    axes.axvline(TURNING, color=style.INK, linewidth=0.8, linestyle="--")
    axes.set(xlabel="turn between stages", ylabel="error of the plain law")
    axes.set(xlim=(0, None), ylim=(0, None))


def _errors(axes: Axes, centred: pd.DataFrame, uncentred: pd.DataFrame) -> None:
    """|mean over seeds of measured/predicted − 1| of the median and of the worst mode."""
    kinds = (("centred", centred), ("not centred", uncentred))
    for index, (name, times) in enumerate(kinds):
        if times.empty:
            continue
        ratio = times["learning_iteration"] / times["predicted_discrete"]
        error = (ratio.groupby([times["delta"], times["mode"]]).mean() - 1).abs()
        for line, (which, values) in zip(
            style.LINES,
            (
                ("worst", error.groupby("delta").max()),
                ("median", error.groupby("delta").median()),
            ),
            strict=False,
        ):
            axes.plot(
                values.index,
                values,
                linestyle=line,
                marker=style.MARKERS[index],
                markerfacecolor="white",
                color=style.distinct_colours()[index],
                label=f"{name}, {which}",
            )
    scales = sorted(centred["delta"].unique())
    style.log_scale_axis(axes, scales)
    axes.set(ylabel="|measured / predicted − 1|", ylim=(0, 1.5 * axes.get_ylim()[1]))
    axes.legend(loc="upper right", handlelength=2.2)


def _learned(axes: Axes, curves: pd.DataFrame, times: pd.DataFrame) -> None:
    modes = sorted(curves["mode"].unique())
    colours = style.ordered_colours(len(modes))
    full = times.groupby("mode").agg(
        sigma=("sigma", "first"), predicted=("predicted_discrete", "first")
    )
    for index, (mode, colour) in enumerate(zip(modes, colours, strict=True)):
        scale = 1 / full["sigma"][mode]
        curve = curves[curves["mode"] == mode]
        line = style.LINES[index % len(style.LINES)]
        iteration = curve["iteration"]
        axes.plot(iteration, scale * curve["mean"], color=colour, linestyle=line)
        axes.fill_between(
            iteration, scale * curve["low"], scale * curve["high"], color=colour, alpha=0.2, lw=0
        )
        predicted = full["predicted"][mode]
        axes.plot(predicted, 0.5, marker="|", markersize=9, color=colour, markeredgewidth=1.4)
        axes.annotate(
            str(mode),
            (predicted, 1.03),
            ha="center",
            fontsize=6.5,
        )
    first, last = full["predicted"].min(), full["predicted"].max()
    axes.set(xlim=(0.5 * first, 1.25 * last), ylim=(-0.03, 1.1))
    axes.set(xlabel="iteration", ylabel=r"learned share $\sigma_k(\Sigma_x W)/\sigma_k$")


def _ratios(axes: Axes, times: pd.DataFrame) -> None:
    scales = sorted(times["delta"].unique())
    times = times.assign(ratio=times["learning_iteration"] / times["predicted_discrete"])
    for index, delta in enumerate(scales):
        groups = times[times["delta"] == delta].groupby("mode")["ratio"]
        position = np.array(sorted(groups.groups)) + 0.2 * (index - (len(scales) - 1) / 2)
        style.middle_and_spread(
            *(axes, position, groups, index),
            color=style.scale_colour(delta),
            label=rf"$\delta={delta:g}$",
        )
    axes.axhline(1, color=style.INK, linewidth=0.9)
    axes.set_xticks(sorted(times["mode"].unique()))
    axes.set(xlabel="mode", ylabel="measured / predicted iteration")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.15 * (high - low))
    axes.legend(loc="upper left", ncols=len(scales), handletextpad=0.2, columnspacing=1.0)


@STUDY.claim(
    "review_commutation",
    source="reviews",
    statement="Exact commutation is not necessary: on real moments the plain law predicts when each "
    "mode of a trained network is learned, within 10 % (mean over seeds, worst mode of eight data "
    "sets, largest δ).",
    reads=SETS,
    holds=within(1, 0.1),
)
def commutation(times: pd.DataFrame) -> Measurement | None:
    largest = times[times["delta"] == times.groupby("experiment")["delta"].transform("max")]
    turned = turning(largest)
    worst = {
        name: _worst_mode(own, "discrete") for name, own in largest.groupby("dataset", sort=False)
    }
    kept = largest[largest["dataset"].map(turned) <= TURNING]
    listed = ", ".join(f"{name} {value:.3f} ({turned[name]:.2f})" for name, value in worst.items())
    # The largest step tells the discrete law from the flow's.
    fast = largest[largest["relative_step_size"] == largest["relative_step_size"].max()]
    return Measurement(
        value=_worst_mode(largest, "discrete"),
        interval=value_range(over(largest, "discrete"), "modes and runs"),
        in_scope=_worst_mode(kept, "discrete") if len(kept) else None,
        scope=SCOPE if len(kept) else "",
        note=f"Measured over δ/ln(1 + ησ) at the largest δ, Gaussian start, the worst mode's mean over "
        f"seeds, and in brackets the turn, the largest |ln(staged forecast/plain law)|: {listed}. "
        f"Δ_xy does not tell. Of {len(largest)} modes and seeds "
        f"{int(largest['learning_iteration'].isna().sum())} were not learned. At the largest step (ησ up "
        f"to {(fast['step_size'] * fast['sigma']).max():.2f}) the worst mode is at "
        f"{_worst_mode(fast, 'discrete'):.3f} of this law and at {_worst_mode(fast, 'flow'):.3f} of "
        "the flow's.",
    )


@commutation.rival("There are no stages: every mode is learned when the strongest should be.")
def at_once(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times of the strongest mode for every mode of a run."""
    first = times.groupby(["experiment", "run"])["predicted_discrete"].transform("min")
    return times.assign(learning_iteration=first)


@STUDY.claim(
    "forecast_real_data",
    source="ours",
    statement="On real data sets the staged forecast (F) gives learning times within 3 % "
    "(root-mean-square log error over stages, means over seeds, worst of eight data sets, δ = 16).",
    reads=SETS,
    holds=at_most(0.03),
)
def staged_forecast(times: pd.DataFrame) -> Measurement | None:
    errors = forecast_errors(_comparable(times))
    wide = errors.pivot(index="dataset", columns="law", values="error")
    listed = "; ".join(
        f"{name} {row['discrete']:.3f}, {row['reduced_rank']:.3f}, {row['staged']:.3f}, "
        f"{row['integrated']:.3f}"
        for name, row in wide.iterrows()
    )
    return Measurement(
        value=float(wide["staged"].max()),
        interval=value_range(wide["staged"], "data sets"),
        note=f"Errors of the plain, reduced-rank, staged and integrated law: {listed}. The interval "
        "is over data sets.",
    )


staged_forecast.rival("The plain law, δ/ln(1 + ησ).")(in_place_of("staged", "discrete"))


def _worst_mode(times: pd.DataFrame, law: str) -> float:
    """Mean over seeds of measured over predicted, for the mode where it is farthest from 1."""
    keys = [times[key] for key in ("dataset", "relative_step_size", "mode")]
    means = over(times, law).groupby(keys).mean()
    return float(means.iloc[int(np.argmax(np.abs(np.log(means))))])


@STUDY.claim(
    "review_uncentred",
    source="reviews",
    statement="It does so, within 10 %, when the means are left in the data too.",
    reads=UNCENTRED,
    holds=within(1, 0.1),
)
def means_left_in(times: pd.DataFrame) -> Measurement | None:
    largest = times[times["delta"] == times["delta"].max()]
    smallest = times[times["delta"] == times["delta"].min()]
    return Measurement(
        value=_worst_mode(largest, "discrete"),
        interval=value_range(over(largest, "discrete"), "modes and runs"),
        note=f"As for centred data, with the means left in: the worst mode at δ = "
        f"{times['delta'].max():g} ({int(largest['learning_iteration'].isna().sum())} not learned); "
        f"at δ = {times['delta'].min():g} it is at {_worst_mode(smallest, 'discrete'):.2f}.",
    )


@means_left_in.rival("The product, not each layer, starts at e^-δ: half the time.")
def product_scale(times: pd.DataFrame) -> pd.DataFrame:
    """Half of every learning time."""
    return times.assign(learning_iteration=times["learning_iteration"] / 2)
