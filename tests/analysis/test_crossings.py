"""Learning times from records against curves whose crossing is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import crossing_iteration
from stagewise.analysis.crossings import (
    geometric_records,
    response_values,
    until_learned,
)


def test_logistic_curves_are_located_between_records():
    iterations = np.array([0, 40, 80, 120, 200])
    rates, middles = np.array([0.1, 0.3]), np.array([93.7, 41.2])
    shares = 1 / (1 + np.exp(-rates * (iterations[:, None] - middles)))
    assert_allclose(crossing_iteration(iterations, shares), middles, rtol=1e-6)


def test_the_first_crossing_counts_and_what_never_crosses_is_missing():
    shares = np.array([[0.1, 0.1], [0.6, 0.2], [0.3, 0.3], [0.9, np.nan]])
    found = crossing_iteration(np.array([0, 10, 20, 30]), shares)
    assert 0 < found[0] < 10
    assert np.isnan(found[1])


def test_a_share_that_starts_above_one_half_crosses_at_the_first_record():
    assert crossing_iteration(np.array([5, 6]), np.array([[0.7], [0.8]]))[0] == 5


def test_training_ends_when_every_mode_that_is_waited_for_has_been_learned_once():
    until = until_learned(np.array([[False, False, True]]))
    assert not until(np.array([[0.6, 0.1, 0.0]]))
    assert until(np.array([[0.4, 0.5, 0.0]]))


def test_records_ascend_and_reach_the_end():
    records = geometric_records(10.0, 500.0, 0.02)
    assert records[0] == 10
    assert records[-1] >= 500
    assert (np.diff(records) >= 1).all()
    assert (np.diff(records) <= np.maximum(1, 0.02 * records[:-1])).all()


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
def test_response_values_are_singular_values(shape):
    matrices = np.random.default_rng(0).standard_normal((4, *shape))
    expected = np.linalg.svd(matrices, compute_uv=False)[:, :2]
    assert_allclose(response_values(matrices, 2), expected, rtol=1e-7)
    matrices[1, 0, 0] = np.inf
    matrices[2, 0, 0] = 1e200
    found = response_values(matrices, 2)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[2]).all()
    assert_allclose(found[[0, 3]], expected[[0, 3]], rtol=1e-7)
