"""Claims on the path of training: perturbation, start, and reduced-rank regression on the way."""

import numpy as np
import pandas as pd

from stagewise.claims.registry import Claim, Measurement
from stagewise.store.aggregates import Aggregates
from stagewise.studies.common.comparisons import (
    deviations,
    growth_while_waiting,
    out_of_order,
    wilson_interval,
)
from stagewise.studies.common.measures import spread

LATE = 1.8
"""A mode is late when it takes this many times what the law says."""


def _perturbation_slope(aggregates: Aggregates) -> Measurement | None:
    runs = deviations(aggregates.times_of("perturbation"))
    if runs.empty:
        return None
    slopes = _log_slopes(runs)
    first = slopes["small"]
    return Measurement(
        value=float(slopes["all"].median()),
        interval=spread(slopes["all"]),
        in_scope=float(first.median()),
        note=f"Slope of ln(largest deviation) over ln‖B‖₂ between the smallest and the largest "
        f"perturbation, the same matrix scaled, median of {len(slopes)} combinations of draw and δ; "
        f"between the two smallest {first.median():.4f} ({first.quantile(0.05):.3f} to "
        f"{first.quantile(0.95):.3f}).",
    )


def _log_slopes(runs: pd.DataFrame) -> pd.DataFrame:
    """Slopes over the perturbation's size, a row a draw and delta: of all sizes, of the smallest."""
    rows = []
    for _, group in runs.groupby(["dim_in", "seed", "delta"]):
        ordered = group.sort_values("non_commuting")
        size, deviation = (np.log(ordered[name]) for name in ("non_commuting", "largest_deviation"))
        steps = np.diff(deviation) / np.diff(size)
        whole = (deviation.iloc[-1] - deviation.iloc[0]) / (size.iloc[-1] - size.iloc[0])
        rows.append({"all": whole, "small": steps[0]})
    return pd.DataFrame(rows)


def _perturbation_end(aggregates: Aggregates) -> Measurement | None:
    runs = deviations(aggregates.times_of("perturbation"))
    if runs.empty:
        return None
    ratio = runs.groupby("delta")["over_final"].median()
    largest = runs[runs["delta"] == ratio.index[-1]]["over_final"]
    listed = ", ".join(f"{value:.3f} at δ = {delta:g}" for delta, value in ratio.items())
    late = runs["moment"]
    return Measurement(
        value=float(ratio.iloc[-1]),
        interval=spread(largest),
        note=f"Largest deviation during training over that at its end, median: {listed}; worst run "
        f"{runs['over_final'].max():.2f}. It is largest at {late.median():.2f} (5–95 % "
        f"{late.quantile(0.05):.2f} to {late.quantile(0.95):.2f}) of the time at which the weakest "
        "mode is learned.",
    )


def _waiting(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("perturbation_growth")
    if times.empty:
        return None
    pairs = growth_while_waiting(times)
    gap = pairs["measured"] - pairs["derived"]
    apart, agreeing = pairs[pairs["disagree"]], pairs[~pairs["disagree"]]
    slope = float(apart["measured"] @ apart["derived"] / (apart["derived"] @ apart["derived"]))
    return Measurement(
        value=slope,
        interval=spread(apart["measured"] / apart["derived"]),
        note=f"Measured over derived growth exponent per unit of δ, least squares through 0 over "
        f"{len(apart)} pairs whose orders disagree (exponents {apart['derived'].min():.3f} to "
        f"{apart['derived'].max():.3f}; interval 5–95 % of pairs). On the {len(agreeing)} others the "
        f"largest measured exponent is {agreeing['measured'].max():.4f}; largest difference of any "
        f"pair {gap.abs().max():.3f}.",
    )


def _starts(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("initialisation")
    if times.empty:
        return None
    last = times[times["delta"] == times["delta"].max()]
    ratio = (last["learning_iteration"] / last["predicted_discrete"]).fillna(np.inf)
    starts = [last["initialisation"], last["width"]]
    stuck = (last["initialisation"] == "orthogonal") & (last["orientation"] < 0)
    medians = ratio.groupby(last["initialisation"]).median()
    return Measurement(
        value=_farthest(ratio, starts),
        interval=(float(ratio.quantile(0.05)), float(min(ratio.quantile(0.95), 1e3))),
        in_scope=_farthest(ratio[~stuck], [each[~stuck] for each in starts]),
        note=f"Measured over δ/ln(1 + ησ) at δ = {last['delta'].iloc[0]:g}, of the 5 and 95 % quantiles "
        "over modes and seeds of any start and width the one farthest from 1. Medians: "
        + ", ".join(f"{start} {value:.4f}" for start, value in medians.items())
        + f". Not within 10 % of the law: {((ratio - 1).abs() > 0.1).mean():.1%} of modes, and "
        f"{((ratio[~stuck] - 1).abs() > 0.1).mean():.1%} without the orthogonal starts whose "
        "determinant has the wrong sign.",
    )


def _farthest(ratio: pd.Series, starts: list[pd.Series]) -> float:
    """The quantile, 5 or 95 % of any start, that is farthest from 1; 1000 stands for never."""
    quantiles = ratio.clip(upper=1e3).groupby(starts).quantile([0.05, 0.95])
    return float(quantiles.iloc[int(np.argmax(np.abs(np.log(quantiles))))])


def _orientation(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("initialisation")
    # Rounding is an error of e^-37, a start that escapes by itself when delta is as large.
    square = times[(times["width"] >= times["dim_in"]) & (times["delta"] <= 16)]
    last = square[square["mode"] == square["dim_in"]].copy()
    if last.empty:
        return None
    ratio = last["learning_iteration"] / last["predicted_discrete"]
    last["late"] = ~(ratio < LATE)
    balanced = last[last["initialisation"] == "orthogonal"]
    agrees = balanced["late"] == (balanced["orientation"] < 0)
    gaussian = last[(last["initialisation"] == "gaussian") & (last["orientation"] < 0)]
    return Measurement(
        value=float(agrees.mean()),
        interval=wilson_interval(int(agrees.sum()), len(agrees)),
        note=f"Share of {len(balanced)} orthogonal starts of at least {int(last['dim_in'].iloc[0])} "
        f"hidden units, δ ≤ 16, whose last mode takes more than {LATE:g} times δ/ln(1 + ησ) if and only if det W and "
        f"det sigma_xy differ in sign at the start; {int(balanced['late'].sum())} do. In exact "
        f"arithmetic they would never learn it; rounding sets them free. Of Gaussian starts with "
        f"differing signs, which are not balanced, {gaussian['late'].mean():.0%} are late.",
    )


def _order(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("initialisation")
    if times.empty:
        return None
    shares = out_of_order(times)
    last = shares[shares["delta"] == shares["delta"].max()]
    worst = last.loc[last["share"].idxmax()]
    listed = "; ".join(
        f"{start} " + ", ".join(f"{share:.3f}" for share in group["share"])
        for start, group in shares.groupby("initialisation")
    )
    return Measurement(
        value=float(worst["share"]),
        interval=(float(worst["low"]), float(worst["high"])),
        note=f"Share of neighbouring modes learned in the wrong order at δ = "
        f"{', '.join(f'{delta:g}' for delta in sorted(shares['delta'].unique()))}: {listed}. Value: "
        f"the worst start at the largest δ, with its 95 % interval.",
    )


def _reduced_rank_path(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("reduced_rank_path")
    # The last stage ends at least squares, which is the regression of full rank anyway.
    last = times.groupby("dataset")["mode"].transform("max")
    times = times[times["mode"] < last]
    if times.empty:
        return None
    nearest = times.groupby(["dataset", "delta", "mode"])["nearest_reduced_rank"].mean()
    worst = nearest.groupby(["dataset", "delta"]).max().unstack("delta")
    largest = worst[worst.columns[-1]]
    listed = "; ".join(
        f"{name} " + ", ".join(f"{value:.2g}" for value in row) for name, row in worst.iterrows()
    )
    scope = float(largest["staircase"]) if "staircase" in largest else None
    return Measurement(
        value=float(largest.max()),
        interval=(float(largest.min()), float(largest.max())),
        in_scope=scope,
        note=f"Smallest relative distance of W to reduced-rank regression along training, worst rank "
        f"below the last, mean over seeds, at δ = "
        f"{', '.join(f'{delta:g}' for delta in worst.columns)}: {listed}. Where σ²/λ orders modes as "
        "σ does and the moments commute (staircase) the visits come as close as the start is small.",
    )


CLAIMS = (
    Claim(
        "ours_orientation",
        "ours",
        "Not every vanishing start learns in stages: from a balanced square one the last mode is "
        "learned in time if and only if the determinants of start and target agree in sign.",
        "initialisation",
        expected=1.0,
        tolerance=0.05,
        measure=_orientation,
    ),
    Claim(
        "gidel_perturbation",
        "gidel2019",
        "A part B of sigma_x that does not commute moves the path in proportion to ‖B‖ (slope 1).",
        "perturbation",
        expected=1.0,
        tolerance=0.05,
        measure=_perturbation_slope,
    ),
    Claim(
        "ours_perturbation_end",
        "ours",
        "Where descent and regression of growing rank agree on the order, the path is moved hardly "
        "more during training than at its end (ratio 1 to 2 however small the start).",
        "perturbation",
        expected=1.5,
        tolerance=0.5,
        measure=_perturbation_end,
    ),
    Claim(
        "ours_perturbation_growth",
        "ours",
        "Where the orders disagree (σ₂²/λ₂ > σ₁²/λ₁) the perturbation grows exponentially while the "
        "network waits, at the unstable rate of the saddle that it waits at (ratio 1).",
        "perturbation",
        expected=1.0,
        tolerance=0.1,
        measure=_waiting,
    ),
    Claim(
        "review_starts",
        "reviews",
        "Aligned, orthogonal, Gaussian or unbalanced, narrow or wide: every small start learns mode i "
        "at δ/ln(1 + ησᵢ), within 10 %.",
        "initialisation",
        expected=1.0,
        tolerance=0.1,
        measure=_starts,
    ),
    Claim(
        "review_order",
        "reviews",
        "Every vanishing start learns the modes in order (share of neighbours out of order is 0).",
        "initialisation",
        expected=0.0,
        tolerance=0.01,
        measure=_order,
    ),
    Claim(
        "gidel_reduced_rank",
        "gidel2019",
        "Training passes by reduced-rank regression of every rank (relative distance 0).",
        "reduced_rank_path",
        expected=0.0,
        tolerance=0.02,
        measure=_reduced_rank_path,
    ),
)
