"""The forecast's run, trained: gradient descent from a few Gaussian starts."""

from collections.abc import Callable

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.networks import initial_weights
from stagewise.dynamics.training import train as dynamics_train
from stagewise.forecast.laws import law
from stagewise.forecast.settings import Forecast
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.theory.forecast_laws import PATIENCE

_RECORDS = 200


def horizon(problem: Problem, forecast: Forecast, spread: FloatArray) -> int:
    """Iterations to train for: four standard deviations of ln T past the last stage.

    spread : (stages,), of ln T. Where the forecast has no last stage, as long as it was sought.
    """
    latest = np.array(forecast.iterations) * np.exp(4 * spread)
    if np.isfinite(latest).all():
        return int(np.ceil(latest.max())) + 1
    settings = (forecast.step_size, forecast.delta, forecast.width)
    slowest = law(problem, *settings, "plain", rule=forecast.practice.law)[len(latest) - 1]
    return int(np.ceil(PATIENCE * slowest))


def train(
    problem: Problem,
    forecast: Forecast,
    iterations: int,
    seeds: int,
    after_each: Callable[[int], None] = lambda trained: None,
    dim_in: int | None = None,
) -> FloatArray:
    """Learning iterations of trained networks (seeds, stages), NaN where not reached.

    dim_in : inputs of the data, where the problem is given in fewer coordinates than that; what is
    left of a Gaussian start in these is Gaussian too, with the deviation of the whole. after_each : called with the number of networks trained so far.
    """
    stages = len(forecast.iterations)
    records = np.unique(np.linspace(0, iterations, _RECORDS + 1).round().astype(np.int64))
    scale = (forecast.width, forecast.delta)
    measured = np.empty((seeds, stages))
    for seed in range(seeds):
        random = generator("stagewise forecast", seed)
        weights = initial_weights(problem, "gaussian", 2, *scale, random)
        weights[0] = weights[0] * np.sqrt(problem.dim_in / (dim_in or problem.dim_in))
        trajectory = dynamics_train(
            problem,
            weights,
            forecast.step_size,
            records,
            refine=True,
            modes=stages,
            observables=("response_values",),
            rotate=forecast.practice.is_descent,
            optimizer=forecast.practice.steps,
        )
        measured[seed] = trajectory.learning_iteration
        after_each(seed + 1)
    return measured
