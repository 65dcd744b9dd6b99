"""The two laws, each tried where its rival fails."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import learning_times
from stagewise.data.synthetic import aligned
from stagewise.dynamics import gradient_descent
from stagewise.dynamics.first_weights import initial_weights
from stagewise.problems.problem import Problem
from stagewise.theory import discrete_correction, flow_learning_iteration, learning_iteration

RTOL = 2e-3  # the flow's law is at least 2.4e-2 away at these steps


def measured(delta, step_size, frame="random"):
    """Learning iterations of full-matrix descent with sigma = lam = (1, 0.5)."""
    sigma = np.array([1.0, 0.5])
    moments = aligned(sigma, sigma, frame, np.random.default_rng(3))
    problem = Problem(moments.sigma_x, moments.sigma_xy)
    weights = initial_weights(problem, "aligned", 2, 2, delta, np.random.default_rng(4))
    last = int(3 * delta / np.log1p(step_size * 0.5)) + 50
    records = np.unique(np.geomspace(1, last, 300).round().astype(int))
    trajectory = gradient_descent(problem, weights, step_size, records, refine=True)
    return learning_times(trajectory, problem).learning_iteration


@pytest.mark.parametrize("step_size", [0.05, 0.25, 0.5])
def test_delay_per_unit_of_delta_is_the_discrete_law(step_size):
    # Differencing two starts cancels what happens after the climb.
    delay = (measured(16, step_size) - measured(8, step_size)) / 8
    predicted = learning_iteration(np.array([1.0, 0.5]), 1.0, step_size)
    assert_allclose(delay, predicted, rtol=RTOL)
    assert abs(delay[0] * step_size - 1) > 10 * RTOL


@pytest.mark.parametrize(("growth", "ratio"), [(0.05, 1.0248), (0.25, 1.1204), (0.5, 1.2332)])
def test_the_flows_law_is_too_early_by_x_over_log_of_one_plus_x(growth, ratio):
    assert_allclose(discrete_correction(np.array([growth])), [ratio], atol=5e-5)
    time = measured(160, growth, frame="coordinate")[0]
    assert_allclose(time * growth / 160, ratio, rtol=2.5e-3)


def test_time_times_log_growth_over_delta_tends_to_one_as_the_start_vanishes():
    gaps = [abs(measured(d, 0.25, "coordinate")[0] * np.log1p(0.25) / d - 1) for d in (20, 40, 80)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 3e-3


def test_the_flows_law_is_the_limit_of_small_steps():
    sigma = np.array([1.0, 0.3])
    ratio = learning_iteration(sigma, 5.0, 1e-6) / flow_learning_iteration(sigma, 5.0, 1e-6)
    assert_allclose(ratio, 1.0, rtol=1e-6)


def test_learning_time_halves_when_the_mode_is_twice_as_strong_in_the_flow():
    times = flow_learning_iteration(np.array([1.0, 0.5]), 3.0, 0.1)
    assert_allclose(times, [30.0, 60.0])
