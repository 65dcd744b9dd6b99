"""Summaries of deep networks, of their stages and learning times, that figures and claims read."""

import numpy as np
import pandas as pd

from stagewise.theory import descent_iteration, leading_iteration

RECOVERED = 0.05
"""A target counts as recovered when the product ends within this share of its norm."""


def with_product_scale(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the column product_scale, e^(-depth delta) to ten digits."""
    exponent = -frame["delta"] * frame["depth"] / np.log(10)
    return frame.assign(product_scale=10 ** exponent.round(10), observed=frame["observed"].round(2))


def staged_runs(stages: pd.DataFrame) -> pd.DataFrame:
    """One row a run: its grid columns, stages, whether each had one rise, and where it ended.

    stages : rows of `stages.parquet`. Adds clean (as many stages as the target's rank, with one
    rise each), merged (some stage has several rises), recovered, and the end's learned, distance
    and beyond.
    """
    stages = with_product_scale(stages)
    last = stages[stages["stage"] > stages["stages"]].set_index(["experiment", "run"])
    most = stages.groupby(["experiment", "run"])["rises"].max()
    merged = most.reindex(last.index) > 1
    return last.assign(
        merged=merged,
        clean=(last["stages"] == last["rank"]) & ~merged,
        recovered=last["distance"] <= RECOVERED,
    ).reset_index()


def stage_counts(stages: pd.DataFrame) -> pd.DataFrame:
    """`stage_counts` as a table: stages counted per size, depth, observed share and rank.

    Columns dim_in, dim_out, depth, product_scale, step_size (in the unit of the stable step's half),
    observed, rank, runs, stages (mean), stages_low, stages_high (range), and the shares of runs with
    as many stages as the rank (equal), with such stages of one rise each (clean), and that end within
    5 % of the target (recovered).
    """
    keys = ["dim_in", "dim_out", "depth", "product_scale", "relative_step_size", "observed", "rank"]
    runs = staged_runs(stages)
    runs = runs.assign(equal=runs["stages"] == runs["rank"])
    return (
        runs.groupby(keys)
        .agg(
            runs=("run", "size"),
            stages=("stages", "mean"),
            stages_low=("stages", "min"),
            stages_high=("stages", "max"),
            equal=("equal", "mean"),
            clean=("clean", "mean"),
            recovered=("recovered", "mean"),
        )
        .reset_index()
        .rename(columns={"relative_step_size": "step_size"})
    )


def with_depth_law(times: pd.DataFrame) -> pd.DataFrame:
    """Learning times with `predicted_leading` and, for three layers on, `predicted_closed`.

    times : rows of `learning_times.parquet`, any depths. The closed form is that of an aligned mode
    with the step's correction, see `theory.depth`.
    """
    parts = []
    for depth, group in with_product_scale(times).groupby("depth"):
        sigma, lam, delta, step = (
            group[name].to_numpy() for name in ("sigma", "lam", "delta", "step_size")
        )
        closed = np.full(len(group), np.nan)
        if int(depth) >= 3:
            closed = descent_iteration(sigma, lam, delta, step, int(depth))
        leading = leading_iteration(sigma, delta, step, int(depth))
        parts.append(group.assign(predicted_leading=leading, predicted_closed=closed))
    if not parts:
        return times.assign(product_scale=[], predicted_leading=[], predicted_closed=[])
    return pd.concat(parts).sort_index()


def log_slope(frame: pd.DataFrame, value: str) -> float:
    """Exponent p of value ∝ product_scale^p, least squares over the logarithms of all rows."""
    scale, values = np.log(frame["product_scale"]), np.log(frame[value].abs())
    return float(np.polyfit(scale, values, 1)[0])


def run_separation(times: pd.DataFrame) -> pd.DataFrame:
    """One row a run: its overlap, the largest share of a next singular value at 90 % of one.

    times : learning times with all modes. Adds the columns overlap and last_iteration (when the last
    mode was learned, missing if it was not).
    """
    keys = ["experiment", "run", "seed", "optimizer", "depth", "relative_step_size", "observed"]
    keys += ["delta"]
    runs = (
        times.groupby(keys)
        .agg(
            overlap=("next_value_overlap", "max"),
            last_iteration=("learning_iteration", lambda column: column.max(skipna=False)),
        )
        .reset_index()
    )
    return with_product_scale(runs)


def passing_tolerance(plateaus: pd.DataFrame) -> pd.Series:
    """Smallest tolerance at which a point passes as a second-order critical point.

    That is the smallest t with ‖∇f‖ ≤ t and λ_min ≥ −√t, per row of `plateaus.parquet`.
    """
    negative = plateaus["smallest_curvature"].clip(upper=0) ** 2
    return pd.Series(np.maximum(plateaus["gradient_norm"], negative), index=plateaus.index)
