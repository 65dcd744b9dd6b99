"""Located learning times against runs of which every iteration is recorded."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.synthetic import aligned
from stagewise.dynamics import train
from stagewise.dynamics.first_weights import initial_weights
from stagewise.dynamics.locating import straight
from stagewise.dynamics.optimisers import RULES
from stagewise.problems.learned import LEARNED_SHARE
from stagewise.problems.problem import Problem

SIGMA = np.array([1.0, 0.6, 0.25])
LAM = np.array([0.8, 1.1, 0.5])


def commuting(frame="random"):
    moments = aligned(SIGMA, LAM, frame, np.random.default_rng(1))
    return Problem(moments.sigma_x, moments.sigma_xy)


def generic(seed=2):
    random = np.random.default_rng(seed)
    inputs = random.standard_normal((40, 6)) * [2, 1.5, 1, 1, 0.5, 0.3]
    outputs = inputs @ random.standard_normal((6, 4))
    return Problem(inputs.T @ inputs / 40, inputs.T @ outputs / 40)


# Name: problem, start, depth, delta, step, length, update rule.
CASES = {
    "two layers": (commuting(), "gaussian", 2, 6.0, 0.1, 1000, "gradient_descent"),
    "large delta": (commuting("coordinate"), "diagonal", 2, 120.0, 0.2, 4000, "gradient_descent"),
    "overshooting": (commuting(), "aligned", 2, 5.0, 0.9, 100, "gradient_descent"),
    "falling back": (generic(), "gaussian", 2, 5.0, 0.12, 400, "gradient_descent"),
    "no convergence": (commuting(), "gaussian", 2, 5.0, 1.3, 100, "gradient_descent"),
    "one layer": (generic(), "gaussian", 1, 3.0, 0.05, 800, "gradient_descent"),
    "three layers": (commuting(), "aligned", 3, 4.0, 0.2, 2500, "gradient_descent"),
    "four layers": (commuting(), "aligned", 4, 2.5, 0.1, 8000, "gradient_descent"),
    "four gaussian layers": (commuting(), "gaussian", 4, 1.5, 0.1, 4000, "gradient_descent"),
    "not commuting": (generic(), "gaussian", 2, 12.0, 0.03, 3000, "gradient_descent"),
    "unbalanced": (commuting(), "unbalanced", 2, 6.0, 0.1, 1000, "gradient_descent"),
    "heavy ball": (commuting(), "gaussian", 2, 8.0, 0.05, 800, "heavy_ball"),
    "Nesterov": (commuting(), "gaussian", 2, 8.0, 0.05, 800, "nesterov"),
    "RMSProp": (generic(), "gaussian", 2, 3.0, 0.003, 1500, "rmsprop"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("per_decade", [10, 60])
def test_learning_times_are_located_to_half_an_iteration_or_two_thousandths(name, per_decade):
    problem, kind, depth, delta, step, last, rule = CASES[name]
    runs = [
        initial_weights(problem, kind, depth, 4, delta, np.random.default_rng(seed))
        for seed in range(4)
    ]
    weights = [np.stack(each) for each in zip(*runs, strict=True)]
    grid = np.unique(np.geomspace(1, last, int(per_decade * np.log10(last))).round().astype(int))
    located, every, coarse = (
        train(problem, weights, step, records, refine=refine, optimizer=RULES[rule]())
        for records, refine in ((grid, True), (np.arange(last + 1), False), (grid, False))
    )
    assert (every.iterations >= 0).any()
    missed = []
    for criterion in ("learning_iteration", "mode_learning_iteration"):
        truth = getattr(every, criterion)
        assert np.isfinite(truth).any()
        assert_allclose(getattr(located, criterion), truth, atol=0.5, rtol=2e-3)
        found = getattr(coarse, criterion)
        missed.append(np.nanmax(np.abs(found - truth) / np.maximum(0.5, 2e-3 * truth)))
    if per_decade == 10 and name in ("large delta", "four layers"):
        assert max(missed) > 2  # interpolation alone is not enough


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
def test_an_aligned_mode_climbs_in_a_straight_line(depth):
    amplitude, values = 0.05, []
    for _ in range(100_000):
        values.append(amplitude**depth)
        if values[-1] > LEARNED_SHARE:
            break
        amplitude += 1e-3 * (1 - amplitude**depth) * amplitude ** (depth - 1)
    climb = np.diff(straight(np.array(values[:-1]), depth))
    assert_allclose(climb, climb.mean(), rtol=5e-3)
