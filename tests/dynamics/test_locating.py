"""Located learning times against runs of which every iteration is recorded."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.synthetic import aligned
from stagewise.dynamics import train
from stagewise.dynamics.first_weights import initial_weights
from stagewise.dynamics.locating import NEVER, close_enough, hop, shorter_hop, straight
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


def test_modes_that_are_learned_before_the_first_record_asked_for_have_their_own_times():
    problem = commuting()
    weights = initial_weights(problem, "aligned", 2, 3, 0.0, np.random.default_rng(0))
    found = train(problem, weights, 0.1, [5, 10], refine=True)
    assert found.learning_iteration.tolist() == [0, 0, 0]
    weights = initial_weights(problem, "aligned", 2, 3, 1.0, np.random.default_rng(0))
    every = train(problem, weights, 0.1, range(200))
    found = train(problem, weights, 0.1, [100, 200], refine=True)
    assert_allclose(found.learning_iteration, every.learning_iteration, atol=0.5)


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


@pytest.mark.parametrize("stop", [0, 100, 20_000])
def test_a_hop_ends_before_a_crossing_unless_it_is_near_and_then_just_past_it(stop):
    left = np.geomspace(5, 1e6, 200)
    near, ahead = close_enough(stop + left), hop(np.full(200, stop), left) - stop
    far = left > near
    assert (ahead[far] < left[far] - 0.2 * near[far]).all()  # lengthy ones leave a margin
    long = left > 10 * near
    assert (ahead[long] < 0.95 * left[long]).all()
    assert (ahead[long] > 0.9 * left[long] - 1).all()
    close = left < 0.6 * near
    assert (ahead[close] > left[close]).all()
    assert (ahead[close] < left[close] + 0.4 * near[close] + 1).all()


def test_the_last_iterations_are_taken_one_by_one_and_no_crossing_is_awaited_for_ever():
    assert list(hop(np.array([50, 50, 50]), np.array([0.3, 2.0, 4.0]))) == [51, 51, 51]
    assert hop(np.array([50]), np.array([5.0]))[0] > 51
    assert list(hop(np.array([50, 50]), np.array([np.inf, 1e16]))) == [NEVER, NEVER]


@pytest.mark.parametrize("share", [0.01, 0.4, 0.9, 1.0])
def test_a_hop_that_went_too_far_is_taken_again_to_before_the_crossing(share):
    for steps in (2, 100, 50_000):
        ahead = shorter_hop(np.array([1000]), np.array([steps]), np.array([share]))[0] - 1000
        assert 1 <= ahead < steps
        assert ahead == 1 or ahead <= 0.97 * share * steps
    assert ahead > 0.9 * share * steps
