"""Crossings on curves whose crossings are known."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import crossing_iteration, learning_times
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.digits import DigitsData
from stagewise.dynamics import gradient_descent
from stagewise.dynamics.first_weights import initial_weights
from stagewise.planning.experiments import record_iterations
from stagewise.problems.problem import Problem


@pytest.mark.parametrize("spacing", [1, 10, 40])
def test_a_logistic_curve_is_crossed_exactly_however_sparse_the_records(spacing):
    iterations = np.arange(0, 401, spacing)
    share = 1 / (1 + np.exp(-0.05 * (iterations - 173.3)))
    assert_allclose(crossing_iteration(iterations, share[:, None]), [173.3], rtol=1e-12)


def test_a_straight_line_that_leaves_the_unit_interval_is_crossed_exactly():
    iterations = np.array([0, 10, 20])
    assert_allclose(crossing_iteration(iterations, np.array([-0.5, 0.0, 2.0])), 12.5)


def test_a_curve_that_never_reaches_half_has_no_crossing():
    assert np.isnan(crossing_iteration(np.arange(3), np.array([0.1, 0.3, 0.49])))


def test_the_first_of_several_crossings_counts():
    share = np.array([0.1, 0.9, 0.1, 0.9])
    assert 0 < crossing_iteration(np.arange(4), share) < 1


def test_a_curve_that_starts_above_half_is_crossed_at_its_first_record():
    assert crossing_iteration(np.array([5, 6]), np.array([0.7, 0.8])) == 5


def test_what_lies_after_the_end_of_a_run_is_ignored():
    share = np.array([0.1, 0.6, np.nan, np.nan])
    assert 0 < crossing_iteration(np.arange(4), share) < 1


def test_the_two_criteria_read_their_own_curves():
    iterations = np.arange(0, 101)
    responses = 3.0 / (1 + np.exp(-0.3 * (iterations - 40.0)))
    strengths = 1.5 / (1 + np.exp(-0.3 * (iterations - 25.0)))
    trajectory = SimpleNamespace(
        iterations=iterations,
        response_values=responses[:, None],
        mode_strengths=strengths[:, None],
    )
    problem = Problem(np.array([[2.0]]), np.array([[3.0]]))
    found = learning_times(trajectory, problem)
    assert_allclose(found.learning_iteration, [40.0], rtol=1e-10)
    assert_allclose(found.mode_learning_iteration, [25.0], rtol=1e-10)


@pytest.mark.parametrize("records", [2, 7, 40])
def test_a_batch_is_its_runs_even_where_records_equal_modes(records):
    random = np.random.default_rng(records)
    problems = [Problem(np.eye(2), np.diag([1.0, sigma])) for sigma in (0.5, 0.8, 0.2)]
    curves = random.uniform(0, 0.6, (2, 3, records, 2)).cumsum(axis=2)
    iterations = np.tile(np.arange(records) * 10, (3, 1))
    batch = SimpleNamespace(
        iterations=iterations, response_values=curves[0], mode_strengths=curves[1]
    )
    found = learning_times(batch, problems)
    for run, problem in enumerate(problems):
        one = SimpleNamespace(
            iterations=iterations[run],
            response_values=curves[0, run],
            mode_strengths=curves[1, run],
        )
        alone = learning_times(one, problem)
        assert_allclose(found.learning_iteration[run], alone.learning_iteration)
        assert_allclose(found.mode_learning_iteration[run], alone.mode_learning_iteration)


def digits_times(delta, seeds, records_per_decade=100):
    problem = draw_moments("digits", DigitsData(kind="digits"), None)[0].problem(centred=True)
    scale = max(problem.modes.sigma[0], problem.eigenvalues[-1])
    step = 0.25 / scale
    law = delta / np.log1p(step * problem.modes.sigma[:9])
    runs = [
        initial_weights(problem, "gaussian", 2, 10, delta, np.random.default_rng(seed))
        for seed in range(seeds)
    ]
    layers = [np.stack(each) for each in zip(*runs, strict=True)]
    records = record_iterations(records_per_decade, int(1.3 * law[-1]))
    trajectory = gradient_descent(problem, layers, step, records, modes=9, refine=True)
    return learning_times(trajectory, problem).learning_iteration, law


def test_the_law_predicts_when_a_trained_network_learns_the_digits():
    times, law = digits_times(16.0, seeds=8)
    ratio = times.mean(axis=0) / law
    assert ((ratio > 0.97) & (ratio < 1.08)).all()
    assert np.sqrt(np.mean(np.log(ratio) ** 2)) < 0.04
    # A law without the data's spectrum, all modes at the first one's time, fails.
    assert np.sqrt(np.mean(np.log(times.mean(axis=0) / law[0]) ** 2)) > 0.5


def test_sparse_records_locate_learning_times_as_well_as_every_iteration():
    sparse, _ = digits_times(8.0, seeds=2, records_per_decade=20)
    every, _ = digits_times(8.0, seeds=2, records_per_decade=2000)
    assert_allclose(sparse, every, rtol=5e-4)
