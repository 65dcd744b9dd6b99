"""Deep networks under decay and momentum, and where decayed training of two layers ends."""

import numpy as np

from stagewise.analysis.crossings import FirstCrossings, geometric_records, mode_rows
from stagewise.analysis.curvature import numerical_rank
from stagewise.arrays import FloatArray, IntArray
from stagewise.config.training import UpdateRules
from stagewise.dynamics.on_data import train_on_moments
from stagewise.dynamics.optimisers.heavy_ball import HeavyBall
from stagewise.dynamics.optimisers.l2_decay import L2Decay
from stagewise.dynamics.update_rule import UpdateRule
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.theory.deep_rules import (
    decay_threshold,
    decayed_learning_iteration,
    momentum_learning_iteration,
)
from stagewise.theory.depth import leading_iteration
from stagewise.theory.growth import HeavyBallGrowth
from stagewise.theory.nuclear_norm import nuclear_norm_regression

DEPTHS = (3, 4)
MOMENTUM_SCALES = {3: (4.5, 6.0), 4: (2.5, 3.25)}
"""Initial scales delta that heavy ball starts from: times of thousands of iterations."""
_PATIENCE = 3.0
_SHAPE = (5, 4)
_LAM = (0.03, 1.0)
_END_WIDTH = 6
_END_STEP = 0.5
_SMALL = 1e-3
"""A singular value below this share of the largest does not count towards the rank at the end."""


def decay_rows(name: str, experiment: UpdateRules) -> list[dict[str, object]]:
    """Aligned starts on either side of the threshold of L2 decay, of one mode each."""
    rows: list[dict[str, object]] = []
    step, sigma = experiment.deep_decay_step, experiment.sigma[0]
    offsets = np.array(experiment.deep_decay_offsets)
    for depth in DEPTHS:
        for decay in experiment.deep_decay:
            delta = decay_threshold(np.array(sigma), decay, depth) + offsets
            law = decayed_learning_iteration(np.array(sigma), delta, step, decay, depth)
            last = _PATIENCE * float(law[np.isfinite(law)].max())
            rule = L2Decay(decay=decay)
            times = _aligned_times(experiment, delta, depth, step, rule, last, 1 - decay / sigma)
            for start, offset in enumerate(offsets):
                shared = {
                    "experiment": name,
                    "setting": start,
                    "dataset": "threshold",
                    "rule": "l2_decay",
                    "decay": decay,
                    "depth": depth,
                    "width": 1,
                    "step_size": step,
                    "delta": float(delta[start]),
                    "sigma": sigma,
                    "threshold": float(delta[start] - offset),
                }
                rows += mode_rows(shared, times[start][None], {"forecast": law[start][None]})
    return rows


def momentum_rows(name: str, experiment: UpdateRules) -> list[dict[str, object]]:
    """Heavy ball with three and four layers, aligned, at two scales."""
    rows: list[dict[str, object]] = []
    step, sigma = experiment.deep_momentum_step, np.array(experiment.sigma[:1])
    for depth in DEPTHS:
        for momentum in experiment.deep_momentum:
            delta = np.array(MOMENTUM_SCALES[depth])
            law = momentum_learning_iteration(sigma, delta, step, momentum, depth)
            rule = HeavyBall(momentum=momentum)
            last = 1.5 * float(law.max()) + 100
            times = _aligned_times(experiment, delta, depth, step, rule, last, 1.0)
            growth = HeavyBallGrowth(momentum).growth(step, sigma)
            # The rival takes the root z of two layers for the step that it is there.
            rival = leading_iteration(sigma, delta, np.expm1(growth) / sigma, depth)
            for start, scale in enumerate(delta):
                shared = {
                    "experiment": name,
                    "setting": start,
                    "dataset": "deep_momentum",
                    "rule": "heavy_ball",
                    "momentum": momentum,
                    "depth": depth,
                    "width": 1,
                    "step_size": step,
                    "delta": float(scale),
                    "sigma": float(sigma[0]),
                }
                laws = {"forecast": law[start][None], "plain_forecast": rival[start][None]}
                rows += mode_rows(shared, times[start][None], laws)
    return rows


def _aligned_times(
    experiment: UpdateRules,
    delta: FloatArray,
    depth: int,
    step: float,
    rule: UpdateRule,
    last: float,
    share: float,
) -> FloatArray:
    """Learning iterations (starts, 1) of one aligned mode, of `share` of its target sigma/lam."""
    sigma, lam = experiment.sigma[0], experiment.lam[0]
    weights = [np.exp(-delta)[:, None, None] for _ in range(depth)]
    problem = Problem(np.array([[lam]]), np.array([[sigma]]))

    def learned(layers: list[FloatArray], _: IntArray) -> FloatArray:
        return np.asarray(np.prod(layers, axis=0)[:, 0] * lam / (sigma * share))

    crossings = FirstCrossings(learned, np.ones((len(delta), 1), dtype=bool))
    records = geometric_records(1, last, 0.002)
    train_on_moments([problem], weights, step, records, crossings, rule)
    return crossings.times()


def end_rows(name: str, experiment: UpdateRules) -> list[dict[str, object]]:
    """Random problems that do not commute, trained to the end under L2 decay: their ranks."""
    if not experiment.end_cases:
        return []
    draws = [generator("ends", name, case) for case in range(experiment.end_cases)]
    cases = [_end_case(draw) for draw in draws]
    best = [nuclear_norm_regression(problem, decay) for problem, decay in cases]
    weights = [
        0.3 * np.stack([draw.standard_normal(shape) for draw in draws])
        for shape in ((_SHAPE[0], _END_WIDTH), (_END_WIDTH, _SHAPE[1]))
    ]
    steps = np.array(
        [_END_STEP / _curvature(case[0], end) for case, end in zip(cases, best, strict=True)]
    )
    # In units of the decay it is 1 in every case, and so one rule serves all.
    decays = np.array([decay for _, decay in cases])
    scaled = [Problem(each.sigma_x / decay, each.sigma_xy / decay) for each, decay in cases]
    ends: list[FloatArray] = []

    def keep(_: int, layers: list[FloatArray]) -> bool:
        ends.extend(layers[0] @ layers[1])
        return True

    last = np.array([experiment.end_iterations])
    train_on_moments(scaled, weights, steps * decays, last, keep, L2Decay(decay=1.0))
    rows: list[dict[str, object]] = []
    for case, (problem, decay) in enumerate(cases):
        shared = {
            "experiment": name,
            "setting": 0,
            "dataset": "ends",
            "rule": "l2_decay",
            "decay": decay,
            "width": _END_WIDTH,
            "step_size": float(steps[case]),
            "delta": 0.0,
            "seed": case,
            "rank": numerical_rank([ends[case]], _SMALL),
            "predicted_rank": numerical_rank([best[case]], _SMALL),
        }
        rows += [
            shared | {"mode": mode, "sigma": float(sigma)}
            for mode, sigma in enumerate(problem.modes.sigma, start=1)
        ]
    return rows


def _curvature(problem: Problem, end: FloatArray) -> float:
    """Above the largest curvature at a balanced solution, and while it is climbed to."""
    strength = float(np.linalg.norm(end, ord=2))
    return float(2 * problem.eigenvalues[-1] * strength + problem.modes.sigma[0])


def _end_case(draw: np.random.Generator) -> tuple[Problem, float]:
    """A problem whose moments do not commute, and a decay among its singular values."""
    frame = np.linalg.qr(draw.standard_normal((_SHAPE[0], _SHAPE[0])))[0]
    sigma_x = (frame * np.geomspace(*_LAM, _SHAPE[0])) @ frame.T
    sigma_x = (sigma_x + sigma_x.T) / 2
    problem = Problem(sigma_x, draw.standard_normal(_SHAPE))
    low, high = np.log(problem.modes.sigma[[-1, 0]])
    return problem, float(np.exp(draw.uniform(low, high)))
