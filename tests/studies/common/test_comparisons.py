"""Summaries that figures and claims share."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest

from stagewise.studies.common.comparisons import seed_floor, slope_over_scale, start_scatter
from stagewise.studies.common.measures import wilson_interval
from stagewise.studies.common.stability import swapped_pairs, with_stability
from stagewise.studies.generalisation import best_errors
from stagewise.studies.initialisation import out_of_order
from stagewise.studies.perturbation import deviations


@pytest.mark.parametrize(("count", "total"), [(0, 20), (3, 20), (20, 20), (17, 400)])
def test_the_interval_of_a_share_is_wilsons(count, total):
    expected = binomtest(count, total).proportion_ci(0.95, method="wilson")
    assert_allclose(wilson_interval(count, total), (expected.low, expected.high), atol=1e-4)


def test_a_pair_is_swapped_when_its_weaker_mode_is_learned_first():
    times = pd.DataFrame(
        {
            "dataset": "pairs",
            "delta": 3.0,
            "run": [0, 0, 1, 1, 2, 2, 3, 3],
            "mode": [1, 2] * 4,
            "mode_learning_iteration": [5.0, 9.0, 9.0, 5.0, 5.0, None, None, 5.0],
        }
    )
    row = swapped_pairs(times).iloc[0]
    assert (row["swapped"], row["runs"]) == (2, 4)


@pytest.mark.parametrize(
    ("outcomes", "imbalance", "ending"),
    [
        (["monotone", "overshoot"], 0.001, "balanced"),
        (["monotone", "overshoot"], 0.3, "unbalanced"),
        (["monotone", "no convergence"], 0.001, "no convergence"),
    ],
)
def test_a_run_is_judged_by_its_worst_mode_and_its_balance(outcomes, imbalance, ending):
    times = pd.DataFrame(
        {
            "run": [0, 0],
            "seed": [0, 0],
            "mode": [1, 2],
            "sigma": [1.0, 0.5],
            "lam": [1.0, 1.0],
            "step_size": [0.5, 0.5],
            "relative_step_size": [0.5, 0.5],
            "outcome": outcomes,
            "final_imbalance": imbalance,
        }
    )
    run = with_stability(times).iloc[0]
    assert run["ending"] == ending
    assert_allclose(run["over_stability"], 0.5)


def test_the_slope_between_two_scales_forgets_what_does_not_grow():
    rows = [
        {
            "relative_step_size": 0.1,
            "seed": 0,
            "mode": 1,
            "sigma": 1.0,
            "step_size": 0.1,
            "delta": delta,
            "learning_iteration": 12.0 * delta + 7.0,
        }
        for delta in (5.0, 10.0, 20.0)
    ]
    assert_allclose(slope_over_scale(pd.DataFrame(rows))["slope"], [12.0])


def test_the_scatter_of_a_gaussian_start_is_that_of_log_chi_variables():
    generator = np.random.default_rng(0)
    for freedom in (1, 4, 10):
        logs = np.log(np.sqrt(generator.chisquare(freedom, 200_000)))
        scatter = start_scatter(10, np.array([10 - freedom + 1]))
        assert_allclose(scatter, logs.std(), rtol=0.01)


def test_deviations_are_one_row_a_run_in_units_of_its_end():
    times = pd.DataFrame(
        {
            "dataset": "moved",
            "run": [0, 0, 1, 1],
            "seed": [0, 0, 1, 1],
            "dim_in": 2,
            "delta": 4.0,
            "non_commuting": [0.1, 0.1, 0.2, 0.2],
            "largest_deviation": [0.3, 0.3, 0.8, 0.8],
            "largest_deviation_iteration": [50.0, 50.0, 30.0, 30.0],
            "final_deviation": [0.3, 0.3, 0.4, 0.4],
            "learning_iteration": [10.0, 100.0, 20.0, 60.0],
        }
    )
    found = deviations(times)
    assert_allclose(found["over_final"], [1.0, 2.0])
    assert_allclose(found["moment"], [0.5, 0.5])


def test_neighbours_are_out_of_order_when_the_weaker_is_first_and_never_comes_last():
    times = pd.DataFrame(
        {
            "initialisation": "gaussian",
            "delta": 4.0,
            "run": [0, 0, 0, 1, 1, 1],
            "mode": [1, 2, 3] * 2,
            "sigma": [3.0, 2.0, 1.0] * 2,
            "mode_learning_iteration": [1.0, 3.0, 2.0, 1.0, None, 5.0],
        }
    )
    row = out_of_order(times).iloc[0]
    assert (row["share"], row["pairs"]) == (0.5, 4)
    apart = out_of_order(times, closest=0.6).iloc[0]
    assert (apart["share"], apart["pairs"]) == (1.0, 2)


def test_the_best_error_of_a_method_is_set_against_ridge_on_the_same_draw():
    times = pd.DataFrame(
        {
            "dataset": "task",
            "seed": [0, 1, 0, 1],
            "depth": [1, 1, 2, 2],
            "best_test_error": [0.4, 0.6, 0.2, 0.3],
        }
    )
    references = pd.DataFrame(
        {
            "dataset": "task",
            "draw": [0, 0, 1, 1, 0, 1],
            "method": ["ridge"] * 4 + ["reduced_rank"] * 2,
            "test_error": [0.9, 0.4, 0.3, 0.8, 0.5, 0.6],
        }
    )
    best = best_errors(times, references)
    over = best.pivot(index="seed", columns="method", values="over_ridge")
    assert_allclose(over["two layers"], [0.5, 1.0])
    assert_allclose(over["one layer"], [1.0, 2.0])
    assert_allclose(over["reduced rank"], [1.25, 2.0])


def test_the_seeds_leave_the_scatter_of_the_logarithm_of_one_normal_number_over_their_root():
    times = pd.DataFrame({"delta": [4.0] * 3, "seed": [0, 1, 2], "width": 1, "mode": 1})
    # The variance of ln|z| is π²/8.
    assert_allclose(seed_floor(times)[4.0], np.sqrt(np.pi**2 / 8 / 3) / 4)
