"""Results of this project."""

import numpy as np

from stagewise.aggregates import Aggregates
from stagewise.claims.measures import over, spread
from stagewise.claims.registry import Claim, Measurement
from stagewise.statistics import wilson_interval, with_stability


def _discrete_law(aggregates: Aggregates) -> Measurement | None:
    times = aggregates.times_of("learning_times_limit")
    times = times[times["delta"] == times["delta"].max()]
    if times.empty:
        return None
    ratio = over(times, "discrete")
    worst = float(np.abs(ratio - 1).max())
    rival = over(times, "flow")
    return Measurement(
        value=float(ratio.mean()),
        interval=spread(ratio),
        note=f"Measured over δ/ln(1 + ησ) at δ = {times['delta'].max():g}, {len(ratio)} modes of "
        f"{times['run'].nunique()} runs, ησ₁ from {times['relative_step_size'].min():g} to "
        f"{times['relative_step_size'].max():g}: worst {100 * worst:.2f} % off, of the order of "
        f"the O(1/δ) term; the flow's law is up to {100 * (rival.max() - 1):.0f} % off.",
    )


def _stable_step(aggregates: Aggregates) -> Measurement | None:
    runs = with_stability(aggregates.times_of("stable_step"))
    if runs.empty:
        return None
    failed = runs["outcome"] == "no convergence"
    below = runs["over_stability"] < 1
    small = runs["relative_step_size"] <= 0.5
    return Measurement(
        value=float(failed[below].mean()),
        interval=wilson_interval(int(failed[below].sum()), int(below.sum())),
        note=f"Share of runs from Gaussian starts that fail to converge below the bound: "
        f"{failed[below].sum()} of {below.sum()}; above it {failed[~below].sum()} of "
        f"{(~below).sum()} fail, the others settle elsewhere. {failed[small].sum()} of "
        f"{small.sum()} runs with ησ₁ ≤ ½ fail, all above the bound, so without exact alignment λ "
        "does matter.",
    )


CLAIMS = (
    Claim(
        "ours_discrete_law",
        "ours",
        "At fixed step and δ → ∞, descent learns mode i at δ/ln(1 + ησᵢ) iterations.",
        "learning_times",
        expected=1.0,
        tolerance=0.003,
        measure=_discrete_law,
    ),
    Claim(
        "ours_stable_step",
        "ours",
        "From a generic start two layers converge below the step 2/max λᵢ(wᵢ + wⱼ), w = σ/λ, and "
        "ησ₁ ≤ ½ alone does not suffice (share of failures below the bound is 0).",
        "step_size",
        expected=0.0,
        tolerance=0.005,
        measure=_stable_step,
    ),
)
