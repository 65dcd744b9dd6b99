"""Do second moments of real data predict when a network learns?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import between, within
from stagewise.studies.common.measures import over, value_range
from stagewise.studies.common.study import (
    Interval,
    Measurement,
    Study,
    assumption,
    learning_times,
    trajectory_summary,
)

STUDY = Study(
    __name__,
    order=80,
    question="Do the moments of real data predict when a trained network learns each mode?",
    title="Second moments of real data predict when a network learns each mode",
    caption="""{% set each = experiments.real_data -%}
Real classification data ({{ each.datasets | join(", ") }}; pixels in [0, 1], one-hot labels, {{ "centred" if each.centred else "not centred" }}), whose moments do not commute, learned by a two-layer network with {{ each.width }} hidden units from a Gaussian start, step {{ each.step_size | min }}/max(λ₁, σ₁), {{ each.replicates }} seeds (protocol ours). (a) Learned share of each mode over training, mean and 5–95 %; bars at height ½: the iteration δ/ln(1 + ησₖ) predicted from second moments alone. (b) Measured over predicted iteration for δ = {{ each.delta | join(", ") }}, mean and 5–95 % of seeds; at small δ the start is felt, as δ grows the law takes over. (c) Relative error of the law, mean over seeds, of the median and of the worst of {{ each.modes }} modes, with the means of the data removed and left in.""",
    alt="Learned share of each mode of real data over training with predicted learning times as ticks, measured over predicted times by mode, and the error of the law by initial scale.",
)
TIMES = learning_times("real_data")
CURVES = trajectory_summary("real_data")
UNCENTRED = learning_times("real_data_uncentred")
ASSUMPTION = assumption(datasets=("digits", "mnist"))


@STUDY.figure(TIMES, learning_times(optional=("real_data_uncentred",)), CURVES)
def draw(times: pd.DataFrame, uncentred: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """A row a data set: learned shares at the largest delta, ratios by mode, errors by delta."""
    datasets = list(dict.fromkeys(times["dataset"]))
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.75 * len(datasets)), layout="constrained")
    panels = figure.subplots(len(datasets), 3, squeeze=False, width_ratios=[1.25, 1.25, 1])
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
    return figure


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
    colours = style.ordered_colours(len(scales))
    times = times.assign(ratio=times["learning_iteration"] / times["predicted_discrete"])
    for index, (delta, colour) in enumerate(zip(scales, colours, strict=True)):
        groups = times[times["delta"] == delta].groupby("mode")["ratio"]
        position = np.array(sorted(groups.groups)) + 0.2 * (index - (len(scales) - 1) / 2)
        style.middle_and_spread(
            axes, position, groups, index, color=colour, label=rf"$\delta={delta:g}$"
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
    statement="Exact commutation is not necessary: on real moments the law predicts when each mode of a trained network is learned, within 10 %.",
    reads=TIMES,
    holds=within(1, 0.1),
)
def commutation(times: pd.DataFrame) -> Measurement | None:
    largest = times[times["delta"] == times["delta"].max()]
    missing = int(largest["learning_iteration"].isna().sum())
    # The largest step tells the discrete law from the flow's.
    fast = largest[largest["relative_step_size"] == largest["relative_step_size"].max()]
    return Measurement(
        value=_worst_mode(largest, "discrete"),
        interval=value_range(over(largest, "discrete")),
        note=f"Measured over δ/ln(1 + ησ) at δ = {times['delta'].max():g} on "
        f"{', '.join(dict.fromkeys(times['dataset']))}, Gaussian start: the worst mode's mean over "
        f"seeds, interval 5–95 % of {len(largest)} modes and seeds ({missing} not learned). At the "
        f"largest step (ησ up to {(fast['step_size'] * fast['sigma']).max():.2f}) the worst mode is "
        f"at {_worst_mode(fast, 'discrete'):.3f} of this law and at {_worst_mode(fast, 'flow'):.3f} "
        f"of the flow's. At δ = {times['delta'].min():g} it is at "
        f"{_worst_mode(times[times['delta'] == times['delta'].min()], 'discrete'):.2f}.",
    )


@commutation.rival("The law of the flow, δ/(ησ).")
def flow_law(times: pd.DataFrame) -> pd.DataFrame:
    """The prediction of the flow in place of that of descent."""
    return times.assign(predicted_discrete=times["predicted_flow"])


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
        interval=value_range(over(largest, "discrete")),
        note=f"As for centred data, with the means left in: the worst mode at δ = "
        f"{times['delta'].max():g} ({int(largest['learning_iteration'].isna().sum())} not learned); "
        f"at δ = {times['delta'].min():g} it is at {_worst_mode(smallest, 'discrete'):.2f}.",
    )


@means_left_in.rival("The product, not each layer, starts at e^-δ: half the time.")
def product_scale(times: pd.DataFrame) -> pd.DataFrame:
    """Half of every learning time."""
    return times.assign(learning_iteration=times["learning_iteration"] / 2)


@STUDY.claim(
    "gidel_assumption_half",
    source="gidel2019",
    statement="On real data the joint decomposition is violated about half as much (0.3 to 0.7 times) as the stronger assumption of earlier work (conclusion as remembered).",
    reads=ASSUMPTION,
    holds=between(0.3, 0.7),
)
def assumption_half(table: pd.DataFrame) -> Measurement | None:
    real = table[table["centred"]]
    real = real.assign(ratio=real["delta_xy"] / real["delta_x"])
    if real.empty:
        return None
    # MNIST is a data set of the paper, the digits are not.
    chosen = "mnist" if "mnist" in set(real["dataset"]) else real["dataset"].iloc[0]
    rows = real[real["dataset"] == chosen].set_index("completion")
    eigen, random = rows.loc["eigen"], rows.loc["random"]
    return Measurement(
        value=float(eigen["ratio"]),
        interval=Interval(
            float(eigen["ratio"]), float(random["delta_xy_high"] / random["delta_x"]), "range"
        ),
        in_scope=float(random["ratio"]),
        scope="with random completions of the basis",
        note=f"{chosen}, centred: Δ_x = {eigen['delta_x']:.4f}; Δ_xy = {eigen['delta_xy']:.4f} "
        f"with the basis completed by eigenvectors (unique, the value here), "
        f"{random['delta_xy']:.4f} with random completions (ratio {random['ratio']:.2f}). "
        "Definitions and conclusion are reconstructed"
        + ("." if chosen == "mnist" else ", and this is not a data set of the paper (make paper)."),
    )


@assumption_half.rival("Both assumptions are violated as much.")
def as_much(table: pd.DataFrame) -> pd.DataFrame:
    """The distance of the stronger assumption for both."""
    return table.assign(delta_xy=table["delta_x"], delta_xy_high=table["delta_x"])
