"""How long does a deep network wait?"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_least, within
from stagewise.studies.common.depth import (
    log_slope,
    with_depth_law,
    with_product_scale,
)
from stagewise.studies.common.measures import share_confidence, value_range
from stagewise.studies.common.study import (
    Measurement,
    Study,
    learning_times,
)
from stagewise.theory import descent_iteration, discrete_correction, flow_time, strength_left

STUDY = Study(
    __name__,
    order=150,
    question="How long do deeper networks wait at a saddle?",
    title="Deeper networks wait longer and learn more abruptly",
    caption="""{% set each = experiments.escape_times -%}
{% set law = experiments.depth_law -%}
{% set data = datasets[each.datasets[0]] -%}
Learning times of deep factorisations and networks. (a) The strongest mode over the product scale ε (rank {{ data.rank | join(", ") }}, n = {{ data.dim_in }}, {{ each.replicates }} seeds, mean and range); lines: closed form of the flow of singular values (Arora et al. 2019 have it as a differential equation at any depth), for three layers on with the step's correction; the time grows like ln(1/ε) at two layers and like ε^(−(L−2)/L) at L. (b) Full-matrix descent on random commuting modes from the aligned start, ησ₁ = {{ law.step_size | max }}: measured over the law of the flow, δ/(ησ) or e^(δ(L−2))/((L−2)ησ). As ε falls two layers tend to x/ln(1 + x), x = ησ₁ (dashed), three and four to 1: with them the step-size correction vanishes with the start. Bars: range over {{ law.replicates }} problems. (c) Share that the second singular value has reached when the first is at 90 % (median and range): deeper networks learn more abruptly.""",
    alt="Learning time of the strongest mode against product scale by depth, measured over the "
    "law of the flow, and the separation of stages by depth.",
)
TIMES = learning_times("escape_times")
LAW = learning_times("depth_law", of=("mode_strengths",))


@STUDY.figure(TIMES, LAW)
def draw(times: pd.DataFrame, commuting: pd.DataFrame) -> Figure:
    """Learning time over the scale; measured over the flow's law; overlap of stages; by depth."""
    times = with_depth_law(times)
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.85), layout="constrained")
    scaling, law, overlap = figure.subplots(1, 3)
    first = times[times["mode"] == 1]
    _scaling(scaling, first)
    style.panel_title(scaling, "a", "strongest mode")
    _law(law, with_depth_law(commuting))
    style.panel_title(law, "b", "over the law of the flow")
    _overlap(overlap, first)
    style.panel_title(overlap, "c", "separation of stages")
    handles, labels = scaling.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3)
    return figure


def _series(times: pd.DataFrame) -> list[tuple[int, str, pd.DataFrame, dict[str, Any]]]:
    colours = style.distinct_colours()
    depths = sorted(times["depth"].unique())
    return [
        (
            int(depth),
            str(start),
            rows,
            {
                "index": depths.index(depth),
                "color": colours[depths.index(depth)],
                "markerfacecolor": (
                    "white" if start == "gaussian" else colours[depths.index(depth)]
                ),
                "elinewidth": 0.7,
                "markersize": 4 if start == "gaussian" else 2.2,
                "label": f"L = {depth}, {'Gaussian' if start == 'gaussian' else start}",
            },
        )
        for (depth, start), rows in times.groupby(["depth", "initialisation"])
    ]


def _ranged(
    axes: Axes, rows: pd.DataFrame, value: pd.Series, look: dict[str, Any], middle: str = "mean"
) -> None:
    groups = value.groupby(rows["product_scale"])
    scales = list(groups.groups)
    style.middle_and_spread(axes, scales, groups, middle=middle, ends=(0, 1), **look)


def _scaling(axes: Axes, times: pd.DataFrame) -> None:
    for depth, start, rows, look in _series(times):
        _ranged(axes, rows, rows["learning_iteration"] * rows["step_size"] * rows["sigma"], look)
        if start == "aligned":
            scales = np.geomspace(rows["product_scale"].min(), rows["product_scale"].max(), 60)
            sigma, step = rows["sigma"].iloc[0], rows["step_size"].iloc[0]
            delta, lam = -np.log(scales) / depth, np.ones_like(scales)
            predicted = (
                flow_time(sigma, lam, delta, 2)
                if depth == 2
                else step * descent_iteration(sigma, lam, delta, step, depth)
            )
            axes.plot(scales, sigma * predicted, color=style.INK, linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel=r"product scale $\varepsilon$")
    axes.set(ylabel=r"learning time $\times\,\eta\sigma_1$")


def _law(axes: Axes, times: pd.DataFrame) -> None:
    """The strongest mode, followed by its own strength, in units of the law of the flow."""
    rows = times[(times["mode"] == 1) & times["mode_learning_iteration"].notna()]
    flow = rows["predicted_flow"].where(rows["depth"] == 2, rows["predicted_leading"])
    depths = sorted(rows["depth"].unique())
    for depth, _, own, look in _series(rows):
        # A little apart, so that the bars of equal scales stay visible.
        shifted = own.assign(product_scale=own["product_scale"] * 1.3 ** depths.index(depth))
        look |= {"markersize": 3.2, "markerfacecolor": "white"}
        _ranged(axes, shifted, own["mode_learning_iteration"] / flow[own.index], look)
    growth = float((rows["step_size"] * rows["sigma"]).max())
    correction = float(discrete_correction(np.array(growth)))
    axes.axhline(1, color=style.INK, linewidth=0.8)
    axes.axhline(correction, color=style.INK, linewidth=0.8, linestyle="--")
    axes.annotate(
        r"$x/\ln(1+x)$",
        (0.1, correction),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        fontsize=6.5,
    )
    axes.set(xscale="log", xlabel=r"product scale $\varepsilon$", ylabel="measured / law")


def _overlap(axes: Axes, times: pd.DataFrame) -> None:
    for _, _, rows, look in _series(times):
        # Single runs whose stages merge would decide a mean.
        _ranged(axes, rows, rows["next_value_overlap"], look, "median")
    axes.set(xscale="log", yscale="log", xlabel=r"product scale $\varepsilon$")
    axes.set(ylabel="next value learned at 90 %")


@STUDY.claim(
    "depth_escape_time",
    source="ours",
    statement="From three layers on the time to escape grows like ε^(−(L−2)/L), not like ln(1/ε) "
    "(difference of exponents).",
    reads=TIMES,
    holds=within(0, 0.05),
)
def escape(times: pd.DataFrame) -> Measurement | None:
    times = with_product_scale(times)
    times = times[(times["mode"] == 1) & times["learning_iteration"].notna()]
    deep, two = times[times["depth"] >= 3], times[times["depth"] == 2]
    if deep.empty or two.empty or times["product_scale"].nunique() < 2:
        return None
    found = {
        key: log_slope(rows, "learning_iteration")
        for key, rows in deep.groupby(["depth", "initialisation"])
    }
    gaps = pd.Series({key: slope + (key[0] - 2) / key[0] for key, slope in found.items()})
    rate = two["step_size"] * two["sigma"]
    slope = np.polyfit(-np.log(two["product_scale"]), two["learning_iteration"] * rate, 1)[0]
    growth = float(rate.mean())
    return Measurement(
        value=float(gaps.iloc[int(np.argmax(gaps.abs()))]),
        interval=value_range(gaps, "depths and starts"),
        note="Exponent of the strongest mode's learning time over ε, plus (L − 2)/L, the worst: "
        + ", ".join(f"L = {depth} {start} {slope:.3f}" for (depth, start), slope in found.items())
        + f". At two layers the time grows by {slope:.3f}/(ησ) a unit of ln(1/ε); predicted ½ times "
        f"x/ln(1 + x), {growth / np.log1p(growth) / 2:.3f}.",
    )


@escape.rival("It grows like ln(1/ε), as with two layers.")
def logarithmic(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times in proportion to the logarithm of the product scale."""
    return times.assign(learning_iteration=times["delta"] * times["depth"])


@STUDY.claim(
    "depth_closed_form",
    source="ours",
    statement="For three layers on the closed form of the flow, with the step's correction to "
    "second order, gives learning times of descent (measured over predicted).",
    reads=LAW,
    holds=within(1, 0.005),
)
def closed_form(times: pd.DataFrame) -> Measurement | None:
    times = with_depth_law(times)
    times = times[(times["depth"] >= 3) & times["mode_learning_iteration"].notna()]
    if times.empty:
        return None
    ratio = times["mode_learning_iteration"] / times["predicted_closed"]
    gap = times["mode_learning_iteration"] - times["predicted_closed"]
    return Measurement(
        value=float(ratio.iloc[int(np.argmax((ratio - 1).abs()))]),
        interval=value_range(ratio, "modes, scales and depths"),
        note=f"Measured over predicted, the worst of {len(ratio)} modes of full-matrix runs at L = 3, "
        f"4, learning times of {times['mode_learning_iteration'].min():.0f} to "
        f"{times['mode_learning_iteration'].max():.0f} iterations; in iterations the largest gap is "
        f"{gap.abs().max():.2f}, its median {gap.abs().median():.3f}.",
    )


@closed_form.rival("The correction of two layers, x/ln(1 + x), at every depth.")
def correction_of_two_layers(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times longer by that factor."""
    growth = times["step_size"] * times["sigma"]
    late = times["mode_learning_iteration"] * discrete_correction(growth.to_numpy())
    return times.assign(mode_learning_iteration=late)


@STUDY.claim(
    "depth_no_correction",
    source="ours",
    statement="From three layers on the step-size correction x/ln(1 + x) vanishes with the start: "
    "learning times come to the law of the flow (worst run at the smallest start).",
    reads=LAW,
    holds=within(1, 0.01),
)
def no_correction(times: pd.DataFrame) -> Measurement | None:
    times = with_depth_law(times)
    times = times[times["mode_learning_iteration"].notna()]
    times = times[times["delta"] == times.groupby("depth")["delta"].transform("max")]
    times = times[times["relative_step_size"] == times["relative_step_size"].max()]
    if times.empty or times["depth"].max() < 3:
        return None
    flow = times["predicted_leading"].where(times["depth"] > 2, times["predicted_flow"])
    ratio = times["mode_learning_iteration"] / flow
    strongest = times["mode"] == 1
    means = ratio[strongest].groupby(times["depth"]).mean()
    deep = ratio[strongest & (times["depth"] >= 3)]
    growth = (times["step_size"] * times["sigma"])[strongest].iloc[0]
    return Measurement(
        value=float(deep.iloc[int(np.argmax((deep - 1).abs()))]),
        interval=value_range(deep, "those runs"),
        note=f"Measured over the law of the flow, strongest mode, ησ = {growth:.3g}, smallest start, "
        f"the worst of {len(deep)} runs at L = 3, 4; means "
        + ", ".join(f"{value:.4f} at L = {depth}" for depth, value in means.items())
        + f". x/ln(1 + x) is {growth / np.log1p(growth):.4f}.",
    )


no_correction.rival("The correction of two layers, x/ln(1 + x), at every depth.")(
    correction_of_two_layers
)


@STUDY.claim(
    "depth_separation",
    source="ours",
    statement="At the same product scale and seed every further layer separates stages more (share "
    "of starts from which the next singular value has less of its target with each layer).",
    reads=TIMES,
    holds=at_least(1),
)
def separation(times: pd.DataFrame) -> Measurement | None:
    times = with_product_scale(times).sort_values(["run", "mode"])
    times = times.assign(next_sigma=times.groupby("run")["sigma"].shift(-1))
    times = times[(times["mode"] == 1) & times["next_value_overlap"].notna()]
    keys = ["initialisation", "product_scale", "seed"]
    wide = times.pivot(index=keys, columns="depth", values="next_value_overlap").dropna()
    if wide.shape[1] < 2 or wide.empty:
        return None
    falls = pd.Series((np.diff(wide.to_numpy(), axis=1) < 0).all(axis=1), index=wide.index)
    by_start = falls.groupby("initialisation").mean()
    aligned = times[times["initialisation"] == "aligned"]
    exact = aligned[aligned["depth"] >= 3]
    names = ("next_sigma", "sigma", "product_scale", "depth")
    left = strength_left(*(exact[name].to_numpy() for name in names))
    law = exact["next_value_overlap"] * exact["next_sigma"] / left
    medians = times[times["initialisation"] == "gaussian"].pivot_table(
        index="product_scale", columns="depth", values="next_value_overlap", aggfunc="median"
    )
    return Measurement(
        value=float(falls.mean()),
        interval=share_confidence(int(falls.sum()), len(falls)),
        in_scope=float(by_start["aligned"]) if "aligned" in by_start else None,
        scope="from the aligned start" if "aligned" in by_start else "",
        note=f"Share of {len(falls)} starts (kind, scale, seed): "
        + ", ".join(f"{start} {share:.2f}" for start, share in by_start.items())
        + ". Medians of Gaussian starts at L = "
        + ", ".join(str(depth) for depth in medians.columns)
        + ": "
        + "; ".join(
            f"ε = {scale:.0e}: {', '.join(f'{value:.1e}' for value in row)}"
            for scale, row in zip(medians.index, medians.to_numpy(), strict=True)
        )
        + f". From the aligned start and three layers on, what the second mode has is {law.min():.2f} "
        f"to {law.max():.2f} of ε(1 − σ₂/σ₁)^(−L/(L−2)) over its target (derived; the flow from a "
        "vanishing start, when the first mode is learned).",
    )


@separation.rival("Depth makes no difference to the separation.")
def no_difference(times: pd.DataFrame) -> pd.DataFrame:
    """One overlap at every depth."""
    return times.assign(next_value_overlap=0.1)
