"""Forecasts of one training run: the integrated one, the laws, and the step sizes they are for."""

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from stagewise.arrays import FloatArray
from stagewise.dynamics.adiabatic import (
    E_FOLDS,
    FINE_ENOUGH,
    Integration,
    distance,
    fine_enough,
    quasi_adiabatic,
)
from stagewise.errors import StagewiseError
from stagewise.forecast.options import METHODS
from stagewise.problems.problem import Problem
from stagewise.theory.forecast_laws import (
    PATIENCE,
    PooledMoments,
    check_width,
    initial_amplitudes,
    plain_forecast,
    reduced_rank_forecast,
)
from stagewise.theory.growth import DESCENT, GrowthRule
from stagewise.theory.schedules import CONSTANT, Schedule
from stagewise.theory.staged_forecast import staged_forecast

LAWS = {
    "plain": plain_forecast,
    "reduced_rank": reduced_rank_forecast,
}

LARGEST_DELTA = 128.0
"""Beyond, rounding in the integrator's large directions swamps its smallest ones."""

SPARE = 10
"""Half as many change a forecast by less than 1e-5 (rank 40, four spectra, six stages)."""


def forecast(
    problem: Problem,
    step_size: float,
    delta: float,
    width: int,
    method: str = "integrated",
    stages: int | None = None,
) -> FloatArray:
    """Iterations at which each rank is learned (stages,); see `stagewise.forecast.forecast`."""
    if method not in METHODS:
        raise StagewiseError(f"method is {method!r}; it must be one of {', '.join(METHODS)}.")
    check_positive("step_size", step_size)
    check_positive("delta", delta)
    wanted = stage_count(problem, width, stages)
    if method != "integrated":
        return law(problem, step_size, delta, width, method)[:wanted]
    if delta > LARGEST_DELTA:
        raise StagewiseError(
            f"delta is {delta:g}; the integrated forecast works up to {LARGEST_DELTA:g}. Use the "
            "staged method."
        )
    integration, _ = integrate_finely(problem, step_size, delta, width, wanted)
    refuse_divergence(problem, step_size, curvature(integration, step_size))
    return np.asarray(integration.learning_iterations[0])


def law(
    problem: Problem,
    step_size: float,
    delta: float,
    width: int,
    method: str,
    dim_in: int | None = None,
    rule: GrowthRule = DESCENT,
    schedule: Schedule = CONSTANT,
) -> FloatArray:
    """One of the laws of `theory`, every stage that can be learned.

    rule : how the network is trained. schedule : of its step, for the staged law alone. dim_in : rows
    of the first layer, where the problem is given in fewer coordinates than that.
    """
    pooled = PooledMoments.of(problem)
    pooled = pooled if dim_in is None else replace(pooled, dim_in=dim_in)
    case = (pooled, np.array([step_size]), np.array([delta]), width, rule)
    times = staged_forecast(*case, schedule) if method == "staged" else LAWS[method](*case)
    return np.asarray(times[0])


def integrate(
    problem: Problem,
    step_size: float,
    delta: float,
    width: int,
    stages: int,
    dim_in: int | None = None,
    e_folds: float = E_FOLDS,
) -> Integration:
    """Follow the run until the last of `stages` ranks is learned by half; dim_in as in `law`.

    Hidden directions beyond the next `SPARE` stay small till then and are left out.
    """
    steps, deltas = np.array([step_size]), np.array([delta])
    hidden = min(len(problem.modes.sigma), width, stages + SPARE)
    start = initial_amplitudes(deltas, dim_in or problem.dim_in, width, hidden)
    slowest = plain_forecast(PooledMoments.of(problem), steps, deltas, width)[:, stages - 1]
    with threadpool_limits(1, user_api="blas"):  # many small matrices
        return quasi_adiabatic(problem, start, steps, PATIENCE * slowest, stages, e_folds)


def integrate_finely(
    problem: Problem,
    step_size: float,
    delta: float,
    width: int,
    stages: int,
    dim_in: int | None = None,
) -> tuple[Integration, FloatArray]:
    """`integrate` in steps as fine as it takes; and the error of ln T that is left (stages,).

    Where finer ones go on changing ln T, the error is the change, or the distance to the staged law if
    that is more: a guide; of steps that suffice it is 0.
    """
    case = (problem, step_size, delta, width, stages, dim_in)
    found, _, changes = fine_enough(lambda _, e_folds: integrate(*case, float(e_folds[0])), 1)
    change = changes[0]
    if change.max() < FINE_ENOUGH:
        return found, np.zeros(stages)
    staged = law(problem, step_size, delta, width, "staged", dim_in)[:stages]
    apart = distance(staged, found.learning_iterations[0])
    return found, np.where(change < FINE_ENOUGH, 0, np.maximum(change, apart))


def curvature(integration: Integration, step_size: float) -> float:
    """Largest λ₁‖W₂W₂ᵀ‖ on the way, a property of the path that hardly depends on the step."""
    return float(integration.largest_curvature[0]) / step_size


def stability_bound(problem: Problem, path_curvature: float) -> float:
    """About the largest step at which the loss falls all along, 2/(λ₁‖W₂W₂ᵀ‖ + σ₁).

    path_curvature : the maximum of λ₁‖W₂W₂ᵀ‖ along the run, from `curvature`.
    Derived up to one step: a change of the layers meets the curvature λ₁‖W₂W₂ᵀ‖ through the first
    and ‖W₁ᵀ sigma_x W₁‖ through the second, and the top eigenvalue of the sum is at most their
    sum; heuristic: the second is taken as σ₁, its value at a balanced solution of commuting
    moments. Seen, not fitted: on centred digits, commuting moments and two families with
    eigenvalues i⁻² the loss fell all along at 0.8 of this step and did not at 1.1 of it; on
    uncentred digits it fell at 0.5 and not at 0.8.
    """
    return float(2 / (path_curvature + problem.modes.sigma[0]))


def refuse_divergence(
    problem: Problem, step_size: float, path_curvature: float, room: float = 1.0
) -> None:
    """Raise StagewiseError where training would not get through the run.

    room : largest stable step of the update rule over that of gradient descent.
    Either the curvature along the path exceeds 2/step_size through the first layer alone, or
    step_size·σ₁ > 1, where the first mode has no stable fixed point (`theory.step_size`).
    """
    steepness = step_size * path_curvature / room
    growth = step_size * float(problem.modes.sigma[0]) / room
    if steepness <= 2 and growth <= 1:
        return
    reason = (
        f"step size × curvature reaches {steepness:.3g} on the way, above the limit 2"
        if steepness > 2
        else f"step size × σ₁ is {growth:.3g}, and above 1 the first mode never settles"
    )
    raise StagewiseError(
        f"With the step size {step_size:.4g} gradient descent would itself diverge ({reason}), so "
        "there is nothing to forecast. The loss falls steadily up to a step size of about "
        f"{room * stability_bound(problem, path_curvature):.3g}; half of it is the default."
    )


def stage_count(problem: Problem, width: int, stages: int | None) -> int:
    """How many ranks to forecast: as asked for, else all that can be learned."""
    check_width(width)
    most = min(len(problem.modes.sigma), width)
    if stages is not None and not 1 <= stages <= most:
        raise StagewiseError(
            f"stages is {stages}; it must be from 1 to {most}, the lesser of the rank of sigma_xy "
            f"({len(problem.modes.sigma)}) and the width ({width})."
        )
    return most if stages is None else stages


def check_positive(name: str, value: float) -> None:
    """Refuse values that are not positive numbers."""
    if not 0 < value < np.inf:
        raise StagewiseError(f"{name} is {value:g}; it must be a positive number.")
