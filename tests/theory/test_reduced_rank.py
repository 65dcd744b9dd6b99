"""Reduced-rank regression against brute force and its known cases."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem
from stagewise.theory import reduced_rank_regression, ridge_regression


def data(seed=0, samples=50, dim_in=5, dim_out=4):
    generator = np.random.default_rng(seed)
    inputs = generator.standard_normal((samples, dim_in)) @ generator.standard_normal((dim_in,) * 2)
    outputs = inputs @ generator.standard_normal((dim_in, dim_out))
    outputs += generator.standard_normal(outputs.shape)
    return inputs, outputs


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_no_map_of_the_same_rank_found_by_a_general_optimiser_is_better(rank):
    inputs, outputs = data()
    problem = Problem(inputs.T @ inputs / 50, inputs.T @ outputs / 50)

    def error(matrix):
        return np.sum((outputs - inputs @ matrix) ** 2) / 100

    def of_factors(flat):
        first, second = flat[: 5 * rank].reshape(5, rank), flat[5 * rank :].reshape(rank, 4)
        return error(first @ second)

    best = min(
        minimize(of_factors, np.random.default_rng(seed).standard_normal(9 * rank)).fun
        for seed in range(4)
    )
    solution = reduced_rank_regression(problem, rank)
    assert np.linalg.matrix_rank(solution) == rank
    assert_allclose(error(solution), best, rtol=1e-6)


def test_full_rank_is_least_squares():
    inputs, outputs = data(1)
    problem = Problem(inputs.T @ inputs / 50, inputs.T @ outputs / 50)
    expected = np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    assert_allclose(reduced_rank_regression(problem, 4), expected, rtol=1e-9)


def test_its_order_is_sigma_squared_over_lam_not_sigma():
    problem = Problem(np.diag([1.0, 0.1]), np.diag([1.0, 0.8]))
    assert_allclose(reduced_rank_regression(problem, 1), np.diag([0.0, 8.0]), atol=1e-12)


@pytest.mark.parametrize("rank", [0, 5, -1])
def test_an_impossible_rank_is_refused(rank):
    inputs, outputs = data()
    problem = Problem(inputs.T @ inputs / 50, inputs.T @ outputs / 50)
    with pytest.raises(StagewiseError, match=f"rank is {rank}; it must be from 1 to .* = 4"):
        reduced_rank_regression(problem, rank)


@pytest.mark.parametrize("penalty", [1e-6, 0.3, 50.0])
def test_ridge_regression_is_least_squares_on_data_with_the_penalty_as_rows(penalty):
    inputs, outputs = data()
    problem = Problem(inputs.T @ inputs / 50, inputs.T @ outputs / 50)
    rows = np.vstack([inputs, np.sqrt(50 * penalty) * np.eye(5)])
    expected = np.linalg.lstsq(rows, np.vstack([outputs, np.zeros((5, 4))]), rcond=None)[0]
    assert_allclose(ridge_regression(problem, penalty), expected, rtol=1e-8)
