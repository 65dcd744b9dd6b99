import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stagewise.analysis.commutation import commutation
from stagewise.arrays import FloatArray
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.digits import DigitsData
from stagewise.data.synthetic import random_orthogonal
from stagewise.problems.problem import Problem


def problem(dim_in: int, dim_out: int, seed: int = 0) -> Problem:
    """Moments of random data, which do not commute."""
    random = np.random.default_rng([dim_in, dim_out, seed])
    mixing = random.standard_normal((dim_in, dim_in))
    inputs = random.standard_normal((60, dim_in)) @ mixing
    outputs = inputs @ random.standard_normal((dim_in, dim_out)) + random.standard_normal(
        (60, dim_out)
    )
    return Problem(inputs.T @ inputs / 60, inputs.T @ outputs / 60)


def commuting(dim_in: int, modes: int, seed: int = 0) -> Problem:
    random = np.random.default_rng([dim_in, modes, seed])
    left, right = random_orthogonal(dim_in, random), random_orthogonal(modes, random)
    sigma_x = (left * random.uniform(0.5, 2.0, dim_in)) @ left.T
    sigma_xy = (left[:, :modes] * np.linspace(1.0, 0.3, modes)) @ right.T
    return Problem((sigma_x + sigma_x.T) / 2, sigma_xy)


def complement(given: Problem) -> FloatArray:
    """Some orthonormal basis of what the left singular vectors leave, from a projection."""
    left = given.modes.left
    values, vectors = np.linalg.eigh(np.eye(given.dim_in) - left @ left.T)
    return vectors[:, values > 0.5]


def directly(given: Problem, completion: FloatArray) -> float:
    """The definition, with the basis completed explicitly."""
    basis = np.hstack([given.modes.left, completion])
    assert_allclose(basis.T @ basis, np.eye(given.dim_in), atol=1e-12)
    turned = basis.T @ given.sigma_x @ basis / np.linalg.norm(given.sigma_x)
    return float(0.5 * np.linalg.norm(turned - np.diag(np.diag(turned))))


def eigen_completion(given: Problem) -> FloatArray:
    basis = complement(given)
    return basis @ np.linalg.eigh(basis.T @ given.sigma_x @ basis)[1]


@pytest.mark.parametrize(("dim_in", "modes"), [(1, 1), (4, 4), (6, 2), (20, 5)])
def test_commuting_moments_are_at_distance_zero_under_the_eigen_completion(dim_in, modes):
    measured = commutation(commuting(dim_in, modes))
    assert measured.delta_xy_eigen < 1e-7
    if modes == dim_in:
        assert measured.delta_xy_random < 1e-7
    else:
        assert measured.delta_xy_random > 1e-3


def test_a_multiple_of_the_identity_is_at_distance_zero_from_every_assumption():
    given = Problem(2.5 * np.eye(5), problem(5, 2).sigma_xy)
    measured = commutation(given)
    assert measured.delta_x < 1e-7
    assert measured.delta_xy_eigen < 1e-7
    assert measured.delta_xy_random < 1e-7


SHAPES = [(4, 4), (4, 6), (5, 4), (6, 2), (12, 3), (2, 1)]


@pytest.mark.parametrize(("dim_in", "dim_out"), SHAPES)
def test_delta_xy_is_its_definition_with_the_basis_completed_by_eigenvectors(dim_in, dim_out):
    given = problem(dim_in, dim_out)
    measured = commutation(given)
    assert_allclose(measured.delta_xy_eigen, directly(given, eigen_completion(given)), rtol=1e-10)
    assert measured.delta_xy_eigen > 1e-3


@pytest.mark.parametrize(("dim_in", "dim_out"), [(4, 4), (4, 6), (5, 4), (2, 1)])
def test_there_is_one_completion_when_one_direction_is_left_at_most(dim_in, dim_out):
    measured = commutation(problem(dim_in, dim_out))
    assert_allclose(measured.delta_xy_random, measured.delta_xy_eigen, rtol=1e-7)


def test_random_completions_of_two_directions_are_the_mean_square_over_all_rotations():
    given = problem(5, 3)
    basis = complement(given)
    turns = 2 * np.pi * np.arange(64) / 64  # exact for the fourth powers of sines and cosines
    every = [
        directly(given, basis @ [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        for turn in turns
    ]
    measured = commutation(given)
    assert_allclose(measured.delta_xy_random, np.sqrt(np.mean(np.square(every))), rtol=1e-12)
    assert measured.delta_xy_eigen <= min(every) + 1e-12
    assert max(every) > 1.01 * measured.delta_xy_random


@pytest.mark.parametrize(("dim_in", "dim_out"), [(6, 2), (12, 3)])
def test_random_completions_are_the_mean_square_of_explicit_ones(dim_in, dim_out):
    given, random = problem(dim_in, dim_out), np.random.default_rng(6)
    basis = complement(given)
    explicit = np.array(
        [
            directly(given, basis @ random_orthogonal(basis.shape[1], random)) ** 2
            for _ in range(2000)
        ]
    )
    error = explicit.std() / np.sqrt(len(explicit))
    assert abs(commutation(given).delta_xy_random ** 2 - explicit.mean()) < 3 * error
    assert error < 0.02 * explicit.mean()


@pytest.mark.parametrize(("dim_in", "dim_out"), SHAPES)
def test_delta_x_is_its_definition(dim_in, dim_out):
    given = problem(dim_in, dim_out)
    identity = np.eye(dim_in)
    expected = 0.5 * np.linalg.norm(
        given.sigma_x / np.linalg.norm(given.sigma_x) - identity / np.linalg.norm(identity)
    )
    measured = commutation(given)
    assert_allclose(measured.delta_x, expected, rtol=1e-12)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.integers(1, 8), st.integers(1, 5), st.integers(0, 2**32 - 1), st.floats(-8, 8), st.booleans()
)
def test_every_distance_lies_between_zero_and_one(dim_in, dim_out, seed, scale, degenerate):
    random = np.random.default_rng(seed)
    samples = 2 if degenerate else 30
    inputs = random.standard_normal((samples, dim_in)) * 10.0 ** random.uniform(-2, 2, dim_in)
    outputs = inputs @ random.standard_normal((dim_in, dim_out))
    given = Problem(
        10.0**scale * inputs.T @ inputs / samples, 10.0**scale * inputs.T @ outputs / samples
    )
    measured = commutation(given)
    everything = np.array([measured.delta_x, measured.delta_xy_eigen, measured.delta_xy_random])
    assert np.all((everything >= 0) & (everything <= 1))
    assert np.all(measured.delta_xy_eigen <= measured.delta_xy_random + 1e-7)


def test_units_and_rotations_of_the_inputs_change_no_distance():
    given = problem(6, 2)
    turn = random_orthogonal(6, np.random.default_rng(9))
    sigma_x = 7.0 * turn @ given.sigma_x @ turn.T
    turned = Problem((sigma_x + sigma_x.T) / 2, 0.1 * turn @ given.sigma_xy)
    one, other = (commutation(each) for each in (given, turned))
    assert_allclose(one.delta_x, other.delta_x, rtol=1e-10)
    assert_allclose(one.delta_xy_eigen, other.delta_xy_eigen, rtol=1e-9)


def test_the_digits_are_as_far_from_the_assumptions_as_known():
    (digits,) = draw_moments("digits", DigitsData(kind="digits"), None)
    measured = commutation(digits.problem(centred=True))
    assert abs(measured.delta_x - 0.5227) < 5e-5
    assert abs(measured.delta_xy_eigen - 0.1192) < 5e-5
    assert abs(measured.delta_xy_random - 0.1667) < 0.003
