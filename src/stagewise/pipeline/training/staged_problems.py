"""Random problems whose moments do not commute, beside staged laws with and without memory."""

import numpy as np

from stagewise.analysis.crossings import (
    FirstCrossings,
    geometric_records,
    mode_rows,
    response_values,
)
from stagewise.arrays import FloatArray, IntArray
from stagewise.config.training import StagedProblems
from stagewise.dynamics.on_data import train_on_moments
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.theory import reduced_rank_regression
from stagewise.theory.growth import DESCENT
from stagewise.theory.minibatch_stages import batch_slopes, saddles_noise

_PATIENCE = 1.3


def training_rows(name: str, experiment: StagedProblems, _: str | None) -> list[dict[str, object]]:
    """Rows of the table `training`: one per delta, problem (as seed) and mode."""
    draws = [generator("problems", name, case) for case in range(experiment.cases)]
    problems = [_problem(experiment, draw) for draw in draws]
    shapes = ((experiment.dim_in, experiment.width), (experiment.width, experiment.modes))
    starts = [
        np.stack([draw.standard_normal(shape) / np.sqrt(shape[0]) for draw in draws])
        for shape in shapes
    ]
    steps = np.array([_step(each, experiment.step_size) for each in problems])
    laws = [_laws(each, step) for each, step in zip(problems, steps, strict=True)]
    columns = {key: np.stack([law[key] for law in laws]) for key in laws[0]}
    rows: list[dict[str, object]] = []
    for delta in experiment.delta:
        times = _times(problems, steps, [np.exp(-delta) * each for each in starts], delta)
        shared = {
            "experiment": name,
            "setting": 0,
            "dataset": "random",
            "rule": "gradient_descent",
            "width": experiment.width,
            "step_size": experiment.step_size,
            "delta": delta,
        }
        rows += mode_rows(shared, times, columns)
    return rows


def _problem(experiment: StagedProblems, draw: np.random.Generator) -> Problem:
    """Singular values and eigenvalues that fall geometrically, in independent random frames."""

    def frame(size: int) -> FloatArray:
        return np.linalg.qr(draw.standard_normal((size, size)))[0]

    dim_in, modes = experiment.dim_in, experiment.modes
    basis = frame(dim_in)
    sigma_x = (basis * np.geomspace(1, 1 / experiment.condition, dim_in)) @ basis.T
    sigma = experiment.sigma_ratio ** np.arange(modes)
    sigma_xy = (frame(dim_in)[:, :modes] * sigma) @ frame(modes).T
    return Problem((sigma_x + sigma_x.T) / 2, sigma_xy)


def _step(problem: Problem, relative: float) -> float:
    """Step over sigma_1, or half of what the curvature λ₁‖W‖₂ of the balanced solution bears."""
    strength = float(np.linalg.norm(problem.least_squares, ord=2))
    stable = 1 / (problem.eigenvalues[-1] * strength)
    return float(min(relative / problem.modes.sigma[0], stable))


def _samples(problem: Problem) -> tuple[FloatArray, FloatArray]:
    """As many samples as inputs, with these moments and no residual."""
    root = np.linalg.cholesky(problem.sigma_x).T * np.sqrt(problem.dim_in)
    return root, root @ problem.least_squares


def _laws(problem: Problem, step: float) -> dict[str, FloatArray]:
    """Growth per iteration (modes,), one over dT_k/dδ.

    growth : the reduced-rank staged law, in which waiting directions keep what they have climbed.
    rival_growth : every stage starts anew, at the largest singular value of its residual.
    """
    modes = len(problem.modes.sigma)
    maps = [reduced_rank_regression(problem, rank) for rank in range(1, modes)]
    fastest = [problem.modes.sigma[0]] + [
        np.linalg.norm(problem.sigma_xy - problem.sigma_x @ each, ord=2) for each in maps
    ]
    anew = np.cumsum(1 / DESCENT.growth(step, np.array(fastest)))
    return {
        "sigma": problem.modes.sigma,
        "growth": 1 / batch_slopes(saddles_noise(*_samples(problem), maps), step, None),
        "plain_growth": DESCENT.growth(step, problem.modes.sigma),
        "rival_growth": 1 / anew,
    }


def _times(
    problems: list[Problem], steps: FloatArray, weights: list[FloatArray], delta: float
) -> FloatArray:
    """Learning iterations (problems, modes)."""
    targets = np.stack([each.modes.sigma for each in problems])
    curvature = np.stack([each.curvature for each in problems])

    def learned(layers: list[FloatArray], runs: IntArray) -> FloatArray:
        responses = curvature[runs] * (layers[0] @ layers[1])
        return np.asarray(response_values(responses, targets.shape[1]) / targets[runs])

    slowest = DESCENT.growth(steps, targets[:, -1]).min()
    records = geometric_records(1, _PATIENCE * (delta + 4) / float(slowest), 0.005)
    crossings = FirstCrossings(learned, np.ones(targets.shape, dtype=bool))
    train_on_moments(problems, weights, steps, records, crossings)
    return crossings.times()
