"""Greedy completions against the decomposition, stationarity, and a target that must be found."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.errors import StagewiseError
from stagewise.theory import greedy_completions


def target_of_rank(rank, shape, seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((shape[0], rank)) @ random.standard_normal((rank, shape[1]))


@pytest.mark.parametrize("shape", [(6, 6), (7, 4), (3, 8)])
def test_with_all_entries_observed_they_are_the_truncated_decompositions(shape):
    target = target_of_rank(3, shape)
    left, values, right = np.linalg.svd(target, full_matrices=False)
    for rank, found in enumerate(greedy_completions(target, np.ones(shape), 3)):
        assert_allclose(found, (left[:, :rank] * values[:rank]) @ right[:rank], atol=1e-8)


def test_a_low_rank_target_is_completed_from_enough_entries():
    target = target_of_rank(2, (15, 12))
    observed = (np.random.default_rng(1).uniform(size=target.shape) < 0.7).astype(float)
    assert_allclose(greedy_completions(target, observed, 2)[-1], target, atol=1e-5)


def test_each_map_has_its_rank_and_a_smaller_loss_than_the_one_before():
    target = target_of_rank(4, (10, 9))
    observed = (np.random.default_rng(2).uniform(size=target.shape) < 0.6).astype(float)
    maps = greedy_completions(target, observed, 3)
    losses = [np.sum(observed * (found - target) ** 2) for found in maps]
    assert (np.diff(losses) < 0).all()
    for rank, found in enumerate(maps):
        assert np.linalg.matrix_rank(found, tol=1e-8) == rank


def test_a_map_is_stationary_among_maps_of_its_rank():
    target = target_of_rank(4, (10, 9))
    observed = (np.random.default_rng(3).uniform(size=target.shape) < 0.6).astype(float)
    found = greedy_completions(target, observed, 2)[-1]
    left, _, right = np.linalg.svd(found)
    residual = observed * (found - target)
    assert_allclose(left[:, :2].T @ residual, 0, atol=1e-5)
    assert_allclose(residual @ right[:2].T, 0, atol=1e-5)


def test_a_rank_that_no_map_can_have_is_refused():
    with pytest.raises(StagewiseError, match="has ranks 0 to 4"):
        greedy_completions(np.ones((4, 6)), np.ones((4, 6)), 5)
