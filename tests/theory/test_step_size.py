"""Thresholds of the step size against descent."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import outcomes
from stagewise.data.synthetic import aligned
from stagewise.dynamics import gradient_descent, mode_recursion
from stagewise.dynamics.first_weights import initial_weights
from stagewise.problems.problem import Problem
from stagewise.theory import CONVERGENCE_THRESHOLD, OVERSHOOT_THRESHOLD, stable_step


@pytest.mark.parametrize("lam", [0.1, 1.0, 10.0])
@pytest.mark.parametrize(
    ("growth", "expected"),
    [
        (OVERSHOOT_THRESHOLD - 0.01, "monotone"),
        (OVERSHOOT_THRESHOLD, "monotone"),
        (OVERSHOOT_THRESHOLD + 0.01, "overshoot"),
        (CONVERGENCE_THRESHOLD - 0.01, "overshoot"),
        (CONVERGENCE_THRESHOLD + 0.01, "no convergence"),
    ],
)
def test_a_mode_overshoots_past_one_half_and_fails_past_one_whatever_lam(lam, growth, expected):
    sigma = np.array([0.7])
    records = np.arange(4000)
    strengths = mode_recursion(sigma, np.array([lam]), 3.0, growth / 0.7, 2, records)
    share = strengths[None] * lam / 0.7
    assert outcomes(share, np.array([len(records)]), np.array([False])) == [[expected]]


def test_the_slope_at_the_fixed_point_is_one_minus_two_x():
    growth, width = 0.3, 1e-6

    def step(a):
        return a * (1 + growth * (1 - a**2))

    assert_allclose((step(1 + width) - step(1 - width)) / (2 * width), 1 - 2 * growth, rtol=1e-8)


def largest_curvature(sigma, lam):
    """Top eigenvalue of the dense Hessian at the balanced solution, by finite differences.

    Inputs with sigma 0 are outside the modes.
    """
    modes = len(sigma)
    root = np.diag(np.sqrt(sigma / lam))

    def gradient(flat):
        first, second = flat.reshape(2, modes, modes)
        residual = lam[:, None] * (first @ second) - np.diag(sigma)
        return np.stack([residual @ second.T, first.T @ residual]).ravel()

    start, width = np.stack([root, root]).ravel(), 1e-6
    columns = [
        (gradient(start + width * unit) - gradient(start - width * unit)) / (2 * width)
        for unit in np.eye(len(start))
    ]
    return np.linalg.eigvalsh((np.array(columns) + np.array(columns).T) / 2)[-1]


@pytest.mark.parametrize("seed", range(4))
def test_the_stable_step_is_two_over_the_largest_curvature(seed):
    generator = np.random.default_rng(seed)
    sigma = np.sort(generator.uniform(0.2, 1, 3))[::-1]
    lam = generator.uniform(0.1, 5, 3)
    assert_allclose(stable_step(sigma, lam), 2 / largest_curvature(sigma, lam), rtol=1e-6)


def test_an_input_outside_the_modes_can_set_the_stable_step():
    sigma, lam = np.array([1.0, 0.5, 0.0]), np.array([1.0, 2.0, 7.0])
    step = stable_step(sigma[:2], lam[:2], largest_eigenvalue=7.0)
    assert_allclose(step, 2 / largest_curvature(sigma, lam), rtol=1e-6)
    assert step < stable_step(sigma[:2], lam[:2])


@pytest.mark.parametrize(("share", "stable"), [(0.97, True), (1.03, False)])
def test_a_small_disturbance_of_the_solution_decays_just_below_the_stable_step(share, stable):
    sigma, lam = np.array([1.0, 0.8]), np.array([4.0, 0.4])
    moments = aligned(sigma, lam, "coordinate", np.random.default_rng(0))
    problem = Problem(moments.sigma_x, moments.sigma_xy)
    root = np.diag(np.sqrt(sigma / lam))
    disturbed = root + 1e-9 * np.random.default_rng(1).standard_normal((2, 2))
    step = share * stable_step(sigma, lam)
    trajectory = gradient_descent(problem, [disturbed, root], step, [0, 200])
    assert (trajectory.loss[-1] < trajectory.loss[0]) == stable


def test_equal_lam_leaves_only_the_condition_on_the_strongest_mode():
    assert_allclose(stable_step(np.array([2.0, 1.0]), np.array([3.0, 3.0])), 1 / 2.0)


def test_aligned_starts_disturb_nothing_where_generic_ones_diverge():
    sigma, lam = np.array([1.0, 0.8]), np.array([4.0, 0.4])
    moments = aligned(sigma, lam, "coordinate", np.random.default_rng(0))
    problem = Problem(moments.sigma_x, moments.sigma_xy)
    step = 2.2 * stable_step(sigma, lam)
    assert step * sigma[0] < OVERSHOOT_THRESHOLD
    ends = {}
    for start in ("aligned", "gaussian"):
        weights = initial_weights(problem, start, 2, 2, 3.0, np.random.default_rng(5))
        if start == "aligned":
            weights = [np.diag(np.full(2, np.exp(-3.0)))] * 2
        ends[start] = gradient_descent(problem, weights, step, [0, 3000]).status
    assert ends["aligned"] == "ok"
    assert ends["gaussian"] == "diverged"
