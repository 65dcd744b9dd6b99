"""Results of this project on saddles: their curvature, stable steps, completion, greedy maps."""

from functools import partial

import numpy as np
import pandas as pd

from stagewise.claims.cao2022 import CRITICAL
from stagewise.claims.registry import Claim, Measurement
from stagewise.store.aggregates import Aggregates
from stagewise.studies.common.comparisons import wilson_interval
from stagewise.studies.common.depth import (
    STAGE_COUNTS,
    log_slope,
    passing_tolerance,
    staged_runs,
    with_product_scale,
)
from stagewise.studies.common.measures import failure_bracket, spread
from stagewise.theory import largest_curvature


def _second_order_empty(aggregates: Aggregates) -> Measurement | None:
    plateaus = with_product_scale(aggregates.plateaus_of("saddles"))
    saddles = plateaus[~plateaus["at_end"]]
    if saddles.empty:
        return None
    passes = passing_tolerance(saddles) <= CRITICAL
    smallest = saddles["product_scale"] == saddles["product_scale"].min()
    deep = saddles["depth"] >= 3
    share = passes.groupby([saddles["depth"], saddles["product_scale"]]).mean()
    listed = "; ".join(
        f"L = {depth}: "
        + ", ".join(f"{value:.0%} at ε = {scale:.0e}" for scale, value in share.loc[depth].items())
        for depth in share.index.levels[0]
    )
    chosen = passes[smallest & deep]
    return Measurement(
        value=float(chosen.mean()),
        interval=wilson_interval(int(chosen.sum()), len(chosen)),
        note=f"Share of visited saddles with ‖∇f‖ ≤ {CRITICAL:g} and λ_min ≥ −{np.sqrt(CRITICAL):g}: "
        f"{listed}. Their loss is {saddles[deep & smallest]['loss'].min():.2g} or more.",
    )


def _saddle_curvature(aggregates: Aggregates) -> Measurement | None:
    plateaus = with_product_scale(aggregates.plateaus_of("saddles"))
    saddles = plateaus[~plateaus["at_end"]]
    if saddles["product_scale"].nunique() < 2:
        return None
    found = {
        (int(depth), int(rank)): log_slope(rows, "smallest_curvature")
        for (depth, rank), rows in saddles.groupby(["depth", "learned"])
    }
    gaps = pd.Series({key: slope - (key[0] - 2) / key[0] for key, slope in found.items()})
    listed = "; ".join(
        f"L = {depth}: " + ", ".join(f"{found[key]:.3f}" for key in found if key[0] == depth)
        for depth in sorted({key[0] for key in found})
    )
    return Measurement(
        value=float(gaps.iloc[int(np.argmax(gaps.abs()))]),
        interval=(float(gaps.min()), float(gaps.max())),
        note="Exponent of λ_min over ε at the plateaus of rank 0, 1, …, least squares over seeds and "
        f"scales, minus (L − 2)/L, the worst: {listed}.",
    )


def _stable_step(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("stable_step_deep")
    if times.empty:
        return None
    fine = times["outcome"] != "no convergence"
    steps = times["relative_step_size"]
    brackets = [failure_bracket(own, steps[own.index]) for _, own in fine.groupby(times["depth"])]
    middle = np.array(brackets).mean(axis=1)
    worst = middle[int(np.argmax(np.abs(middle - 2)))]
    ends = aggregates.plateaus_of("saddles")
    ends = ends[ends["at_end"]]
    ratio = ends["largest_curvature"] / [
        float(largest_curvature(2.0 ** (rank - 1), depth))
        for rank, depth in zip(ends["rank"], ends["depth"], strict=True)
    ]
    return Measurement(
        value=float(worst),
        interval=(min(low for low, _ in brackets), max(high for _, high in brackets)),
        note="Middle between the last step at which all runs converge and the first at which any does "
        "not, in units of 1/(Lσ₁^(2−2/L)), the worst of L = 2, 3, 4; brackets "
        + ", ".join(f"{low:g}–{high:g}" for low, high in brackets)
        + (
            f". λ_max at the end of {len(ratio)} other runs is {ratio.min():.5f} to "
            f"{ratio.max():.5f} of Lσ₁^(2−2/L)."
            if len(ratio)
            else "."
        ),
    )


def _completion(aggregates: Aggregates, deep: bool) -> Measurement | None:
    runs = staged_runs(aggregates.stages_of(*STAGE_COUNTS))
    runs = runs[(runs["observed"] < 1) & (runs["rank"] >= 2) & ((runs["depth"] >= 3) == deep)]
    if runs.empty:
        return None
    most = runs["observed"].max()
    chosen = runs[runs["observed"] == most]["clean"]
    small = (runs["dim_in"] == runs["dim_in"].min()) & (runs["rank"] >= 3)
    scope = runs[small & (runs["observed"] == most)]["clean"]
    return Measurement(
        value=float(chosen.mean()),
        interval=wilson_interval(int(chosen.sum()), len(chosen)),
        in_scope=None if deep or scope.empty else float(scope.mean()),
        note=f"Share of runs (rank 2 and more) with R stages of one rise each at {most:.0%} observed; "
        f"all: {_cells(runs, 'clean')}; n = {runs['dim_in'].min()} and rank 3 or more: {scope.mean():.2f}. Mean stages over rank at {most:.0%}: "
        f"{(runs['stages'] / runs['rank'])[runs['observed'] == most].mean():.2f}.",
    )


def _cells(runs: pd.DataFrame, column: str) -> str:
    cells = runs.groupby(["depth", "dim_in", "observed"])[column].mean()
    return ", ".join(
        f"{value:.2f} (L = {depth}, n = {n}, {share:.0%})"
        for (depth, n, share), value in cells.items()
    )


def _recovery(aggregates: Aggregates) -> Measurement | None:
    runs = staged_runs(aggregates.stages_of(*STAGE_COUNTS))
    runs = runs[(runs["observed"] < 1) & (runs["depth"] >= 3) & runs["clean"]]
    if runs.empty:
        return None
    large = (runs["dim_in"] == runs["dim_in"].max()) & (runs["observed"] == runs["observed"].max())
    recovered = runs["recovered"]
    return Measurement(
        value=float(recovered.mean()),
        interval=wilson_interval(int(recovered.sum()), len(recovered)),
        in_scope=float(recovered[large].mean()),
        note=f"Share of the {len(runs)} runs of three and four layers with R clean stages that end "
        f"within 5 % of the whole target: {_cells(runs, 'recovered')}.",
    )


def _greedy(aggregates: Aggregates) -> Measurement | None:
    plateaus = with_product_scale(aggregates.plateaus_of("completion_path"))
    rows = plateaus[~plateaus["at_end"] & (plateaus["learned"] > 0)]
    if rows.empty:
        return None
    most = rows["observed"].max()
    groups = rows.groupby(["observed", "depth"])["greedy_distance"]
    listed = ", ".join(
        f"{value:.1e} (L = {depth}, {share:.0%})"
        for (share, depth), value in groups.median().items()
    )
    chosen = rows[(rows["observed"] == most) & (rows["depth"] >= 3)]["greedy_distance"]
    below = (rows["loss"] < 0.99 * rows["greedy_loss"]).mean()
    return Measurement(
        value=float(chosen.quantile(0.95)),
        interval=spread(chosen),
        note=f"95 % quantile over plateaus of the distance of W to the greedily grown map of its rank, "
        f"over the target's norm, at {most:.0%} observed and L = 3, 4. Medians: {listed}. At "
        f"{below:.0%} of all plateaus descent has a loss more than 1 % below the greedy map's.",
    )


CLAIMS = (
    Claim(
        "depth_second_order_empty",
        "ours",
        "From three layers on the second-order test is empty: every saddle visited from a small start "
        "passes it too.",
        "saddle_curvature",
        expected=1.0,
        tolerance=0.05,
        measure=_second_order_empty,
    ),
    Claim(
        "depth_saddle_curvature",
        "ours",
        "The negative curvature at the visited saddles vanishes like ε^((L−2)/L) (difference of "
        "exponents).",
        "saddle_curvature",
        expected=0.0,
        tolerance=0.05,
        measure=_saddle_curvature,
    ),
    Claim(
        "depth_stable_step",
        "ours",
        "The largest stable step is 2/(Lσ₁^(2−2/L)).",
        "saddle_curvature",
        expected=2.0,
        tolerance=0.02,
        measure=_stable_step,
    ),
    Claim(
        "depth_completion_shallow",
        "ours",
        "With 60 % observed two layers lose the picture of R stages (fewer than a quarter of the runs "
        "keep it).",
        "stage_counts",
        expected=0.0,
        tolerance=0.25,
        measure=partial(_completion, deep=False),
    ),
    Claim(
        "depth_completion_deep",
        "ours",
        "With 60 % observed three and four layers keep R stages.",
        "stage_counts",
        expected=1.0,
        tolerance=0.1,
        measure=partial(_completion, deep=True),
    ),
    Claim(
        "depth_completion_recovery",
        "ours",
        "Runs of completion that go through R stages end at the target.",
        "stage_counts",
        expected=1.0,
        tolerance=0.05,
        measure=_recovery,
    ),
    Claim(
        "depth_greedy",
        "ours",
        "With 60 % observed and three or four layers, training rests at the greedily grown best "
        "completions of rank 1, 2, … (relative distance 0).",
        "saddle_curvature",
        expected=0.0,
        tolerance=0.05,
        measure=_greedy,
    ),
)
