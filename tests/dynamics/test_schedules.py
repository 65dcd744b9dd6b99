"""Schedules at their ends and steps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.dynamics.schedules import SCHEDULES, schedule_factors


@pytest.mark.parametrize("name", SCHEDULES)
def test_they_start_at_one_never_rise_and_stay(name):
    factors = schedule_factors(name, 90, 200)
    assert factors[0] == 1
    assert (np.diff(factors) <= 0).all()
    assert_allclose(factors[90:], factors[-1])


def test_steps_and_cosine_at_known_places():
    assert_allclose(schedule_factors("steps", 90, 91)[[29, 30, 59, 60]], [1, 0.3, 0.3, 0.1])
    assert_allclose(schedule_factors("cosine", 90, 91)[[45, 90]], [0.55, 0.1])
    assert_allclose(schedule_factors("constant", 90, 5), 1)
