"""Held-out data: an error on moments is the error on the samples."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.digits import DigitsData
from stagewise.data.kinds.low_rank_regression import LowRankRegressionData
from stagewise.data.npz import read_moments, write_moments
from stagewise.data.samples import digits
from stagewise.problems.moments import Moments


def samples(count, seed):
    random = np.random.default_rng(seed)
    return random.uniform(1, 2, (count, 4)), random.normal(3.0, 1.0, (count, 3))


def split():
    train, test = samples(30, 0), samples(20, 1)
    return train, test, replace(Moments.of_block(*train), held_out=Moments.of_block(*test))


@pytest.mark.parametrize("centred", [True, False])
def test_the_error_of_a_map_is_that_on_the_samples_about_the_training_means(centred):
    (inputs, outputs), (tried, wanted), moments = split()
    product = np.random.default_rng(2).normal(size=(4, 3))
    if centred:
        tried, wanted = tried - inputs.mean(axis=0), wanted - outputs.mean(axis=0)
    expected = np.sum((wanted - tried @ product) ** 2) / np.sum(wanted**2)
    assert_allclose(moments.problem(centred).held_out.error(product), expected, rtol=1e-11)


def test_without_held_out_data_there_is_no_error():
    assert Moments.of_block(*samples(9, 0)).problem(True).held_out is None


def test_held_out_moments_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "moments.npz"
    _, _, moments = split()
    write_moments([moments, moments], path)
    for read in read_moments(path):
        for field in ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n"):
            expected = getattr(moments.held_out, field)
            assert np.array_equal(getattr(read.held_out, field), expected)


def test_a_split_of_the_digits_merges_to_all_of_them():
    spec = DigitsData(kind="digits", train_samples=200, draws=2)
    one, other = draw_moments("split", spec, None)
    assert (one.n, one.held_out.n) == (200, 1597)
    assert not np.array_equal(one.sigma_xy, other.sigma_xy)
    merged, whole = replace(one, held_out=None).merged(one.held_out), Moments.of_block(*digits())
    assert_allclose(merged.sigma_x, whole.sigma_x, atol=1e-13)
    assert_allclose(merged.sigma_xy, whole.sigma_xy, atol=1e-13)


@pytest.mark.parametrize("inputs", ["gaussian", "one_hot"])
def test_the_teacher_itself_makes_no_held_out_error_and_training_data_surround_it(inputs):
    spec = LowRankRegressionData(
        kind="low_rank_regression",
        dim_in=40,
        dim_out=6,
        rank=2,
        samples=40 if inputs == "one_hot" else 4000,
        inputs=inputs,
        strength=3.0,
        noise=0.0,
        draws=1,
    )
    problem = draw_moments("teacher", spec, None)[0].problem(False)
    teacher = problem.least_squares
    assert_allclose(problem.held_out.error(teacher), 0, atol=1e-12)
    assert_allclose(problem.held_out.error(0 * teacher), 1, rtol=1e-12)
    assert_allclose(np.linalg.svd(teacher)[1][:3], [6, 3, 0], atol=1e-12)
