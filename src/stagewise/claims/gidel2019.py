"""Claims of Gidel, Bach and Lacoste-Julien (2019); no number is quoted from the paper."""

import numpy as np

from stagewise.aggregates import Aggregates
from stagewise.claims.measures import largest_overlap, over, spread
from stagewise.claims.registry import Claim, Measurement
from stagewise.statistics import swapped_pairs, wilson_interval


def _closed_form(aggregates: Aggregates) -> Measurement | None:
    curves = aggregates.curves_of("closed_form")
    curves = curves[(curves["depth"] == 2) & (curves["quantity"] == "trace_norm")]
    if curves.empty:
        return None
    total = curves["predicted"].max()
    per_scale = curves.groupby("delta")["largest_deviation"].max() / total
    return Measurement(
        value=per_scale.max(),
        interval=(per_scale.min(), per_scale.max()),
        note=f"Largest deviation of descent from the flow's closed form over all times, as a share "
        f"of the final trace norm, at the step size {_steps(aggregates, 'closed_form')}/σ₁; the "
        "interval is over the initial scales.",
    )


def _sequential(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("closed_form")
    times = times[times["depth"] == 2]
    if times.empty:
        return None
    by_scale = {delta: largest_overlap(group) for delta, group in times.groupby("delta")}
    smallest, largest = min(by_scale), max(by_scale)
    return Measurement(
        value=by_scale[largest].mean(),
        interval=spread(by_scale[largest]),
        note=f"Share that the next mode has reached when a mode is at 90 %, worst pair: "
        f"{by_scale[smallest].mean():.2g} at δ = {smallest:g}, {by_scale[largest].mean():.2g} at "
        f"δ = {largest:g}.",
    )


def _linear_overlap(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("closed_form")
    times = times[times["depth"] == 1]
    if times.empty:
        return None
    by_scale = {delta: largest_overlap(group) for delta, group in times.groupby("delta")}
    smallest, largest = min(by_scale), max(by_scale)
    change = by_scale[largest].to_numpy() / by_scale[smallest].to_numpy()
    return Measurement(
        value=float(change.mean()),
        interval=spread(change),
        note=f"The same overlap as for two layers, at δ = {largest:g} over δ = {smallest:g}: "
        f"{by_scale[largest].mean():.3f} against {by_scale[smallest].mean():.3f}. It does not "
        "vanish with the start.",
    )


def _staircase(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("autoencoder_data", "autoencoder")
    two = times[times["depth"] == 2]
    if two.empty:
        return None
    ordered = two.groupby(["experiment", "run"])["learning_iteration"].apply(
        lambda column: bool(column.notna().all() and column.is_monotonic_increasing)
    )
    overlap = two.groupby(["experiment", "run"])["next_overlap"].mean()
    linear = times[times["depth"] == 1].groupby("run")["next_overlap"].mean()
    return Measurement(
        value=float(ordered.mean()),
        interval=wilson_interval(int(ordered.sum()), len(ordered)),
        note=f"Share of {len(ordered)} runs that learn all components in order of their singular "
        f"values. A component is {100 * overlap.mean():.1f} % learned on average when the one "
        f"before it reaches 90 %; in the linear model {100 * linear.mean():.0f} %.",
    )


def _flow_scaling(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("learning_times_limit")
    times = times[(times["delta"] == times["delta"].max()) & (times["mode"] == 1)]
    if times.empty:
        return None
    ratio = over(times, "flow").groupby(times["relative_step_size"])
    largest, smallest = (ratio.get_group(pick(list(ratio.groups))) for pick in (max, min))
    return Measurement(
        value=largest.mean(),
        interval=spread(largest),
        in_scope=smallest.mean(),
        note=f"Measured over δ/(ησ) at δ = {times['delta'].max():g}: {smallest.mean():.4f} at "
        f"ησ = {min(ratio.groups):g} but {largest.mean():.4f} at ησ = {max(ratio.groups):g}. The "
        "law is the limit of small steps of δ/ln(1 + ησ).",
    )


def _overshoot_threshold(aggregates: Aggregates) -> Measurement | None:
    return _threshold(aggregates, "monotone", "monotone, and the first at which any overshoots")


def _convergence_threshold(aggregates: Aggregates) -> Measurement | None:
    return _threshold(
        aggregates, "no convergence", "convergent, and the first at which any is not", inverted=True
    )


def _threshold(
    aggregates: Aggregates, outcome: str, meaning: str, inverted: bool = False
) -> Measurement | None:
    times = aggregates.times_of("step_size")
    if times.empty:
        return None
    good = (times["outcome"] != outcome) if inverted else (times["outcome"] == outcome)
    all_good = good.groupby(times["relative_step_size"]).all()
    first_bad = float(all_good[~all_good].index.min())
    below = all_good.index[all_good.index < first_bad]
    last_good = float(below.max()) if len(below) else 0.0
    ratio = times["lam"] / times["sigma"]
    return Measurement(
        value=(last_good + first_bad) / 2,
        interval=(last_good, first_bad),
        note=f"The interval is the last ησ at which every run is {meaning}; {len(times)} aligned "
        f"runs with λ/σ from {ratio.min():.2g} to {ratio.max():.2g}, and λ makes no difference.",
    )


def _order(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("mode_order")
    if times.empty:
        return None
    pairs = swapped_pairs(times[times["dataset"] == "pairs"]).set_index("delta")
    equal = swapped_pairs(times[times["dataset"] == "pairs_equal_lam"])
    listed = ", ".join(
        f"{row['swapped']:.0f} of {row['runs']:.0f} at δ = {delta:g}" for delta, row in pairs.iterrows()
    )
    smallest, largest = pairs.iloc[0], pairs.iloc[-1]
    return Measurement(
        value=float(smallest["share"]),
        interval=(float(smallest["low"]), float(smallest["high"])),
        in_scope=float(largest["share"]),
        note=f"Pairs learned in the wrong order at ησ₁ = ½ with random λ: {listed}; with equal λ "
        f"{equal['swapped'].sum():.0f} of {equal['runs'].sum():.0f}. No gap between the singular "
        "values was asked for: a condition on the step that involves the gap is sufficient only.",
    )


def _assumption(aggregates: Aggregates) -> Measurement | None:
    return _assumption_ratio(aggregates, "random")


def _assumption_eigen(aggregates: Aggregates) -> Measurement | None:
    return _assumption_ratio(aggregates, "eigen")


def _assumption_ratio(aggregates: Aggregates, completion: str) -> Measurement | None:
    table = aggregates.assumption
    real = table[table["centred"] & (table["completion"] == completion)]
    real = real[real["dataset"].isin(("digits", "mnist"))]
    if real.empty:
        return None
    ratio = (real["delta_xy"] / real["delta_x"]).to_numpy()
    low, high = real["delta_xy_low"] / real["delta_x"], real["delta_xy_high"] / real["delta_x"]
    listed = ", ".join(
        f"{row['dataset']} Δ_x = {row['delta_x']:.4f}, Δ_xy = {row['delta_xy']:.4f}"
        for _, row in real.iterrows()
    )
    return Measurement(
        value=float(np.mean(ratio)),
        interval=(float(low.min()), float(high.max())),
        note=f"Centred, {completion} completion of the basis: {listed}. The definitions are "
        "reconstructed, and so is the conclusion they are compared with.",
    )


def _steps(aggregates: Aggregates, experiment: str) -> str:
    steps = sorted(aggregates.times_of(experiment)["relative_step_size"].unique())
    return ", ".join(f"{step:g}" for step in steps)


CLAIMS = (
    Claim(
        "gidel_closed_form",
        "gidel2019",
        "From the aligned start, descent with a small step follows the closed form of the flow.",
        "closed_form",
        expected=0.0,
        tolerance=0.02,
        measure=_closed_form,
    ),
    Claim(
        "gidel_sequential",
        "gidel2019",
        "As the start vanishes, two layers learn the components one after another.",
        "closed_form",
        expected=0.0,
        tolerance=0.01,
        measure=_sequential,
    ),
    Claim(
        "gidel_linear_simultaneous",
        "gidel2019",
        "The linear model has no such limit: its components overlap as much from a vanishing start.",
        "closed_form",
        expected=1.0,
        tolerance=0.1,
        measure=_linear_overlap,
    ),
    Claim(
        "gidel_staircase",
        "gidel2019",
        "The two-layer autoencoder learns the components of low-rank data as a staircase.",
        "autoencoder",
        expected=1.0,
        tolerance=0.05,
        measure=_staircase,
    ),
    Claim(
        "gidel_flow_scaling",
        "gidel2019",
        "Descent learns a mode at δ/(ησ) iterations (scaling as remembered).",
        "learning_times",
        expected=1.0,
        tolerance=0.02,
        measure=_flow_scaling,
    ),
    Claim(
        "gidel_overshoot",
        "gidel2019",
        "An aligned mode approaches its target from below for small steps, up to ησ = ½.",
        "step_size",
        expected=0.5,
        tolerance=0.01,
        measure=_overshoot_threshold,
    ),
    Claim(
        "gidel_convergence",
        "gidel2019",
        "An aligned mode converges up to ησ = 1.",
        "step_size",
        expected=1.0,
        tolerance=0.02,
        measure=_convergence_threshold,
    ),
    Claim(
        "gidel_order",
        "gidel2019",
        "For small enough steps the stronger mode is learned first (share out of order is 0).",
        "step_size",
        expected=0.0,
        tolerance=0.0,
        measure=_order,
    ),
    Claim(
        "gidel_assumption_random",
        "gidel2019",
        "On real data the assumption is violated about half as much as the stronger one of earlier "
        "work: Δ_xy/Δ_x, random completion.",
        "real_data",
        expected=0.5,
        tolerance=0.2,
        measure=_assumption,
    ),
    Claim(
        "gidel_assumption_eigen",
        "gidel2019",
        "The same with the unique completion by eigenvectors.",
        "real_data",
        expected=0.5,
        tolerance=0.2,
        measure=_assumption_eigen,
    ),
)
