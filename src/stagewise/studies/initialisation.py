"""Which starts learn in stages?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most, within
from stagewise.studies.common.measures import value_range, wilson_interval
from stagewise.studies.common.study import (
    Interval,
    Measurement,
    NothingToMeasureError,
    Study,
    learning_times,
    trajectory_summary,
)

STUDY = Study(
    __name__,
    order=50,
    question="Does every vanishing start learn in stages?",
    title="Stages need no aligned start, and a balanced one of the wrong orientation ends late",
    caption="""{% set each = experiments.initialisation -%}
Five commuting modes learned from different starts ({{ each.initialisation | join(", ") }}; unbalanced: Gaussian, first layer ten times larger and second ten times smaller), step ησ₁ = {{ each.step_size | join(", ") }}, {{ each.replicates }} seeds, each with its own σ and λ (protocol ours). (a, b) Measured over predicted learning time, mean and 5–95 % over modes and seeds, by start and by number of hidden units; a network of width 3 learns the three strongest modes. (c) Alignment of the strongest singular direction of W with that of sigma_xy: generic starts turn in before the mode is learned (mean; band 5–95 % of Gaussian starts; an aligned start is at 1 only once the mode is the largest of sigma_x W). An orthogonal start whose determinant has the sign opposite to that of sigma_xy learns the last mode at about three times the law, when what finite steps leave of its balance has grown (beyond δ ≈ 18 rounding does so earlier): the long bars in (a). (d) Share of neighbouring modes that are learned in the wrong order, with 95 % intervals.""",
    alt="Measured over predicted learning times by start and by width, alignment of the strongest mode over training, and the share of neighbouring modes learned out of order.",
)
TIMES = learning_times("initialisation", of=("response_values", "mode_strengths"))
CURVES = trajectory_summary("initialisation", of=("response_values", "mode_strengths"))
CLOSE = 0.95
"""Neighbouring modes whose singular values are closer than this ratio are told apart slowly."""
LATE = 1.8
"""A mode is late when it takes this many times what the law says."""


@STUDY.figure(TIMES, CURVES)
def draw(times: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """Ratios to the law by start and by width, alignment over training, and order."""
    wide = times[times["width"] == _middle(times["width"])]
    figure = Figure(figsize=(style.TWO_COLUMNS, 4.7), layout="constrained")
    (starts, widths), (alignment, order) = figure.subplots(2, 2)
    _ratios(starts, wide, "initialisation", "{}")
    style.panel_title(starts, "a", f"law by start, width {_middle(times['width'])}")
    gaussian = times[times["initialisation"] == "gaussian"]
    _ratios(widths, gaussian, "width", "width {}")
    style.panel_title(widths, "b", "law by width, Gaussian start")
    _alignment(alignment, curves[curves["width"] == _middle(times["width"])], _kinds(times))
    _order(order, wide)
    style.panel_title(order, "d", "order of learning")
    return figure


def _middle(values: pd.Series) -> int:
    found = sorted(values.unique())
    return int(found[len(found) // 2])


def _ratios(axes: Axes, times: pd.DataFrame, by: str, name: str) -> None:
    scales = np.array(sorted(times["delta"].unique()))
    ratio = times["learning_iteration"] / times["predicted_discrete"]
    kinds = list(dict.fromkeys(times[by]))
    for index, kind in enumerate(kinds):
        style.middle_and_spread(
            axes,
            scales * (1 + 0.09 * (index - (len(kinds) - 1) / 2)),
            ratio[times[by] == kind].groupby(times["delta"]),
            index,
            color=style.distinct_colours()[index],
            label=name.format(kind),
        )
    axes.axhline(1, color=style.INK, linewidth=0.8)
    style.log_scale_axis(axes, scales)
    axes.set_ylabel(r"measured / $\delta/\ln(1+\eta\sigma)$")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.25 * (high - low))
    axes.legend(loc="upper right", ncols=2, handletextpad=0.2, columnspacing=0.8)


def _kinds(times: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(times["initialisation"]))


def _alignment(axes: Axes, curves: pd.DataFrame, kinds: list[str]) -> None:
    delta = float(curves["delta"].median())
    delta = min(curves["delta"].unique(), key=lambda each: abs(each - delta))
    some = curves[
        (curves["delta"] == delta)
        & (curves["quantity"] == "alignment")
        & (curves["mode"] == 1)
        & (curves["iteration"] > 0)
    ]
    if some.empty:
        raise NothingToMeasureError("the strongest mode")
    for index, kind in enumerate(kinds):
        style.measured_curve(
            axes,
            some[some["initialisation"] == kind],
            18,
            index,
            band=kind == "gaussian",
            color=style.distinct_colours()[index],
            label=kind,
        )
    axes.set(xscale="log", xlabel="iteration", ylim=(-0.05, 1.08))
    axes.set_ylabel(r"alignment $\lambda_1 u_1^\top W v_1\,/\,\sigma_1(\Sigma_x W)$")
    style.panel_title(axes, "c", rf"strongest mode turns in, $\delta={delta:g}$")


def _order(axes: Axes, times: pd.DataFrame) -> None:
    shares = out_of_order(times)
    scales = np.array(sorted(shares["delta"].unique()))
    kinds = _kinds(times)
    for index, kind in enumerate(kinds):
        some = shares[shares["initialisation"] == kind]
        axes.errorbar(
            scales * (1 + 0.09 * (index - (len(kinds) - 1) / 2)),
            some["share"],
            yerr=np.stack([some["share"] - some["low"], some["high"] - some["share"]]).clip(0),
            marker=style.MARKERS[index],
            markerfacecolor="white",
            linestyle="none",
            elinewidth=0.8,
            color=style.distinct_colours()[index],
            label=kind,
        )
    style.log_scale_axis(axes, scales)
    axes.set(ylabel="share of neighbours out of order", ylim=(-0.02, None))


@STUDY.claim(
    "ours_orientation",
    source="ours",
    statement="From a balanced square start whose determinant has the sign opposite to the target's "
    "the last mode comes late: as δ → ∞ at three times δ/ln(1 + ησ) (median over starts, largest δ "
    "at which rounding does not come first).",
    reads=TIMES,
    holds=within(3, 0.25),
)
def orientation(times: pd.DataFrame) -> Measurement | None:
    # In double precision rounding, an error of e^-37, sets the mode free from about δ = 18 on.
    square = times[(times["width"] >= times["dim_in"]) & (times["delta"] <= 16)]
    last = square[square["mode"] == square["dim_in"]]
    balanced = last[last["initialisation"] == "orthogonal"]
    if balanced.empty:
        return None
    ratio = (balanced["learning_iteration"] / balanced["predicted_discrete"]).fillna(np.inf)
    wrong = balanced["orientation"] < 0
    by_delta = ratio[wrong].groupby(balanced["delta"]).median()
    largest = ratio[wrong & (balanced["delta"] == balanced["delta"].max())]
    agrees = (ratio > LATE) == wrong
    gaussian = last[(last["initialisation"] == "gaussian") & (last["orientation"] < 0)]
    late = gaussian["learning_iteration"] / gaussian["predicted_discrete"] > LATE
    return Measurement(
        value=float(largest.median()),
        interval=value_range(largest, "those starts"),
        note="Median of measured over δ/ln(1 + ησ) of the last mode from orthogonal starts of the "
        "wrong orientation: "
        + ", ".join(f"{value:.2f} at δ = {delta:g}" for delta, value in by_delta.items())
        + f" ({len(largest)} starts at the largest). The flow would never learn it. Finite "
        "steps break the balance: the null hidden direction decays like e^−δ, the antisymmetric "
        f"residual like e^−2δ, and the step leaves η·e^−3δ growing. {int(agrees.sum())} of "
        f"{len(agrees)} orthogonal starts take more than {LATE:g} times the law if and only if the "
        f"orientation is wrong. Of Gaussian starts with differing signs, which are not balanced, "
        f"{late.mean():.0%} are late.",
    )


@orientation.rival(
    "The sign of the determinant does not matter: every last mode is learned in time."
)
def always_in_time(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times as the law has them, whatever the orientation."""
    return times.assign(learning_iteration=times["predicted_discrete"])


@orientation.rival("The balance breaks to second order only: twice the law.")
def twice_the_law(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times of twice the law."""
    return times.assign(learning_iteration=2 * times["predicted_discrete"])


@STUDY.claim(
    "review_starts",
    source="reviews",
    statement="Aligned, orthogonal, Gaussian or unbalanced, narrow or wide: small starts learn mode i at δ/ln(1 + ησᵢ), within 10 % (5 and 95 % quantiles over modes and seeds, worst start and width, largest δ).",
    reads=TIMES,
    holds=within(1, 0.1),
)
def starts_obey_the_law(times: pd.DataFrame) -> Measurement | None:
    last = times[times["delta"] == times["delta"].max()]
    ratio = (last["learning_iteration"] / last["predicted_discrete"]).fillna(np.inf)
    starts = [last["initialisation"], last["width"]]
    stuck = (last["initialisation"] == "orthogonal") & (last["orientation"] < 0)
    medians = ratio.groupby(last["initialisation"]).median()
    return Measurement(
        value=_farthest(ratio, starts),
        interval=value_range(ratio.clip(upper=1e3), "modes, seeds, starts and widths"),
        in_scope=_farthest(ratio[~stuck], [each[~stuck] for each in starts]),
        scope="without balanced starts of the wrong orientation",
        note=f"Measured over δ/ln(1 + ησ) at δ = {last['delta'].iloc[0]:g}, of the 5 and 95 % quantiles "
        "over modes and seeds of any start and width the one farthest from 1. Medians: "
        + ", ".join(f"{start} {value:.4f}" for start, value in medians.items())
        + f". Not within 10 % of the law: {((ratio - 1).abs() > 0.1).mean():.1%} of modes, and "
        f"{((ratio[~stuck] - 1).abs() > 0.1).mean():.1%} without the orthogonal starts whose "
        "determinant has the wrong sign.",
    )


@starts_obey_the_law.rival("The law of the flow, δ/(ησ).")
def flow_law(times: pd.DataFrame) -> pd.DataFrame:
    """The prediction of the flow in place of that of descent."""
    return times.assign(predicted_discrete=times["predicted_flow"])


def _farthest(ratio: pd.Series, starts: list[pd.Series]) -> float:
    """The quantile, 5 or 95 % of any start, that is farthest from 1; 1000 stands for never."""
    quantiles = ratio.clip(upper=1e3).groupby(starts).quantile([0.05, 0.95])
    return float(quantiles.iloc[int(np.argmax(np.abs(np.log(quantiles))))])


@STUDY.claim(
    "review_order",
    source="reviews",
    statement="Vanishing starts learn the modes in order: none of the neighbouring modes is out of order (worst start, largest δ).",
    reads=TIMES,
    holds=at_most(0),
)
def order(times: pd.DataFrame) -> Measurement | None:
    shares = out_of_order(times)
    if shares.empty:
        return None
    last = shares[shares["delta"] == shares["delta"].max()]
    worst = last.loc[last["share"].idxmax()]
    apart = out_of_order(times, closest=CLOSE)
    apart = apart[apart["delta"] == apart["delta"].max()]
    listed = "; ".join(
        f"{start} " + ", ".join(f"{share:.3f}" for share in group["share"])
        for start, group in shares.groupby("initialisation")
    )
    return Measurement(
        value=float(worst["share"]),
        interval=Interval(float(worst["low"]), float(worst["high"]), "95 % confidence", "Wilson's"),
        in_scope=float(apart["share"].max()),
        scope=f"where the weaker mode has less than {CLOSE:g} of the stronger one's σ",
        note=f"Share of neighbouring modes learned in the wrong order at δ = "
        f"{', '.join(f'{delta:g}' for delta in sorted(shares['delta'].unique()))}: {listed}; one "
        f"never learned counts as late, not as out of order. Value: the worst start at the largest "
        f"δ, of {int(worst['pairs'])} pairs.",
    )


@order.rival("One pair of neighbours in twenty is learned in the wrong order.")
def some_swapped(times: pd.DataFrame) -> pd.DataFrame:
    """In every fifth seed the two strongest modes have each other's learning times."""
    chosen = times["seed"].mod(5).eq(0) & times["mode"].isin((1, 2))
    runs = times[chosen].groupby(["initialisation", "delta", "run"])["mode_learning_iteration"]
    exchanged = times["mode_learning_iteration"].copy()
    exchanged[chosen] = runs.transform(lambda pair: pair.to_numpy()[::-1])
    return times.assign(mode_learning_iteration=exchanged)


def out_of_order(times: pd.DataFrame, closest: float = 1.0) -> pd.DataFrame:
    """Share of neighbouring modes of which the weaker is learned first, by start and delta.

    times : learning times; modes are followed by their own strengths, and one never learned counts
    as infinitely late. closest : pairs whose singular values have a larger ratio are left out.
    Returns columns initialisation, delta, share, low, high, pairs.
    """
    keys = ["initialisation", "delta"]
    index = [*keys, "run"]
    wide, sigma = (
        times.pivot(index=index, columns="mode", values=name).to_numpy()
        for name in ("mode_learning_iteration", "sigma")
    )
    wide = np.where(np.isnan(wide), np.inf, wide)
    counted = sigma[:, 1:] / sigma[:, :-1] <= closest
    runs = times.pivot(index=index, columns="mode", values="sigma").index
    swapped = pd.DataFrame((wide[:, 1:] < wide[:, :-1]) & counted, index=runs)
    pairs_of = pd.DataFrame(counted, index=runs)
    rows = []
    for key, group in swapped.groupby(level=keys):
        count = int(group.to_numpy().sum())
        pairs = int(pairs_of.loc[group.index].to_numpy().sum())
        if pairs == 0:
            continue
        rows.append((*key, count / pairs, *wilson_interval(count, pairs), pairs))
    return pd.DataFrame(rows, columns=[*keys, "share", "low", "high", "pairs"])
