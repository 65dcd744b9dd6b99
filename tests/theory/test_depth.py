"""Laws for deep networks against quadrature of the flow and against the recursion itself."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad, solve_ivp

from stagewise.theory import descent_iteration, flow_time, leading_iteration, strength_left


def integrated(sigma, lam, delta, depth):
    """Time of the flow to half of σ/λ, by quadrature in ln a, where the integrand is tame."""
    stop = (0.5 * sigma / lam) ** (1 / depth)
    value, _ = quad(
        lambda s: np.exp(-s * (depth - 2)) / (sigma - lam * np.exp(depth * s)),
        -delta,
        np.log(stop),
        epsabs=0,
        epsrel=1e-11,
        limit=500,
    )
    return value


def recursed(sigma, lam, delta, step, depth):
    """Iterations to half of σ/λ, interpolated linearly in the logit of the share."""
    amplitude, iteration, before = np.exp(-delta), 0, 0.0
    while True:
        share = lam * amplitude**depth / sigma
        if share >= 0.5:
            low, high = np.log(before / (1 - before)), np.log(share / (1 - share))
            return iteration - 1 + -low / (high - low)
        before = share
        amplitude += step * (sigma - lam * amplitude**depth) * amplitude ** (depth - 1)
        iteration += 1


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
@pytest.mark.parametrize("sigma", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("lam", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("delta", [1.5, 4.0])
def test_the_time_of_the_flow_is_its_quadrature(depth, sigma, lam, delta):
    assert_allclose(
        flow_time(sigma, lam, delta, depth), integrated(sigma, lam, delta, depth), rtol=1e-8
    )


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("lam", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("delta", [1.5, 2.0, 3.0])
def test_the_step_correction_leaves_less_than_a_tenth_of_an_iteration(depth, lam, delta):
    # Up to half of the stable step 2/(L λ w^(2 - 2/L)), w = 1/λ.
    step = 0.5 * 2 / (depth * lam * (1 / lam) ** (2 - 2 / depth))
    found = recursed(1.0, lam, delta, step, depth)
    assert abs(descent_iteration(1.0, lam, delta, step, depth) - found) < 0.1
    assert abs(flow_time(1.0, lam, delta, depth) / step - found) > 0.1


@pytest.mark.parametrize("depth", [3, 4, 5])
def test_the_leading_law_is_the_limit_of_small_starts(depth):
    ratios = [
        flow_time(0.7, 1.3, delta, depth) / 0.01 / leading_iteration(0.7, delta, 0.01, depth)
        for delta in (2.0, 5.0, 9.0)
    ]
    assert abs(ratios[-1] - 1) < abs(ratios[0] - 1)
    assert ratios[-1] == pytest.approx(1, abs=1e-3)


def test_the_leading_law_of_two_layers_is_the_discrete_one():
    assert_allclose(leading_iteration(0.5, 8.0, 0.4, 2), 8 / np.log1p(0.2))


def test_times_are_in_the_inverse_ratio_of_the_singular_values():
    both = leading_iteration(np.array([1.0, 0.25]), 6.0, 0.1, 3)
    assert both[1] / both[0] == pytest.approx(4)


def test_arguments_broadcast():
    found = flow_time(np.array([1.0, 0.5]), np.ones(2), np.array([[2.0], [3.0]]), 3)
    assert found.shape == (2, 2)
    assert found[1, 1] == pytest.approx(float(flow_time(0.5, 1.0, 3.0, 3)))


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("ratio", [0.3, 0.5])
def test_what_a_weaker_mode_has_when_the_strongest_is_learned(depth, ratio):
    # Independent: both modes by Runge-Kutta, the weaker one read when the stronger one is at 90 %.
    scale = 1e-9

    def flow(_, layers):
        return layers ** (depth - 1) * (np.array([1.0, ratio]) - layers**depth)

    def learned(_, layers):
        return layers[0] ** depth - 0.9

    learned.terminal = True
    start = np.full(2, scale ** (1 / depth))
    end = 10 * scale ** -((depth - 2) / depth)
    run = solve_ivp(flow, (0, end), start, events=learned, rtol=1e-10, atol=1e-14)
    measured = run.y[1, -1] ** depth
    predicted = strength_left(*(np.array(value) for value in (ratio, 1.0, scale, depth)))
    assert_allclose(measured, predicted, rtol=0.05)
    # A rival that forgets the depth in the exponent is far away.
    assert abs(measured / (scale / (1 - ratio)) - 1) > 0.2
