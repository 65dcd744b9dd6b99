"""Targets of matrix factorisation: their ranks, their masks, their files."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.low_rank_matrix import LowRankMatrixData
from stagewise.data.npz import read_moments, write_moments
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments


def drawn(**changes):
    fields = {"kind": "low_rank_matrix", "dim_in": 9, "dim_out": 7, "draws": 2}
    return draw_moments("name", LowRankMatrixData.model_validate(fields | changes), None)


def test_draws_are_ranks_then_shares_then_draws():
    found = drawn(rank=[1, 3], observed=[1, 0.5])
    ranks = [np.linalg.matrix_rank(each.sigma_xy) for each in found]
    assert ranks == [1] * 4 + [3] * 4
    shares = [each.problem(True).observed_share for each in found]
    assert_allclose(shares, 2 * [1, 1, 32 / 63, 32 / 63])


@pytest.mark.parametrize("rank", [1, 2, 5])
def test_singular_values_halve_down_to_one(rank):
    values = drawn(rank=[rank])[0].problem(True).modes.sigma
    assert_allclose(values, 2.0 ** np.arange(rank - 1, -1, -1))


def test_ratios_of_one_draw_share_its_singular_vectors():
    half, near = drawn(rank=[3], ratio=[0.5, 0.8], draws=1)
    assert_allclose(near.problem(True).modes.sigma, [0.8**-2, 0.8**-1, 1])
    assert_allclose(
        np.abs(near.problem(True).modes.left), np.abs(half.problem(True).modes.left), atol=1e-12
    )


def test_shares_of_one_draw_have_the_same_target_and_nested_masks():
    most, half, few = drawn(draws=1, observed=[1, 0.5, 0.2])
    assert (most.sigma_xy == half.sigma_xy).all()
    assert most.observed.all()
    assert (few.observed <= half.observed).all()


def test_draws_differ_in_target_and_mask():
    one, two = drawn(observed=[0.5])
    assert not np.allclose(one.sigma_xy, two.sigma_xy)
    assert (one.observed != two.observed).any()


def test_a_longer_list_of_ranks_or_shares_keeps_the_draws():
    short, long = drawn(rank=[2], observed=[0.5]), drawn(rank=[1, 2], observed=[1, 0.5])
    assert (short[0].sigma_xy == long[6].sigma_xy).all()
    assert (short[1].observed == long[7].observed).all()


def test_the_mask_survives_the_file(tmp_path):
    found = drawn(rank=[2], observed=[0.5])
    write_moments(found, tmp_path / "moments.npz")
    for written, read in zip(found, read_moments(tmp_path / "moments.npz"), strict=True):
        assert (written.observed == read.observed).all()
        assert (written.problem(True).observed == read.problem(True).observed).all()


def test_a_problem_of_completion_keeps_its_coordinates():
    problem = drawn(observed=[0.5])[0].problem(True)
    assert (problem.eigenvectors == np.eye(9)).all()
    assert_allclose(problem.least_squares, problem.sigma_xy)


@pytest.mark.parametrize(
    ("sigma_x", "observed", "sentence"),
    [
        (np.eye(3), np.ones((3, 3)), "zeros and ones in the shape of the target"),
        (np.eye(3), np.full((3, 2), 0.5), "zeros and ones"),
        (np.eye(3), np.zeros((3, 2)), "at least one entry must be observed"),
        (2 * np.eye(3), np.ones((3, 2)), "sigma_x is not the identity"),
    ],
    ids=["shape", "halves", "nothing", "inputs"],
)
def test_masks_that_make_no_sense_are_refused_in_a_sentence(sigma_x, observed, sentence):
    with pytest.raises(StagewiseError, match=sentence):
        Moments.prescribed(sigma_x, np.ones((3, 2)), observed)


def test_a_rank_above_the_dimensions_is_refused():
    with pytest.raises(ValueError, match="ranks must be at most that"):
        drawn(rank=[8])
