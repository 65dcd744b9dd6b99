"""Claims of Cao et al. (2022) on deep matrix factorisation; no number is quoted from the paper."""

import numpy as np
import pandas as pd

from stagewise.claims.registry import Claim, Measurement
from stagewise.store.aggregates import Aggregates
from stagewise.studies.common.comparisons import wilson_interval
from stagewise.studies.common.depth import (
    STAGE_COUNTS,
    passing_tolerance,
    run_separation,
    staged_runs,
    with_product_scale,
)
from stagewise.studies.common.measures import spread

CRITICAL = 1e-2
"""Tolerance t of a second-order critical point: ‖∇f‖ ≤ t and λ_min ≥ −√t."""
RESIDUAL = 1e-6
"""Share of the first loss below which a residual counts as zero."""


def _stages(aggregates: Aggregates) -> Measurement | None:
    runs = staged_runs(aggregates.stages_of(*STAGE_COUNTS))
    full = runs[runs["observed"] == 1]
    if full.empty:
        return None
    clean = full["clean"]
    cells = clean.groupby([full["depth"], full["dim_in"]]).mean()
    listed = ", ".join(
        f"{value:.3f} at L = {depth}, n = {n}" for (depth, n), value in cells.items()
    )
    return Measurement(
        value=float(clean.mean()),
        interval=wilson_interval(int(clean.sum()), len(clean)),
        note=f"Share of {len(clean)} fully observed runs (rank 1 to {full['rank'].max()}) with as "
        f"many stages as the target's rank and one singular value rising in each: {listed}. The step "
        f"is {full['relative_step_size'].max() / 2:g} of the largest stable one.",
    )


def _second_order(aggregates: Aggregates) -> Measurement | None:
    plateaus = aggregates.plateaus_of("saddles")
    if plateaus.empty:
        return None
    ends, first = plateaus[plateaus["at_end"]], plateaus[plateaus["stage"] == 1]
    passes = passing_tolerance(ends) <= CRITICAL
    start = first.set_index("run")["loss"].reindex(ends["run"]).to_numpy()
    solved = (ends["loss"] <= RESIDUAL * start) & (ends["product_rank"] == ends["rank"])
    counted = ends["stages"] == ends["rank"]
    held = passes & solved & counted
    return Measurement(
        value=float(held.mean()),
        interval=wilson_interval(int(held.sum()), len(held)),
        note=f"Share of {len(held)} runs (L = 2, 3, 4, Gaussian starts, {ends['relative_step_size'].max() / 2:g} "
        f"of the largest stable step) that end after R stages with ‖∇f‖ ≤ {CRITICAL:g}, λ_min ≥ "
        f"−{np.sqrt(CRITICAL):g} ({int(passes.sum())} runs) and, because that alone says little, with "
        f"no residual at rank R ({int(solved.sum())} runs); {int((~counted).sum())} runs show "
        f"another number of stages. Smallest λ_min at an end {ends['smallest_curvature'].min():.1e}.",
    )


def _rmsprop_stages(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("rmsprop", "descent_separation")
    if times.empty or not (times["optimizer"] == "rmsprop").any():
        return None
    runs = run_separation(times)
    middle = runs.groupby(["optimizer", "depth", "relative_step_size"])["overlap"].median()
    coordinate = runs[(runs["optimizer"] == "rmsprop") & (runs["depth"] == runs["depth"].min())]
    rates = sorted(coordinate["relative_step_size"].unique())
    by_rate = coordinate.groupby("relative_step_size")["overlap"].median()
    parts = []
    for optimizer, name in (("rmsprop", "a scale a coordinate"), ("rmsprop_shared", "one scale")):
        for depth in sorted(runs["depth"].unique()):
            values = middle.loc[optimizer, depth]
            listed = ", ".join(f"{value:.2g}" for value in values)
            parts.append(f"{name}, L = {depth}: {listed}")
    descent = middle.loc["gradient_descent"].groupby("depth").max()
    return Measurement(
        value=float(by_rate.max()),
        interval=spread(coordinate["overlap"]),
        in_scope=float(
            middle.loc["rmsprop_shared"].groupby("relative_step_size").max().loc[rates[0]]
        ),
        note=f"Share of its target that the next singular value has reached when one is at 90 %, "
        f"largest of a run, median over {runs['seed'].nunique()} seeds and two scales, at learning "
        f"rates {', '.join(f'{rate:g}' for rate in rates)}: {'; '.join(parts)}; descent "
        f"{', '.join(f'{value:.2g}' for value in descent)} at L = 2, 3. The value is RMSProp with a "
        "scale for each coordinate at two layers, where stages merge; with one shared scale and a "
        "small rate they do not.",
    )


def _rmsprop_rate(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("rmsprop")
    if times.empty:
        return None
    runs = run_separation(times)
    keys = ["optimizer", "depth", "product_scale", "seed"]
    last, overlap = (
        runs.pivot(index=keys, columns="relative_step_size", values=name)
        for name in ("last_iteration", "overlap")
    )
    faster = (np.diff(last.to_numpy(), axis=1) < 0).all(axis=1)
    apart = overlap.iloc[:, -1] <= overlap.iloc[:, 0]
    gain = (last.iloc[:, 0] / last.iloc[:, -1]).median()
    return Measurement(
        value=float(faster.mean()),
        interval=wilson_interval(int(faster.sum()), len(faster)),
        note=f"Share of {len(faster)} starts from which every larger learning rate (of "
        f"{', '.join(f'{rate:g}' for rate in last.columns)}) learns the last mode in fewer "
        f"iterations; from the smallest to the largest rate the median is {gain:.0f} times fewer. "
        f"The stages themselves get blurred: the largest rate separates them at least as well as the "
        f"smallest from {apart.mean():.0%} of the starts.",
    )


def _plateau_loss(aggregates: Aggregates) -> Measurement | None:
    plateaus = with_product_scale(aggregates.plateaus_of("saddles"))
    saddles = plateaus[~plateaus["at_end"]]
    if saddles.empty:
        return None
    gap = (saddles["loss"] / saddles["predicted_loss"] - 1).abs()
    by_scale = gap.groupby([saddles["depth"], saddles["product_scale"]]).max()
    smallest = saddles["product_scale"].min()
    listed = "; ".join(
        f"L = {depth}: {_by_scale(by_scale.loc[depth])}" for depth in by_scale.index.levels[0]
    )
    return Measurement(
        value=float(gap[saddles["product_scale"] == smallest].max()),
        interval=(float(gap.min()), float(gap.max())),
        note=f"Largest relative deviation of the loss at a plateau from ½Σσₖ² over the modes not yet "
        f"learned, over ranks and seeds: {listed}. The interval is over all runs and scales.",
    )


def _by_scale(values: pd.Series) -> str:
    return ", ".join(f"{value:.1e} at ε = {scale:.0e}" for scale, value in values.items())


CLAIMS = (
    Claim(
        "cao_stages",
        "cao2022",
        "With relatively small, not infinitesimal steps, factorisation of a rank-R matrix goes "
        "through R stages of escape from saddles.",
        "stage_counts",
        expected=1.0,
        tolerance=0.05,
        measure=_stages,
    ),
    Claim(
        "cao_second_order",
        "cao2022",
        "After them descent ends at a second-order critical point (asserted together with zero "
        "residual and rank R).",
        "saddle_curvature",
        expected=1.0,
        tolerance=0.05,
        measure=_second_order,
    ),
    Claim(
        "cao_plateau_loss",
        "cao2022",
        "The saddles are the best maps of rank r = 0, 1, …: the loss there is ½Σσₖ² over k > r.",
        "saddle_stages",
        expected=0.0,
        tolerance=0.05,
        experiments=("saddles",),
        measure=_plateau_loss,
    ),
    Claim(
        "cao_rmsprop_stages",
        "cao2022",
        "RMSProp goes through the same stages (the next singular value has not begun when one is "
        "learned).",
        "rmsprop",
        expected=0.0,
        tolerance=0.15,
        measure=_rmsprop_stages,
    ),
    Claim(
        "cao_rmsprop_rate",
        "cao2022",
        "Larger learning rates help RMSProp through the stages: fewer iterations.",
        "rmsprop",
        expected=1.0,
        tolerance=0.05,
        measure=_rmsprop_rate,
    ),
)
