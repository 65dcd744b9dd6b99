"""Results of this project."""

import numpy as np

from stagewise.claims.registry import Claim, Measurement
from stagewise.store.aggregates import Aggregates
from stagewise.studies.common.comparisons import slope_over_scale, wilson_interval, with_stability
from stagewise.studies.common.measures import spread


def _discrete_law(aggregates: Aggregates) -> Measurement | None:
    slopes = slope_over_scale(aggregates.times_of("learning_times_limit"))
    if slopes.empty:
        return None
    growth = slopes["step_size"] * slopes["sigma"]
    ratio = slopes["slope"] * np.log1p(growth)
    flow = slopes["slope"] * growth
    return Measurement(
        value=float(ratio.iloc[int(np.argmax(np.abs(ratio - 1)))]),
        interval=spread(ratio),
        note=f"Iterations per unit of δ, in units of 1/ln(1 + ησ), between the two largest δ (what "
        f"does not grow with δ cancels): the worst of {len(ratio)} modes, ησ from "
        f"{growth.min():.2g} to {growth.max():.2g}; in units of the flow's 1/(ησ) up to "
        f"{flow.max():.3f}.",
    )


def _stable_step(aggregates: Aggregates) -> Measurement | None:
    runs = with_stability(aggregates.times_of("stable_step"))
    if runs.empty:
        return None
    below, balanced = runs["over_stability"] < 1, runs["ending"] == "balanced"
    agrees = below == balanced
    failed = runs["ending"] == "no convergence"
    small = runs["relative_step_size"] <= 0.5
    return Measurement(
        value=float(agrees.mean()),
        interval=wilson_interval(int(agrees.sum()), len(agrees)),
        note=f"Share of runs from Gaussian starts that end balanced if and only if the step is "
        f"below the bound. Below it {(below & balanced).sum()} of {below.sum()} end balanced; above "
        f"it {(~below & balanced).sum()} do, {(~below & failed).sum()} diverge and "
        f"{(~below & ~balanced & ~failed).sum()} settle on an unbalanced solution. "
        f"{(failed & small).sum()} of {small.sum()} runs with ησ₁ ≤ ½ diverge.",
    )


CLAIMS = (
    Claim(
        "ours_discrete_law",
        "ours",
        "At fixed step and δ → ∞, descent learns mode i at δ/ln(1 + ησᵢ) iterations.",
        "learning_times",
        expected=1.0,
        tolerance=0.001,
        measure=_discrete_law,
        experiments=("learning_times_limit",),
    ),
    Claim(
        "ours_stable_step",
        "ours",
        "From a generic start, two layers keep to the balanced solution exactly below the step "
        "2/max λᵢ(wᵢ + wⱼ), w = σ/λ: with several modes λ matters, and ησ₁ ≤ ½ is not enough.",
        "step_size",
        expected=1.0,
        tolerance=0.03,
        measure=_stable_step,
        experiments=("stable_step",),
    ),
)
