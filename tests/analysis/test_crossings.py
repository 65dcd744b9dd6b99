"""Learning times from records against curves whose crossing is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import crossing_iteration
from stagewise.analysis.crossings import (
    FirstCrossings,
    geometric_records,
    response_ceilings,
    response_values,
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


def watched(curves, waited_for, stride, ceiling=None, **options):
    """Times by records (records, runs, modes), how many took, and what was measured of each run."""
    measured = np.zeros(curves.shape[1], dtype=int)

    def share(layers, runs):
        np.add.at(measured, runs, 1)  # one record or several
        return layers[0]

    crossings = FirstCrossings(share, waited_for, stride, ceiling, **options)
    iterations = 10 * np.arange(len(curves))
    taken = [crossings(at, [each]) for at, each in zip(iterations, curves, strict=True)]
    return crossings.times(), taken, measured


@pytest.mark.parametrize("near", [0.25, 0.45])
@pytest.mark.parametrize("stride", [1, 4, 8])
@pytest.mark.parametrize("records", [50, 53])
def test_crossings_while_training_goes_on_are_those_of_all_records(stride, records, near):
    rng = np.random.default_rng(0)
    middles, rates = rng.uniform(5, 60, size=(2, 30, 3))
    curves = 1 / (1 + np.exp(-(np.arange(records)[:, None, None] - middles) / (0.05 * rates)))
    curves[20:, 0] = np.nan
    curves[:, 1, 2] += 0.6
    found, _, measured = watched(curves, np.ones((30, 3), dtype=bool), stride, near=near)
    expected = crossing_iteration(10 * np.arange(records), curves)
    assert np.isnan(expected).any()
    assert np.isfinite(expected).any()
    np.testing.assert_array_equal(found, expected)
    assert (measured.mean() < 0.8 * records) == (stride > 1)


@pytest.mark.parametrize("stride", [1, 8])
@pytest.mark.parametrize("records", [50, 53])
def test_with_a_ceiling_a_share_may_rise_and_fall_as_it_likes(stride, records):
    curves = np.random.default_rng(1).uniform(0, 0.53, size=(records, 40, 2))
    curves[30:, 0] = np.nan
    every = np.ones((40, 2), dtype=bool)
    found = watched(curves, every, stride, lambda layers, _: 1.01 * layers[0])[0]
    expected = crossing_iteration(10 * np.arange(records), curves)
    assert np.isnan(expected).any()
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("stride", [1, 8])
def test_below_a_ceiling_nothing_is_measured(stride):
    curves = 1 / (1 + np.exp(-np.arange(50)[:, None, None] + np.array([[[20.0]], [[30.0]]]).T))
    curves = curves.reshape(50, 2, 1)
    every = np.ones((2, 1), dtype=bool)
    plain, _, all_of_them = watched(curves, every, stride)
    found, _, measured = watched(curves, every, stride, lambda layers, _: 1.2 * layers[0])
    np.testing.assert_array_equal(found, plain)
    assert (measured < all_of_them).all()
    assert (measured >= 2).all()


def test_with_a_stride_of_one_or_a_ceiling_a_share_that_falls_back_at_once_counts():
    curves = np.full((20, 1, 1), 0.01)
    curves[10] = 0.9
    curves[18:] = 0.9
    waited_for = np.ones((1, 1), dtype=bool)
    assert 90 < watched(curves, waited_for, 1)[0][0, 0] < 100
    assert 170 < watched(curves, waited_for, 8)[0][0, 0] < 180
    assert 90 < watched(curves, waited_for, 8, lambda layers, _: layers[0])[0][0, 0] < 100


def test_training_ends_when_every_mode_that_is_waited_for_has_been_learned_once():
    curves = np.array([[[0.6, 0.1, 0.0]], [[0.4, 0.5, 0.0]]])
    taken = watched(curves, np.array([[True, True, False]]), 1)[1]
    assert taken == [False, True]


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


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
def test_no_singular_value_is_above_its_ceiling(shape):
    matrices = np.random.default_rng(0).standard_normal((20, *shape))
    values = np.linalg.svd(matrices, compute_uv=False)
    ceilings = response_ceilings(matrices, 3)
    assert (ceilings >= values).all()
    assert_allclose(ceilings[:, 0], np.linalg.norm(values, axis=1))
    nearly = np.diag([3.0, 2.0, 1.0])[None] + 1e-3 * matrices[0, :3, :3]
    assert_allclose(response_ceilings(nearly, 3)[0, 2], 1.0, rtol=0.01)
