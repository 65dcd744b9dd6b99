"""Closed forms against an integrator of differential equations and against their limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

from stagewise.theory import linear_flow, two_layer_flow

SIGMA = np.array([1.3, 0.4, 0.0])
LAM = np.array([0.7, 2.0, 0.5])


def test_the_two_layer_flow_solves_its_differential_equation():
    time = np.linspace(0, 12, 25)
    solution = solve_ivp(
        lambda _, w: 2 * w * (SIGMA - LAM * w),
        (0, 12),
        np.full(3, np.exp(-3.0)),
        t_eval=time,
        rtol=1e-11,
        atol=1e-14,
        method="DOP853",
    )
    assert_allclose(two_layer_flow(SIGMA, LAM, 1.5, time), solution.y.T, rtol=1e-8)


@pytest.mark.parametrize("delta", [1.0, 20.0, 200.0])
def test_the_flow_starts_at_the_product_of_the_layers_and_ends_at_least_squares(delta):
    strengths = two_layer_flow(SIGMA[:2], LAM[:2], delta, np.array([0.0, 1e4]))
    assert_allclose(strengths[0], np.exp(-2 * delta), rtol=1e-12)
    assert_allclose(strengths[1], SIGMA[:2] / LAM[:2], rtol=1e-12)


def test_at_rescaled_time_one_over_sigma_the_limit_is_sigma_over_lam_plus_sigma():
    sigma, lam = np.array([0.9]), np.array([0.3])
    strength = two_layer_flow(sigma, lam, 300.0, np.array([300.0 / 0.9]))
    assert_allclose(strength, [[0.9 / 1.2]], rtol=1e-12)


def test_before_and_after_its_time_a_mode_is_absent_and_whole():
    sigma, lam = np.array([0.9]), np.array([0.3])
    before, after = two_layer_flow(sigma, lam, 300.0, np.array([0.95, 1.05]) * 300.0 / 0.9)[:, 0]
    assert before < 1e-12
    assert_allclose(after, 3.0, rtol=1e-12)


def test_the_linear_flow_solves_its_differential_equation():
    time = np.linspace(0, 5, 11)
    solution = solve_ivp(
        lambda _, w: SIGMA - LAM * w, (0, 5), np.full(3, 0.1), t_eval=time, rtol=1e-11, atol=1e-13
    )
    assert_allclose(linear_flow(SIGMA, LAM, 0.1, time), solution.y.T, rtol=1e-8, atol=1e-12)
