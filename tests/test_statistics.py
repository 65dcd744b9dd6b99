"""Summaries that figures and claims share."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest

from stagewise.statistics import swapped_pairs, wilson_interval, with_stability


@pytest.mark.parametrize(("count", "total"), [(0, 20), (3, 20), (20, 20), (17, 400)])
def test_the_interval_of_a_share_is_wilsons(count, total):
    expected = binomtest(count, total).proportion_ci(0.95, method="wilson")
    assert_allclose(wilson_interval(count, total), (expected.low, expected.high), atol=1e-4)


def test_a_pair_is_swapped_when_its_weaker_mode_is_learned_first():
    times = pd.DataFrame(
        {
            "dataset": "pairs",
            "delta": 3.0,
            "run": [0, 0, 1, 1, 2, 2],
            "mode": [1, 2] * 3,
            "learning_iteration": [5.0, 9.0, 9.0, 5.0, 5.0, None],
        }
    )
    row = swapped_pairs(times).iloc[0]
    assert (row["swapped"], row["runs"]) == (1, 2)


def test_a_run_is_judged_by_its_worst_mode():
    times = pd.DataFrame(
        {
            "run": [0, 0],
            "mode": [1, 2],
            "sigma": [1.0, 0.5],
            "lam": [1.0, 1.0],
            "step_size": [0.5, 0.5],
            "relative_step_size": [0.5, 0.5],
            "outcome": ["monotone", "no convergence"],
        }
    )
    run = with_stability(times).iloc[0]
    assert run["outcome"] == "no convergence"
    assert_allclose(run["over_stability"], 0.5)
