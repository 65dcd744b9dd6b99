"""Deep networks under decay and momentum against scalar recursions and an integrator."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

from stagewise.theory.deep_rules import (
    decay_threshold,
    decayed_learning_iteration,
    momentum_learning_iteration,
)
from stagewise.theory.depth import leading_iteration


@pytest.mark.parametrize("depth", [3, 4])
def test_the_threshold_is_where_the_time_becomes_infinite(depth):
    threshold = decay_threshold(0.8, 0.02, depth)
    inside = decayed_learning_iteration(0.8, threshold - 1e-6, 0.1, 0.02, depth)
    assert np.isfinite(inside)
    assert decayed_learning_iteration(0.8, threshold + 1e-6, 0.1, 0.02, depth) == np.inf


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_the_time_is_that_of_the_flow(depth, share):
    sigma, decay = 0.8, 1e-4
    delta = share * float(decay_threshold(sigma, decay, depth))

    def escaped(_, a):
        return a[0] - 0.3

    escaped.terminal = True
    flow = solve_ivp(
        lambda _, a: sigma * a ** (depth - 1) - decay * a,
        (0, 1e9),
        [np.exp(-delta)],
        events=escaped,
        rtol=1e-11,
        atol=1e-14,
    )
    found = decayed_learning_iteration(sigma, delta, 1.0, decay, depth)
    rest = 0.3 ** -(depth - 2) / ((depth - 2) * sigma)
    assert_allclose(found - rest, flow.t[-1], rtol=2e-3)


def test_without_decay_it_is_the_plain_law_of_deep_networks():
    found = decayed_learning_iteration(0.8, 5.0, 0.1, 1e-12, 3)
    assert_allclose(found, leading_iteration(0.8, 5.0, 0.1, 3), rtol=1e-8)


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_momentum_against_the_scalar_recursion(depth, momentum):
    step, times = 0.05, []
    scales = (5.0, 7.0) if depth == 3 else (3.0, 4.0)
    for delta in scales:
        before = now = np.exp(-delta)
        iteration = 0
        while now < 0.5:
            grown = now + momentum * (now - before) + step * now ** (depth - 1)
            before, now, iteration = now, grown, iteration + 1
        times.append(iteration)
    law = [float(momentum_learning_iteration(1.0, d, step, momentum, depth)) for d in scales]
    assert (times[1] - times[0]) / (law[1] - law[0]) == pytest.approx(1, abs=0.004)
