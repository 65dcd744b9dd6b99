"""Does RMSProp go through the same stages? That depends on which RMSProp."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.depth import run_separation, with_product_scale
from stagewise.studies.common.measures import bootstrap_confidence, value_range
from stagewise.studies.common.study import Measurement, Study, learning_times

STUDY = Study(
    __name__,
    order=160,
    question="Does RMSProp go through the same stages?",
    title="RMSProp keeps the stages or merges them, depending on which RMSProp",
    caption="""\
{% set each = experiments.rmsprop -%}
{% set descent = experiments.descent_separation -%}
{% set data = datasets[each.datasets[0]] -%}
Stages under RMSProp (decay {{ each.optimizer[0].decay }}, offset {{ each.optimizer[0].offset }}) and under descent (step {{ descent["step_size"] | join(", ") }}/(Lσ₁^(2−2/L)), {{ descent["replicates"] }} seeds): rank {{ data["rank"] | join(", ") }}, n = {{ data["dim_in"] }}, {{ each["replicates"] }} Gaussian seeds, product scales ε = {{ each["product_scale"] | join(", ") }} (parameters ours). (a, b) Share of its target that the next singular value has reached when one is at 90 %, the largest of a run; median and 5–95 % of seeds; dashed: 10 %. A scale for each coordinate merges stages at two layers whatever the start; one scale for all keeps them at small learning rates. (c) Iterations until the last mode is learned, at the smallest ε: larger learning rates are faster, and blur stages.""",
    alt="Overlap of neighbouring stages against RMSProp's learning rate, at two and three layers, "
    "and iterations until the last mode is learned.",
)
TIMES = learning_times("rmsprop", "descent_separation")
COORDINATE = learning_times("rmsprop")
MERGED = 0.15
"""Overlap above which stages count as merged."""

_LOOKS = {
    "gradient_descent": ("D", 7, "descent"),
    "rmsprop": ("o", 1, "RMSProp, per-coordinate scale"),
    "rmsprop_shared": ("s", 0, "RMSProp, one shared scale"),
}


@STUDY.figure(TIMES)
def draw(times: pd.DataFrame) -> Figure:
    """Overlap of neighbouring stages for each depth, then iterations until all is learned."""
    times = with_product_scale(times)
    depths = sorted(times["depth"].unique())
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.9), layout="constrained")
    panels = figure.subplots(1, len(depths) + 1, squeeze=False)[0]
    letters = iter("abcdef")
    for axes, depth in zip(panels[:-1], depths, strict=True):
        _separation(axes, times[times["depth"] == depth])
        style.panel_title(axes, next(letters), f"{depth} layers")
    _speed(panels[-1], times[times["optimizer"] != "gradient_descent"])
    style.panel_title(panels[-1], next(letters), "until all is learned")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3)
    return figure


def _separation(axes: Axes, times: pd.DataFrame) -> None:
    runs = run_separation(times)
    rates = sorted(runs[runs["optimizer"] != "gradient_descent"]["relative_step_size"].unique())
    scales = sorted(runs["product_scale"].unique(), reverse=True)
    for (optimizer, scale), group in runs.groupby(["optimizer", "product_scale"]):
        marker, colour, name = _LOOKS[str(optimizer)]
        shift = 0.16 * (scales.index(scale) - (len(scales) - 1) / 2)
        for rate, some in group.groupby("relative_step_size"):
            place = -1 if optimizer == "gradient_descent" else rates.index(rate)
            middle = some["overlap"].median()
            spread = some["overlap"].quantile([0.05, 0.95]).to_numpy()
            side = 0.06 * (1 if optimizer == "rmsprop" else -1)
            axes.errorbar(
                place + shift + side,
                middle,
                yerr=np.abs(spread - middle)[:, None],
                linestyle="none",
                marker=marker,
                color=style.distinct_colours()[colour],
                markerfacecolor="white" if scale == scales[0] else style.distinct_colours()[colour],
                elinewidth=0.8,
                label=_label(axes, rf"{name}, $\varepsilon=10^{{{np.log10(scale):.0f}}}$"),
            )
    axes.set_xticks(range(-1, len(rates)), ["descent", *(f"{rate:g}" for rate in rates)])
    axes.set(yscale="log", xlabel="learning rate of RMSProp", ylabel="next value learned at 90 %")
    axes.axhline(0.1, color=style.MUTED, linewidth=0.7, linestyle="--")


def _speed(axes: Axes, times: pd.DataFrame) -> None:
    last = times[times["mode"] == times.groupby("run")["mode"].transform("max")]
    markers = {depth: style.LINES[at] for at, depth in enumerate(sorted(times["depth"].unique()))}
    small = last[last["product_scale"] == last["product_scale"].min()]
    for (optimizer, depth), group in small.groupby(["optimizer", "depth"]):
        marker, colour, _ = _LOOKS[str(optimizer)]
        middle = group.groupby("relative_step_size")["learning_iteration"].median()
        axes.plot(
            middle.index,
            middle,
            marker=marker,
            color=style.distinct_colours()[colour],
            linestyle=markers[depth],
            linewidth=0.7,
        )
    for depth, line in markers.items():
        axes.plot([], [], color=style.INK, linestyle=line, linewidth=0.7, label=f"{depth} layers")
    axes.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="iterations")
    rates = sorted(small["relative_step_size"].unique())
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates])
    axes.xaxis.minorticks_off()
    axes.legend(loc="upper right")


def _label(axes: Axes, text: str) -> str:
    """The text once for each axes."""
    return "_" if text in axes.get_legend_handles_labels()[1] else text


def _overlap(times: pd.DataFrame, depth: int) -> Measurement | None:
    """Overlap of neighbouring stages under per-coordinate RMSProp at one depth."""
    runs = run_separation(times)
    own = runs[(runs["optimizer"] == "rmsprop") & (runs["depth"] == depth)]
    if own.empty:
        return None
    by_rate = own.groupby("relative_step_size")["overlap"].median()
    others = runs[runs["depth"] == depth].groupby(["optimizer", "relative_step_size"])["overlap"]
    listed = ", ".join(f"{value:.2g} at rate {rate:g}" for rate, value in by_rate.items())
    shared = ", ".join(f"{value:.2g}" for value in others.median().loc["rmsprop_shared"])
    descent = others.median().loc["gradient_descent"].max()
    kept = by_rate[by_rate <= MERGED]
    limited = len(kept) > 0 and len(kept) < len(by_rate)
    return Measurement(
        value=float(by_rate.max()),
        interval=value_range(own["overlap"], "runs at every rate"),
        in_scope=float(kept.max()) if limited else None,
        scope=f"at learning rates up to {kept.index.max():g}" if limited else "",
        note=f"Share of its target that the next singular value has reached when one is at 90 %, "
        f"largest of a run, median over {own['seed'].nunique()} seeds and two scales: {listed}; the "
        f"value is that of the worst rate. With one scale shared by all coordinates {shared}, under "
        f"descent {descent:.2g}.",
    )


@STUDY.claim(
    "cao_rmsprop_stages",
    source="cao2022",
    statement="RMSProp goes through the same stages at two layers: the next singular value has not "
    "begun when one is learned (median overlap, worst learning rate).",
    reads=TIMES,
    holds=at_most(MERGED),
)
def stages_of_two_layers(times: pd.DataFrame) -> Measurement | None:
    """Overlap of neighbouring stages at two layers."""
    return _overlap(times, depth=2)


@STUDY.claim(
    "cao_rmsprop_stages_deep",
    source="cao2022",
    statement="It goes through the same stages at three layers (median overlap, worst learning "
    "rate).",
    reads=TIMES,
    holds=at_most(MERGED),
)
def stages_of_three_layers(times: pd.DataFrame) -> Measurement | None:
    """Overlap of neighbouring stages at three layers."""
    return _overlap(times, depth=3)


def all_at_once(times: pd.DataFrame) -> pd.DataFrame:
    """Overlaps of one half, whatever the optimiser and depth."""
    return times.assign(next_value_overlap=0.5)


for _claim in (stages_of_two_layers, stages_of_three_layers):
    _claim.rival("Modes rise together: the next one is halfway when one is learned.")(all_at_once)


@STUDY.claim(
    "cao_rmsprop_rate",
    source="cao2022",
    statement="Larger learning rates help RMSProp through the stages: the iterations fall at "
    "least in proportion to 1/rate (exponent −0.9 or less, median over starts).",
    reads=COORDINATE,
    holds=at_most(-0.9),
)
def rate(times: pd.DataFrame) -> Measurement | None:
    """Exponent of the iterations over the learning rate."""
    runs = run_separation(times)
    keys = ["optimizer", "depth", "product_scale", "seed"]
    last, overlap = (
        runs.pivot(index=keys, columns="relative_step_size", values=name)
        for name in ("last_iteration", "overlap")
    )
    exponent = pd.Series(
        np.polyfit(np.log(last.columns.to_numpy(float)), np.log(last.to_numpy()).T, 1)[0],
        index=last.index,
    ).dropna()
    if exponent.empty:
        return None
    apart = overlap.iloc[:, -1] <= overlap.iloc[:, 0]
    by_kind = exponent.groupby(["optimizer", "depth"]).median()
    return Measurement(
        value=float(exponent.median()),
        interval=bootstrap_confidence(exponent, np.median),
        note=f"Exponent of the iterations until the last mode is learned over the learning rate "
        f"({', '.join(f'{value:g}' for value in last.columns)}), {len(exponent)} starts; by kind: "
        + ", ".join(f"{name} L = {depth} {value:.3f}" for (name, depth), value in by_kind.items())
        + f". The stages themselves get blurred: the largest rate separates them at least as well as "
        f"the smallest from {apart.mean():.0%} of the starts.",
    )


@rate.rival("The learning rate makes no difference to the number of iterations.")
def no_difference(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times of the smallest rate at every rate."""
    keys = ["optimizer", "depth", "delta", "seed", "mode"]
    smallest = times.sort_values("relative_step_size").groupby(keys)["learning_iteration"]
    return times.assign(learning_iteration=smallest.transform("first"))
