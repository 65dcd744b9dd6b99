"""Nuclear-norm regression against its optimality conditions, a closed form, and decayed training."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.problems.problem import Problem
from stagewise.theory.nuclear_norm import nuclear_norm_regression


def random_problem(seed, dim=5, dim_out=4):
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.standard_normal((dim, dim)))[0]
    sigma_x = (frame * np.geomspace(0.2, 1.0, dim)) @ frame.T
    return Problem((sigma_x + sigma_x.T) / 2, 0.5 * rng.standard_normal((dim, dim_out)))


def test_commuting_moments_shrink_every_mode():
    sigma, lam = np.array([0.8, 0.5, 0.2]), np.array([0.5, 1.0, 0.7])
    found = nuclear_norm_regression(Problem(np.diag(lam), np.diag(sigma)), 0.3)
    assert_allclose(found, np.diag(np.maximum(sigma - 0.3, 0) / lam), atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("penalty", [0.1, 0.4])
def test_it_meets_the_optimality_conditions(seed, penalty):
    problem = random_problem(seed)
    found = nuclear_norm_regression(problem, penalty)
    residual = problem.sigma_xy - problem.sigma_x @ found
    left, values, right = np.linalg.svd(found)
    rank = int((values > 1e-9).sum())
    assert np.linalg.norm(residual, ord=2) <= penalty * (1 + 1e-9)
    active = left[:, :rank].T @ residual @ right[:rank].T
    assert_allclose(active, penalty * np.eye(rank), atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_decayed_training_ends_there_whether_or_not_moments_commute(seed):
    problem, decay, rng = random_problem(seed), 0.3, np.random.default_rng(seed)
    first, second = 0.05 * rng.standard_normal((5, 6)), 0.05 * rng.standard_normal((6, 4))
    for _ in range(30_000):
        residual = problem.sigma_xy - problem.sigma_x @ first @ second
        first, second = (
            first + 0.1 * (residual @ second.T - decay * first),
            second + 0.1 * (first.T @ residual - decay * second),
        )
    expected = nuclear_norm_regression(problem, decay)
    assert_allclose(first @ second, expected, atol=1e-6 * np.linalg.norm(expected))
