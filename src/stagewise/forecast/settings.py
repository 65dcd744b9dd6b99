"""What a request leaves open, chosen from the problem: step size, scale, width, stages."""

from dataclasses import dataclass, field

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.adiabatic import distance
from stagewise.errors import StagewiseError
from stagewise.forecast.batches import BatchNoise, batch_noise, batch_room
from stagewise.forecast.intervals import law_spread
from stagewise.forecast.laws import (
    LARGEST_DELTA,
    check_positive,
    curvature,
    integrate,
    integrate_finely,
    law,
    refuse_divergence,
    stability_bound,
    stage_count,
)
from stagewise.forecast.options import Request
from stagewise.forecast.recipe import Practice, check_method, learnable
from stagewise.problems.problem import Problem

DEFAULT_DELTA = 16.0
DEFAULT_STAGES = 10
_NO_GROWTH = 0.5
"""E-folds of growth that are no growth to speak of."""
_LARGEST = 1e100
_HIDDEN = 1e-12
"""Share of the largest curvature below which a mode's own is hardly more than rounding."""


@dataclass(frozen=True)
class Forecast:
    """A run's settings and its forecast.

    iterations : one a stage, NaN where out of reach. error : of ln T (stages,), where the method is
    known to be off; 0 where it is as good as usual.
    """

    step_size: float
    bound: float
    delta: float
    width: int
    method: str
    iterations: tuple[float, ...]
    practice: Practice = field(default_factory=Practice)
    schedule_length: int | None = None
    noise: BatchNoise | None = None
    error: tuple[float, ...] = ()


def settle(
    request: Request,
    problem: Problem,
    dim_in: int | None = None,
    samples: tuple[FloatArray, FloatArray] | None = None,
    dim_out: int | None = None,
) -> Forecast:
    """Complete the settings and forecast. Raises StagewiseError for settings no run has.

    dim_in, dim_out : of the data, where the problem is given in fewer coordinates than that. samples :
    inputs (n, dim_in) and outputs (n, dim_out), centred as the problem is, where batches are drawn.
    """
    _check_units(problem)
    dim_in = dim_in or problem.dim_in
    width = min(dim_in, dim_out or problem.dim_out) if request.width is None else request.width
    practice = request.practice
    check_method(practice, request.method)
    learned = learnable(practice, problem.modes.sigma)
    most = min(stage_count(problem, width, None), learned, told_apart(problem))
    wanted = min(most, DEFAULT_STAGES) if request.stages is None else request.stages
    stages = stage_count(problem, width, wanted)
    if stages > learned:
        raise StagewiseError(
            f"stages is {stages}; it must be from 1 to {learned}, as no more singular values of sigma_xy are "
            f"above the weight decay {practice.weight_decay:g}."
        )
    delta = _delta(request, dim_in)
    if request.method == "integrated" and delta > LARGEST_DELTA:
        raise StagewiseError(
            f"delta is {delta:g}; the integrated forecast works up to {LARGEST_DELTA:g}. Use "
            "--method staged."
        )
    if _growth(problem, stages, delta).max() < _NO_GROWTH:
        raise StagewiseError(
            f"With delta {delta:.3g} the weights start as large as they end, so that nothing is "
            "learned in stages. A larger --delta, or --standardise, makes the start small."
        )
    room = practice.room
    if practice.batch_size is not None and samples is not None:
        room *= batch_room(samples[0], practice.batch_size)
    if request.step_size is not None:
        check_positive("step-size", request.step_size)
    # The curvature along the path depends weakly on delta, so the laws borrow it beyond the limit.
    followed = min(delta, LARGEST_DELTA)
    step_size, bound = request.step_size, None
    if step_size is None:
        trial = float(0.25 / max(problem.eigenvalues[-1], problem.modes.sigma[0]))
        path = curvature(integrate(problem, trial, followed, width, stages, dim_in), trial)
        bound = stability_bound(problem, path)
        # As fast as gradient descent with half of its stable step.
        step_size = bound / 2 * room / practice.room / float(practice.law.speed(1.0))
        bound *= room
    speed = float(practice.law.speed(step_size))
    integration, error = integrate_finely(problem, speed, followed, width, stages, dim_in)
    path = curvature(integration, speed)
    refuse_divergence(problem, step_size, path, room)
    length, noise = None, None
    if request.method == "integrated":
        iterations = integration.learning_iterations[0]
    else:
        case = (problem, step_size, delta, width, request.method, dim_in, practice.law)
        iterations = law(*case)[:stages]
        descent = law(problem, speed, followed, width, request.method, dim_in)[:stages]
        error = np.hypot(error, distance(descent, integration.learning_iterations[0]))
        if practice.schedule != "constant":
            length = practice.schedule_length or int(np.ceil(2 * iterations[-1]))
            iterations = law(*case, practice.factors(length))[:stages]
    if practice.batch_size is not None and samples is not None:
        factors = practice.factors(length)
        noise = batch_noise(
            *samples, practice.batch_size, step_size, iterations, practice.law, factors
        )
        iterations = iterations * np.where(noise.carries, noise.drift, np.nan)
    return Forecast(
        step_size=step_size,
        bound=room * stability_bound(problem, path) if bound is None else bound,
        delta=delta,
        width=width,
        method=request.method,
        iterations=tuple(iterations.tolist()),
        practice=practice,
        schedule_length=length,
        noise=noise,
        error=tuple(error.tolist()),
    )


def told_apart(problem: Problem) -> int:
    """How many stages, from the first on, rounding of the largest inputs leaves untouched."""
    hidden = problem.modes.lam < _HIDDEN * problem.eigenvalues[-1]
    return int(np.argmax(hidden)) if hidden.any() else len(hidden)


def e_folds(problem: Problem, forecast: Forecast) -> FloatArray:
    """By how many e-folds each layer grows until a mode is learned, at most delta (stages,).

    From e^-delta to √(2σ/λ), the layers' size when a mode (λ, σ) ends its linear growth (derived
    for commuting moments). Much fewer than delta: the start is not small beside what is learned.
    """
    growth = _growth(problem, len(forecast.iterations), forecast.delta)
    return np.asarray(np.clip(growth, _NO_GROWTH, forecast.delta))


def _growth(problem: Problem, stages: int, delta: float) -> FloatArray:
    modes = problem.modes
    return np.asarray(delta + 0.5 * np.log(2 * modes.sigma[:stages] / modes.lam[:stages]))


def _check_units(problem: Problem) -> None:
    """Refuse units with which products of moments would leave the range of floating-point numbers."""
    for size in (float(problem.eigenvalues[-1]), float(problem.modes.sigma[0])):
        if not 1 / _LARGEST < size < _LARGEST:
            raise StagewiseError(
                f"The moments of the columns are of the order {size:.1g}, too far from 1 for "
                "floating-point numbers. Give the columns in other units, or say --standardise."
            )


def run_spread(problem: Problem, forecast: Forecast) -> FloatArray:
    """Standard deviation of ln T of a run around its forecast (stages,), batches included."""
    stages = len(forecast.iterations)
    grown = e_folds(problem, forecast)
    spread = law_spread(forecast.method, grown, forecast.width, stages, np.array(forecast.error))
    if forecast.schedule_length is not None:
        schedule = forecast.practice.factors(forecast.schedule_length)
        spread *= [schedule.stretch(time) for time in forecast.iterations]
    return spread if forecast.noise is None else np.hypot(spread, forecast.noise.spread)


def _delta(request: Request, dim_in: int) -> float:
    if request.std is None:
        delta = DEFAULT_DELTA if request.delta is None else request.delta
        check_positive("delta", delta)
        return delta
    check_positive("std", request.std)
    delta = float(-np.log(request.std * np.sqrt(dim_in)))
    if delta <= 0:
        raise StagewiseError(
            f"std is {request.std:g}; with {dim_in} inputs it must be below 1/√{dim_in} = "
            f"{dim_in**-0.5:.3g}. Learning in stages needs a small start."
        )
    return delta
