"""The forecast's run, trained: from a few Gaussian starts, on moments or on samples."""

from collections.abc import Callable

import numpy as np

from stagewise.analysis.crossings import FirstCrossings, geometric_records, response_values
from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.first_weights import initial_weights
from stagewise.dynamics.on_data import Network, Sampling, train_on_data
from stagewise.dynamics.training import train as dynamics_train
from stagewise.forecast.laws import law
from stagewise.forecast.settings import Forecast
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.theory.forecast_laws import PATIENCE

_RECORDS = 200
_SPACING = 0.01
"""Relative distance of records, between which learning times are interpolated."""
_WIDEST = 0.5
"""Spread of ln T beyond which a forecast is so rough that waiting as long would be in vain."""
_SEEN = 1e-12
"""Eigenvalues of sigma_x below this share of the largest are rounding."""

Samples = tuple[FloatArray, FloatArray]
AfterEach = Callable[[int], None]


def horizon(problem: Problem, forecast: Forecast, spread: FloatArray) -> int:
    """Iterations to train for: four standard deviations of ln T past the last stage.

    spread : (stages,), of ln T. Where the forecast has no last stage, as long as it was sought.
    """
    latest = np.array(forecast.iterations) * np.exp(4 * np.minimum(spread, _WIDEST))
    if np.isfinite(latest).all():
        return int(np.ceil(latest.max())) + 1
    if forecast.noise is not None:
        return int(np.ceil(PATIENCE * np.nanmax(latest)))
    settings = (forecast.step_size, forecast.delta, forecast.width)
    slowest = law(problem, *settings, "plain", rule=forecast.practice.law)[len(latest) - 1]
    return int(np.ceil(PATIENCE * slowest))


def train(
    problem: Problem,
    forecast: Forecast,
    iterations: int,
    seeds: int,
    after_each: AfterEach = lambda trained: None,
    dim_in: int | None = None,
    samples: Samples | None = None,
) -> FloatArray:
    """Learning iterations of trained networks (seeds, stages), NaN where not reached.

    problem : the moments, whatever the loss. samples : inputs (n, dim_in) and outputs (n, dim_out),
    where moments do not tell the course. dim_in : inputs of the data, where the problem is given in
    fewer coordinates than that; what is left of a Gaussian start in these is Gaussian too, with the
    deviation of the whole. after_each : called with the number of networks trained so far.
    """
    if samples is not None and not forecast.practice.trains_on_moments:
        problem = Problem(_product(samples[0], samples[0]), _product(*samples))
    measured = np.empty((seeds, len(forecast.iterations)))
    for seed in range(seeds):
        random = generator("stagewise forecast", seed)
        scale = (forecast.width, forecast.delta)
        weights = initial_weights(problem, "gaussian", 2, *scale, random)
        weights[0] = weights[0] * np.sqrt(problem.dim_in / (dim_in or problem.dim_in))
        if forecast.practice.is_plain:
            measured[seed] = _on_moments(problem, forecast, iterations, weights)
        else:
            rows = equivalent_samples(problem) if forecast.practice.trains_on_moments else samples
            assert rows is not None
            draw = generator("stagewise forecast, batches", seed)
            measured[seed] = _on_samples(problem, forecast, iterations, weights, rows, draw)
        after_each(seed + 1)
    return measured


def _on_moments(
    problem: Problem, forecast: Forecast, iterations: int, weights: list[FloatArray]
) -> FloatArray:
    records = np.unique(np.linspace(0, iterations, _RECORDS + 1).round().astype(np.int64))
    trajectory = dynamics_train(
        problem,
        weights,
        forecast.step_size,
        records,
        refine=True,
        modes=len(forecast.iterations),
        observables=("response_values",),
        rotate=forecast.practice.is_descent,
        optimizer=forecast.practice.steps(None),
    )
    return trajectory.learning_iteration


def _on_samples(
    problem: Problem,
    forecast: Forecast,
    iterations: int,
    weights: list[FloatArray],
    samples: Samples,
    draw: np.random.Generator,
) -> FloatArray:
    """Singular values of Xᵀ(response)/n until all stages have half of where they end."""
    practice, stages = forecast.practice, len(forecast.iterations)
    ends = practice.law.end(forecast.step_size, problem.modes.sigma[:stages])
    inputs, outputs = samples
    network, biased = Network(practice.activation, practice.loss), not practice.is_linear
    if practice.loss == "cross_entropy":
        outputs = outputs - outputs.min(axis=0)  # classes again, whose mean the biases fit

    def learned(layers: list[FloatArray], _: IntArray) -> FloatArray:
        if not biased:
            response = problem.sigma_x @ (layers[0] @ layers[1])
        else:
            said = network.outputs(inputs, layers[:2], layers[2:])
            response = inputs.T @ (said - said.mean(axis=1, keepdims=True)) / len(inputs)
        return np.asarray(response_values(response, stages) / ends)

    size = practice.batch_size
    first = 0.1 * np.nanmin(np.array(forecast.iterations))
    crossings = FirstCrossings(learned, np.ones((1, stages), dtype=bool))
    train_on_data(
        network,
        inputs,
        outputs,
        [each[None] for each in weights],
        forecast.step_size,
        geometric_records(float(first), iterations, _SPACING),
        crossings,
        sampling=None if size is None else Sampling(size),
        generators=[draw],
        rule=practice.steps(forecast.schedule_length),
        use_biases=biased,
    )
    return np.asarray(crossings.times()[0])


def equivalent_samples(problem: Problem) -> Samples:
    """As many samples as sigma_x has directions, with the moments of a problem and no residual."""
    seen = problem.eigenvalues > _SEEN * problem.eigenvalues[-1]
    basis, root = problem.eigenvectors[:, seen], np.sqrt(problem.eigenvalues[seen])[:, None]
    inputs = np.sqrt(len(root)) * root * basis.T
    return inputs, np.sqrt(len(root)) / root * (basis.T @ problem.sigma_xy)


def _product(left: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(left.T @ right / len(left))
