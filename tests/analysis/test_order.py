"""Order and separation on curves that are known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import order_kept, separation


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        ([1.0, 2.0, 3.0], True),
        ([1.0, 1.0, 2.0], True),
        ([2.0, 1.0], False),
        ([1.0, np.nan], True),
        ([np.nan, 1.0], False),
        ([np.nan, np.nan], True),
    ],
)
def test_order_is_kept_when_stronger_modes_are_learned_no_later(times, kept):
    assert order_kept(np.array(times)) is kept


def test_a_staircase_has_no_overlap_and_twins_have_all_of_it():
    time = np.linspace(0, 10, 200)
    early, late = (1 / (1 + np.exp(-20 * (time - centre))) for centre in (2.0, 8.0))
    assert separation(np.column_stack([early, late]))[0] < 1e-12
    assert_allclose(separation(np.column_stack([early, early]))[0], 0.9, atol=1e-9)


def test_overlap_is_read_where_the_leader_reaches_ninety_percent():
    leader, follower = np.array([0.0, 0.8, 1.0]), np.array([0.0, 0.2, 0.4])
    assert_allclose(separation(np.column_stack([leader, follower])), [0.3])


def test_curves_of_a_batch_are_those_of_its_runs():
    random = np.random.default_rng(0)
    share = random.uniform(0, 1.2, (5, 12, 4)).cumsum(axis=1) / 4
    share[2, 7:] = np.nan
    for run, found in zip(share, separation(share), strict=True):
        assert_allclose(found, separation(run[~np.isnan(run[:, 0])]))


def test_a_leader_that_never_arrives_has_no_overlap_to_report():
    assert np.isnan(separation(np.array([[0.0, 0.0], [0.5, 0.5]])))[0]
