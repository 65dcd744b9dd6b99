"""Effective rank of spectra whose rank is known."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.dynamics.spectra import effective_rank


@pytest.mark.parametrize(
    ("values", "rank"),
    [([1.0, 1.0, 1.0], 3.0), ([2.0, 0.0, 0.0], 1.0), ([0.0, 0.0], 0.0), ([5.0, 5.0, 0.0], 2.0)],
)
def test_equal_values_count_fully_and_zeros_not_at_all(values, rank):
    assert_allclose(effective_rank(np.array(values)), rank)


def test_it_does_not_depend_on_the_scale():
    values = np.random.default_rng(0).uniform(size=(4, 6))
    assert_allclose(effective_rank(values), effective_rank(1e-30 * values))
