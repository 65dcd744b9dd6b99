"""Results of this project on depth: escape times, learning times, separation of stages."""

import numpy as np
import pandas as pd

from stagewise.claims.registry import Claim, Measurement
from stagewise.store.aggregates import Aggregates
from stagewise.studies.common.comparisons import wilson_interval
from stagewise.studies.common.depth import log_slope, with_depth_law, with_product_scale
from stagewise.studies.common.measures import spread


def _escape(aggregates: Aggregates) -> Measurement | None:
    times = with_product_scale(aggregates.times_of("escape_times"))
    times = times[(times["mode"] == 1) & times["learning_iteration"].notna()]
    if times["product_scale"].nunique() < 2:
        return None
    deep = times[times["depth"] >= 3]
    found = {
        key: log_slope(rows, "learning_iteration")
        for key, rows in deep.groupby(["depth", "initialisation"])
    }
    gaps = pd.Series({key: slope + (key[0] - 2) / key[0] for key, slope in found.items()})
    two = times[times["depth"] == 2]
    rate = two["step_size"] * two["sigma"]
    slope = np.polyfit(-np.log(two["product_scale"]), two["learning_iteration"] * rate, 1)[0]
    growth = float(rate.mean())
    return Measurement(
        value=float(gaps.iloc[int(np.argmax(gaps.abs()))]),
        interval=(float(gaps.min()), float(gaps.max())),
        note="Exponent of the strongest mode's learning time over ε, plus (L − 2)/L, the worst: "
        + ", ".join(f"L = {depth} {start} {slope:.3f}" for (depth, start), slope in found.items())
        + f". At two layers the time grows by {slope:.3f}/(ησ) a unit of ln(1/ε); predicted ½ times "
        f"x/ln(1 + x), {growth / np.log1p(growth) / 2:.3f}.",
    )


def _closed_form(aggregates: Aggregates) -> Measurement | None:
    times = with_depth_law(aggregates.times_of("depth_law"))
    times = times[(times["depth"] >= 3) & times["mode_learning_iteration"].notna()]
    if times.empty:
        return None
    ratio = times["mode_learning_iteration"] / times["predicted_closed"]
    gap = times["mode_learning_iteration"] - times["predicted_closed"]
    return Measurement(
        value=float(ratio.iloc[int(np.argmax((ratio - 1).abs()))]),
        interval=spread(ratio),
        note=f"Measured over predicted, the worst of {len(ratio)} modes of full-matrix runs at L = 3, "
        f"4, learning times of {times['learning_iteration'].min():.0f} to "
        f"{times['learning_iteration'].max():.0f} iterations; in iterations the largest gap is "
        f"{gap.abs().max():.2f}, its median {gap.abs().median():.3f}.",
    )


def _no_correction(aggregates: Aggregates) -> Measurement | None:
    times = with_depth_law(aggregates.times_of("depth_law"))
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
        interval=spread(deep),
        note=f"Measured over the law of the flow, strongest mode, ησ = {growth:.3g}, smallest start, "
        f"the worst of {len(deep)} runs at L = 3, 4; means "
        + ", ".join(f"{value:.4f} at L = {depth}" for depth, value in means.items())
        + f". x/ln(1 + x) is {growth / np.log1p(growth):.4f}.",
    )


def _separation(aggregates: Aggregates) -> Measurement | None:
    times = with_product_scale(aggregates.times_of("escape_times"))
    times = times[(times["mode"] == 1) & times["next_value_overlap"].notna()]
    wide = times.pivot_table(
        index=["initialisation", "product_scale"],
        columns="depth",
        values="next_value_overlap",
        aggfunc="median",  # single runs whose stages merge would decide a mean
    )
    if wide.shape[1] < 2:
        return None
    values = wide.to_numpy()
    falls = (np.diff(values, axis=1) < 0).all(axis=1)
    listed = "; ".join(
        f"ε = {scale:.0e}: {', '.join(f'{value:.1e}' for value in row)}"
        for (start, scale), row in zip(wide.index, values, strict=True)
        if start == "gaussian"
    )
    three, four = (values[:, at] / values[:, at - 1] for at in (1, -1))
    worst = times.groupby("depth")["next_value_overlap"].max()
    return Measurement(
        value=float(falls.mean()),
        interval=wilson_interval(int(falls.sum()), len(falls)),
        note="Share of scales and kinds of start at which the overlap (share that the second singular "
        "value has reached when the first is at 90 %, median over seeds) falls with every layer. L = 2, "
        f"3, 4, Gaussian: {listed}. Three layers over two: {three.min():.1e} to {three.max():.1e}; "
        f"four over three: {four.min():.2g} to {four.max():.2g}, so most is gained by the third. "
        f"Largest of any run, by depth: {', '.join(f'{value:.2g}' for value in worst)}.",
    )


CLAIMS = (
    Claim(
        "depth_escape_time",
        "ours",
        "From three layers on the time to escape grows like ε^(−(L−2)/L), not like ln(1/ε) "
        "(difference of exponents).",
        "escape_times",
        expected=0.0,
        tolerance=0.05,
        measure=_escape,
    ),
    Claim(
        "depth_closed_form",
        "ours",
        "For three layers on the closed form of the flow, with the step's correction to second order, "
        "gives learning times of descent (measured over predicted).",
        "escape_times",
        expected=1.0,
        tolerance=0.005,
        measure=_closed_form,
    ),
    Claim(
        "depth_no_correction",
        "ours",
        "The step-size correction x/ln(1 + x) of two layers vanishes with depth.",
        "escape_times",
        expected=1.0,
        tolerance=0.01,
        measure=_no_correction,
    ),
    Claim(
        "depth_separation",
        "ours",
        "At the same product scale every further layer separates stages more.",
        "escape_times",
        expected=1.0,
        tolerance=0.0,
        measure=_separation,
    ),
)
