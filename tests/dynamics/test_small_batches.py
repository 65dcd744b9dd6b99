"""Compiled steps on small batches against the same in NumPy."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stagewise.dynamics.on_data import Network, Sampling, train_on_data
from stagewise.dynamics.small_batches import LANES, train_on_small_batches

RUNS = LANES + 3
RECORDS = np.array([0, 3, 40])


def example(depth):
    rng = np.random.default_rng(depth)
    sizes = [*[3, 5, 2, 4][:depth], 2]
    weights = [0.5 * rng.standard_normal((RUNS, *shape)) for shape in pairwise(sizes)]
    return rng.standard_normal((13, 3)), rng.standard_normal((13, 2)), weights


def records_of(train, runs):
    """Weights at every record, of the given runs."""
    kept = []

    def keep(iteration, layers):
        kept.append(np.concatenate([each.reshape(len(each), -1) for each in layers], axis=1))
        return False

    train(keep, [np.random.default_rng(each) for each in runs])
    return np.array(kept)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("sampling", [Sampling(1), Sampling(5), Sampling(5, replace=False)])
def test_steps_are_those_in_numpy(depth, sampling):
    inputs, outputs, weights = example(depth)

    def compiled(keep, draws):
        train_on_small_batches(inputs, outputs, weights, 0.02, RECORDS, keep, sampling, draws)

    def in_numpy(keep, draws):
        options = {"sampling": sampling, "generators": draws}
        train_on_data(Network(), inputs, outputs, weights, 0.02, RECORDS, keep, **options)

    before = [each.copy() for each in weights]
    found, expected = (records_of(train, range(RUNS)) for train in (compiled, in_numpy))
    assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
    assert np.ptp(found[-1], axis=0).min() > 0
    for each, kept in zip(weights, before, strict=True):
        assert_array_equal(each, kept)


def test_a_run_is_the_same_to_the_bit_whatever_else_is_trained_with_it():
    inputs, outputs, weights = example(2)

    def train(runs):
        own = [each[runs] for each in weights]
        return records_of(
            lambda keep, draws: train_on_small_batches(
                inputs, outputs, own, 0.02, RECORDS, keep, Sampling(2), draws
            ),
            runs,
        )

    together = train(np.arange(RUNS))
    for run in (0, RUNS - 1):
        assert_array_equal(train(np.array([run]))[:, 0], together[:, run])
