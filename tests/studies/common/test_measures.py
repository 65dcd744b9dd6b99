"""Intervals and brackets that claims report, against what they are for known values."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from stagewise.studies.common.comparisons import draws_apart, forecast_errors, turning
from stagewise.studies.common.depth import run_separation
from stagewise.studies.common.measures import (
    bootstrap_confidence,
    failure_bracket,
    over,
    share_confidence,
    value_range,
)


def test_a_bootstrap_is_as_wide_as_the_standard_error_says():
    values = np.random.default_rng(0).normal(3, 2, 400)
    found = bootstrap_confidence(values)
    error = values.std() / 20
    assert_allclose(
        (found.low, found.high), values.mean() + 1.96 * error * np.array([-1, 1]), atol=0.02
    )
    assert found.kind == "95 % confidence"
    middle = bootstrap_confidence(values, np.median)
    assert middle.low < np.median(values) < middle.high
    assert bootstrap_confidence(values) == found


def test_a_range_and_the_interval_of_a_share_say_what_they_are():
    found = value_range(pd.Series([2.0, -1.0, 0.5]), "runs")
    assert (found.low, found.high, found.kind) == (-1, 2, "range")
    assert found.sentence == "The interval is the range over runs."
    assert share_confidence(3, 3).high == 1
    assert share_confidence(0, 3).low == 0


@pytest.mark.parametrize(
    ("failed", "bracket"),
    [
        ({}, (0.4, 0.4)),
        ({0.4: 1}, (0.3, 0.4)),
        ({0.3: 1, 0.4: 2}, (0.2, 0.3)),
        ({0.2: 2}, (0.1, 0.2)),  # one that fails in between counts
        ({0.1: 1, 0.2: 2}, (0.0, 0.1)),
    ],
)
def test_a_bracket_is_the_last_step_before_any_run_fails_and_that_step(failed, bracket):
    step = pd.Series(np.repeat([0.1, 0.2, 0.3, 0.4], 2))
    fine = pd.Series([place % 2 >= failed.get(each, 0) for place, each in step.items()])
    assert failure_bracket(fine, step) == bracket


def stages(**changes):
    """Two stages of two seeds each; the law of the first is right, that of the second off by e^0.2."""
    rows = {
        "dataset": "one",
        "relative_step_size": 0.1,
        "delta": 8.0,
        "seed": [0, 1, 0, 1],
        "mode": [1, 1, 2, 2],
        "learning_iteration": [90.0, 110.0, 300.0, 100.0],
        "predicted_discrete": [100.0, 100.0, 200 * np.exp(0.2), 200 * np.exp(0.2)],
        "predicted_staged": [100.0, 100.0, 150.0, 150.0],
    }
    return pd.DataFrame(rows | changes)


def test_the_error_of_a_forecast_is_of_means_over_seeds():
    (row,) = forecast_errors(stages(), ["discrete"]).itertuples()
    assert row.error == pytest.approx(np.sqrt(0.2**2 / 2))
    assert row.worst_stage == pytest.approx(0.2)
    assert row.stages == 2
    missing = stages(predicted_discrete=[100.0, 100.0, np.nan, np.nan])
    (row,) = forecast_errors(missing, ["discrete"]).itertuples()
    assert (row.error, row.stages) == (0, 1)


def test_directions_turn_by_the_largest_log_ratio_of_two_laws_on_either_side():
    assert turning(stages())["one"] == pytest.approx(np.log(200 / 150) + 0.2)
    assert turning(stages(predicted_staged=200.0))["one"] == pytest.approx(np.log(2))


def test_draws_are_told_apart_by_their_strongest_value():
    times = pd.DataFrame(
        {
            "experiment": "spiked",
            "dataset": "data",
            "run": [0, 0, 1, 1],
            "sigma": [1.5, 0.5, 1.25, 0.5],
        }
    )
    apart = draws_apart(times)["dataset"]
    assert list(apart) == 2 * ["data 1.500000000"] + 2 * ["data 1.250000000"]


def test_a_run_is_separated_by_its_worst_pair_and_done_with_its_last_mode():
    shared = {"experiment": "own", "seed": 0, "optimizer": "rmsprop", "depth": 3, "observed": 1.0}
    shared |= {"relative_step_size": 0.1, "delta": 2.0, "mode": [1, 2, 3]}
    done = shared | {"run": 0, "next_value_overlap": [0.1, 0.3, np.nan]}
    times = pd.concat(
        [
            pd.DataFrame(done | {"learning_iteration": [5.0, 9.0, 7.0]}),
            pd.DataFrame(done | {"run": 1, "learning_iteration": [5.0, 9.0, np.nan]}),
        ]
    )
    found = run_separation(times)
    assert_allclose(found["overlap"], 0.3)
    assert_allclose(found["last_iteration"], [9, np.nan])
    assert_allclose(found["product_scale"], np.exp(-6))


def test_only_learned_modes_are_compared_with_a_law():
    times = pd.DataFrame({"learning_iteration": [12.0, np.nan], "predicted_flow": [10.0, 10.0]})
    assert_allclose(over(times, "flow"), [1.2])
