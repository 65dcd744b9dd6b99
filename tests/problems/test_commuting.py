"""The commuting part of a problem, and the perturbation that it leaves out."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.random_modes import RandomModesData


def draw(perturbation, seed_name="shared", **changes):
    spec = {"modes": 5, "draws": 3, "frame": "random", "perturbation": perturbation} | changes
    data = RandomModesData(kind="random_modes", seed_name=seed_name, **spec)
    return [each.problem(True) for each in draw_moments("name", data, None)]


@pytest.mark.parametrize("frame", ["random", "coordinate"])
@pytest.mark.parametrize("perturbation", [0.01, 0.9])
def test_the_perturbation_has_the_norm_asked_for_and_spares_sigma_and_lam(perturbation, frame):
    for still, moved in zip(draw(0.0, frame=frame), draw(perturbation, frame=frame), strict=True):
        assert_allclose(moved.non_commuting, perturbation * still.modes.lam.min(), rtol=1e-9)
        assert_allclose(moved.modes.sigma, still.modes.sigma, rtol=1e-12)
        assert_allclose(moved.modes.lam, still.modes.lam, rtol=1e-9)
        assert_allclose(moved.commuting.sigma_x, still.sigma_x, atol=1e-12)


def test_data_sets_of_one_seed_name_differ_by_the_size_of_the_perturbation_alone():
    small, large = draw(0.02), draw(0.2)
    for one, other in zip(small, large, strict=True):
        assert_allclose(
            10 * (one.sigma_x - one.commuting.sigma_x),
            other.sigma_x - other.commuting.sigma_x,
            atol=1e-12,
        )
    assert not np.allclose(draw(0.2, seed_name="other")[0].sigma_x, large[0].sigma_x)


def test_what_commutes_is_left_alone():
    (problem, *_) = draw(0.0)
    assert_allclose(problem.non_commuting, 0, atol=1e-13)
    assert_allclose(problem.commuting.sigma_x, problem.sigma_x, atol=1e-13)
