"""The staged laws against their limits, an unpooled computation, and trained networks."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.digits import DigitsData
from stagewise.data.kinds.power_law import PowerLawData
from stagewise.data.kinds.rotated import RotatedData
from stagewise.dynamics import quasi_adiabatic
from stagewise.problems.problem import Problem
from stagewise.theory import learning_iteration
from stagewise.theory.forecast_laws import (
    PooledMoments,
    initial_amplitudes,
    plain_forecast,
    reduced_rank_forecast,
    vanishing_flow_forecast,
)
from stagewise.theory.staged_forecast import staged_forecast

LAWS = [plain_forecast, reduced_rank_forecast, staged_forecast]


def problem_of(spec):
    return draw_moments(spec.kind, spec, None)[0].problem(centred=True)


DIGITS = problem_of(DigitsData(kind="digits"))
POWER = problem_of(PowerLawData(kind="power_law", dim_in=40, dim_out=6))


def test_the_plain_law_is_delta_over_log_growth():
    step, delta = np.array([0.1, 0.3]), np.array([8.0, 20.0])
    found = plain_forecast(PooledMoments.of(DIGITS), step, delta, 10)
    for case in range(2):
        expected = learning_iteration(DIGITS.modes.sigma, delta[case], step[case])
        assert_allclose(found[case], expected, rtol=1e-9)


@pytest.mark.parametrize("law", LAWS)
def test_a_batch_is_its_cases_one_by_one(law):
    step, delta = np.array([0.1, 0.2, 0.2]), np.array([8.0, 8.0, 30.0])
    pooled = PooledMoments.of(POWER)
    together = law(pooled, step, delta, 8)
    for case in range(3):
        alone = law(pooled, step[case : case + 1], delta[case : case + 1], 8)
        assert_allclose(together[case], alone[0], rtol=1e-9)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("problem", [DIGITS, POWER])
def test_stages_come_one_after_another_and_later_from_smaller_starts(law, problem):
    pooled = PooledMoments.of(problem)
    times = law(pooled, np.full(2, 0.1), np.array([8.0, 16.0]), 10)
    assert (np.diff(times, axis=1) >= 0).all()
    assert (times[1] > times[0]).all()


@pytest.mark.parametrize("law", LAWS)
def test_the_first_stage_takes_delta_over_log_growth_to_leading_order(law):
    pooled, delta = PooledMoments.of(POWER), np.array([500.0, 1000.0])
    times = law(pooled, np.full(2, 0.2), delta, 10)[:, 0]
    slope = (times[1] - times[0]) / 500
    assert_allclose(slope, 1 / np.log1p(0.2 * POWER.modes.sigma[0]), rtol=1e-6)


def test_whitened_inputs_leave_nothing_for_the_laws_to_differ_in():
    sigma_xy = np.random.default_rng(0).standard_normal((8, 5))
    problem = Problem(np.eye(8), sigma_xy)
    pooled, delta = PooledMoments.of(problem), np.array([200.0, 400.0])
    slopes = [np.diff(law(pooled, np.full(2, 0.05), delta, 8), axis=0)[0] / 200 for law in LAWS]
    for slope in slopes[1:]:
        assert_allclose(slope, slopes[0], rtol=1e-6)


def test_without_commutation_weak_stages_are_forecast_early_never_late():
    pooled, delta = PooledMoments.of(POWER), np.array([200.0, 400.0])
    step = np.full(2, 0.25 / POWER.eigenvalues[-1])
    plain, reduced = (np.diff(law(pooled, step, delta, 10), axis=0)[0] for law in LAWS[:2])
    assert (reduced <= plain * (1 + 1e-9)).all()
    assert reduced[-1] < 0.8 * plain[-1]


def test_pooling_changes_a_forecast_by_less_than_its_error(monkeypatch):
    step = np.array([0.25 / POWER.eigenvalues[-1]])
    coarse = staged_forecast(PooledMoments.of(POWER), step, np.array([16.0]), 10)
    monkeypatch.setattr("stagewise.theory.forecast_laws.BIN_WIDTH", 1e-6)
    fine = PooledMoments.of(POWER)
    assert len(fine.eigenvalues) == POWER.dim_in
    assert_allclose(coarse, staged_forecast(fine, step, np.array([16.0]), 10), rtol=5e-3)


def test_pooled_blocks_add_up_to_the_moments():
    pooled = PooledMoments.of(DIGITS)
    total = DIGITS.sigma_xy.T @ DIGITS.sigma_xy
    assert_allclose(pooled.blocks.sum(axis=0), total, rtol=1e-10, atol=1e-14)
    curved = DIGITS.sigma_xy.T @ DIGITS.sigma_x @ DIGITS.sigma_xy
    assert_allclose(pooled.weighted(pooled.eigenvalues), curved, rtol=0.02, atol=1e-5)


def test_initial_amplitudes_are_the_means_of_what_networks_start_with():
    generator = np.random.default_rng(0)
    dim, width, outputs = 50, 10, 3
    logs = []
    for _ in range(4000):
        first = generator.standard_normal((dim, width)) / np.sqrt(dim)
        second = generator.standard_normal((width, outputs)) / np.sqrt(width)
        logs.append(np.log(np.linalg.norm(first[0] + second[:, 0]) / np.sqrt(2)))
    # One direction of unit vectors u, v: its growing part is (W₁ᵀu + W₂v)/√2 over √2.
    expected = initial_amplitudes(np.array([0.0]), dim, width, 1)[0, 0]
    scale = 0.5 * np.log((1 / dim + 1 / width) / 2) - 0.5 * np.log((1 + width / dim) / (2 * width))
    assert_allclose(np.mean(logs) - scale, expected, atol=0.02)


@pytest.mark.parametrize(("angle", "nearer"), [(0.0, 0), (1.0, 1)])
def test_at_either_end_of_the_rotated_family_another_law_is_the_limit(angle, nearer):
    problem = problem_of(RotatedData(kind="rotated", angle=angle, lam_range=[0.2, 1.0]))
    pooled, delta = PooledMoments.of(problem), np.array([32.0, 64.0])
    step = np.full(2, 0.25 / max(problem.modes.sigma[0], problem.eigenvalues[-1]))
    start = initial_amplitudes(delta, problem.dim_in, 10, 9)
    run = quasi_adiabatic(problem, start, step, 3 * plain_forecast(pooled, step, delta, 10)[:, -1])
    slopes = [np.diff(law(pooled, step, delta, 10), axis=0)[0] for law in LAWS[:2]]
    followed = np.diff(run.learning_iterations, axis=0)[0]
    error = [np.sqrt(np.mean(np.log(followed / slope) ** 2)) for slope in slopes]
    assert error[nearer] < 0.005 < error[1 - nearer]


def test_the_flow_from_a_vanishing_start_is_the_limit_of_small_steps_and_starts():
    pooled, delta = PooledMoments.of(POWER), np.array([400.0, 800.0])
    step = np.full(2, 1e-6)
    slopes = np.diff(reduced_rank_forecast(pooled, step, delta, 10), axis=0) / 400
    expected = delta[:, None] * slopes
    assert_allclose(vanishing_flow_forecast(pooled, step, delta, 10), expected, rtol=1e-5)


def test_where_inputs_are_white_the_flow_learns_mode_k_at_delta_over_the_growth():
    problem = Problem(np.eye(8), np.random.default_rng(0).standard_normal((8, 5)))
    step, delta = np.array([0.1]), np.array([12.0])
    found = vanishing_flow_forecast(PooledMoments.of(problem), step, delta, 8)[0]
    assert_allclose(found, 12.0 / (0.1 * problem.modes.sigma), rtol=1e-9)
