"""Summaries of the table of trained networks, on tables of a few rows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from stagewise.studies.common.study import NothingToMeasureError
from stagewise.studies.common.training_slopes import (
    carried,
    mean_errors,
    over_forecast,
    slopes,
    slopes_by_seed,
    worst,
)

from ..practice import frame


def rows(**changes):
    """One setting at three scales and two seeds, whose slopes are 8 and 12 at the largest two."""
    each = {"setting": 0, "dataset": "digits", "step_size": 0.1, "mode": 1, "sigma": 1.0}
    laws = {"growth": 0.1, "plain_growth": 0.2, "rival_growth": 0.05, "exponent": 0.15}
    return [
        each | laws | {"delta": delta, "seed": seed, "learning_iteration": time} | changes
        for seed, times in enumerate(((1.0, 20.0, 36.0), (2.0, 30.0, 54.0)))
        for delta, time in zip((1.0, 4.0, 6.0), times, strict=True)
    ]


def test_slopes_are_those_between_the_two_largest_scales():
    found = slopes_by_seed(frame(rows()))
    assert_allclose(found["slope"], [8, 12])
    assert_allclose(found["delta"], 6)
    for law, growth in (("law", 0.1), ("plain", 0.2), ("rival", 0.05), ("exponent", 0.15)):
        assert_allclose(found[f"over_{law}"], [8 * growth, 12 * growth])


def test_means_over_seeds_come_with_their_standard_error():
    found = slopes(frame(rows() + rows(mode=2, learning_iteration=np.nan))).iloc[0]
    assert (found["slope"], found["seeds"]) == (10, 2)
    assert found["over_law"] == pytest.approx(1)
    assert found["error"] == pytest.approx(2 / 10)  # 8 and 12: 2 either way, over √2 twice


def test_the_worst_is_farthest_from_what_is_expected_on_either_side():
    assert worst(pd.Series([0.8, 1.1])) == 0.8
    assert worst(pd.Series([0.9, 1.2])) == 1.2
    assert worst(pd.Series([0.1, -0.3]), expected=0) == -0.3
    with pytest.raises(NothingToMeasureError):
        worst(pd.Series([], dtype=float))


def test_errors_are_of_mean_times_over_modes():
    shared = {"momentum": 0.0, "batch_size": 4, "drift": 2.0, "delta": 3.0}
    table = frame(
        [
            *(
                each | shared | {"forecast": 20.0, "mixing": 0.1, "learning_iteration": time}
                for each, time in zip(rows()[:2], (30.0, 50.0), strict=True)
            ),
            rows(mode=2)[0] | shared | {"forecast": 5.0, "mixing": 0.4, "learning_iteration": 20.0},
        ]
    )
    (plain,) = mean_errors(table, "forecast").itertuples()
    assert plain.error == pytest.approx(np.sqrt((np.log(2) ** 2 + np.log(4) ** 2) / 2))
    assert plain.mixing == 0.4
    (both,) = mean_errors(table, "forecast·drift").itertuples()
    assert both.error == pytest.approx(np.sqrt(np.log(2) ** 2 / 2))


def test_times_over_forecasts_are_of_mean_times():
    own = {"activation": "tanh", "loss": "squared", "forecast": 10.0}
    found = over_forecast(frame(rows(**own)))
    assert list(found["delta"]) == [1, 4, 6]
    assert_allclose(found["ratio"], [0.15, 2.5, 4.5])


def test_first_modes_of_one_activation_are_chosen():
    table = frame(
        [
            row | {"activation": activation}
            for activation in ("tanh", "relu")
            for mode in (1, 2, 3)
            for row in rows(mode=mode)
        ]
    )
    found = carried(table, "tanh", 2)
    assert set(found["activation"]) == {"tanh"}
    assert set(found["mode"]) == {1, 2}
