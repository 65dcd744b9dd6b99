"""Staged exponents: limits without noise, and by hand with two saddles."""

import numpy as np
from numpy.testing import assert_allclose

from stagewise.problems.problem import Problem
from stagewise.theory import reduced_rank_regression
from stagewise.theory.forecast_laws import PooledMoments, reduced_rank_forecast
from stagewise.theory.growth import HeavyBallGrowth
from stagewise.theory.minibatch import batch_exponents
from stagewise.theory.minibatch_stages import batch_drift, batch_slopes, saddles_noise


def example():
    rng = np.random.default_rng(3)
    inputs = rng.standard_normal((400, 6)) * np.geomspace(1, 0.4, 6)
    outputs = inputs @ rng.standard_normal((6, 3)) * [1, 0.6, 0.4]
    outputs += 0.5 * rng.standard_normal((400, 3))
    problem = Problem(inputs.T @ inputs / 400, inputs.T @ outputs / 400)
    maps = [reduced_rank_regression(problem, rank) for rank in (1, 2)]
    return problem, saddles_noise(inputs, outputs, maps)


def test_without_noise_it_is_the_limit_of_the_reduced_rank_law():
    problem, saddles = example()
    rule = HeavyBallGrowth(0.9)
    law = reduced_rank_forecast(
        PooledMoments.of(problem), np.array([0.05, 0.05]), np.array([1000.0, 3000.0]), 5, rule
    )
    assert_allclose(batch_slopes(saddles, 0.05, None, rule=rule), np.diff(law, axis=0)[0] / 2000)


def test_two_stages_by_hand():
    _, saddles = example()
    first = batch_exponents(saddles[0], 0.1, 4, 3)
    second = batch_exponents(saddles[1], 0.1, 4, 3)
    wait = 1 / first[0]
    expected = [wait, wait + (1 - wait * first[1]) / second[1]]
    assert_allclose(batch_slopes(saddles[:2], 0.1, 4), expected, rtol=0.02)
    assert_allclose(batch_slopes(saddles, 0.1, 4)[:2], expected, rtol=1e-12)


def test_noise_delays_and_larger_batches_less():
    _, saddles = example()
    small, large = (batch_drift(saddles, 0.1, size) for size in (4, 64))
    assert (small > large).all()
    assert (large > 1).all()
    assert (batch_drift(saddles, 0.1, 10**9) < 1 + 1e-6).all()
