"""The growth of a perturbation between two stages, against eigenvalues of full Jacobians."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.theory import waiting_growth


def jacobian_at_the_first_saddle(sigma, lam):
    """Of the two-layer flow with one hidden unit, at the saddle where mode 1 alone is learned."""
    start = np.array([np.sqrt(sigma[0] / lam[0]), 0, np.sqrt(sigma[0] / lam[0]), 0])

    def slope(flat):
        first, second = flat[:2, None], flat[2:][None]
        gradient = np.diag(sigma) - np.diag(lam) @ first @ second
        return np.concatenate([(gradient @ second.T).ravel(), (first.T @ gradient).ravel()])

    steps = 1e-6 * np.eye(4)
    return np.stack([(slope(start + step) - slope(start - step)) / 2e-6 for step in steps], axis=1)


@pytest.mark.parametrize("seed", range(20))
def test_the_rate_is_the_unstable_eigenvalue_of_a_network_with_one_hidden_unit(seed):
    random = np.random.default_rng(seed)
    sigma = np.array([1.0, random.uniform(0.2, 1)])
    lam = np.exp(random.uniform(-2, 2, 2))
    largest = np.linalg.eigvals(jacobian_at_the_first_saddle(sigma, lam)).real.max()
    assert_allclose(waiting_growth(sigma, lam), max(largest, 0), atol=1e-7)


@pytest.mark.parametrize(("weaker_lam", "grows"), [(0.5, True), (0.7, False)])
def test_it_grows_where_regression_of_rank_one_keeps_the_weaker_mode(weaker_lam, grows):
    rate = waiting_growth(np.array([1.0, 0.8]), np.array([1.0, weaker_lam]))
    assert (rate > 0) == grows == (0.8**2 / weaker_lam > 1)
