from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stagewise.data.synthetic import random_orthogonal
from stagewise.errors import StagewiseError
from stagewise.problems.problem import RANK_TOLERANCE, Completion, Problem, check_moments

SIGMA = np.array([2.0, 0.7, 0.1])


def built(lam=(3.0, 1.0, 0.5, 0.2), dim_out=5, seed=0) -> tuple[Problem, np.ndarray, np.ndarray]:
    """A commuting problem with three modes, and the frames that it was built from."""
    random = np.random.default_rng(seed)
    left, right = random_orthogonal(len(lam), random), random_orthogonal(dim_out, random)
    sigma_x = (left * np.array(lam)) @ left.T
    sigma_xy = (left[:, :3] * SIGMA) @ right[:, :3].T
    return Problem((sigma_x + sigma_x.T) / 2, sigma_xy), left, right


def test_the_dimensions_are_those_of_inputs_and_outputs():
    problem, _, _ = built()
    assert (problem.dim_in, problem.dim_out) == (4, 5)


def test_the_modes_are_those_that_the_problem_was_built_from():
    problem, left, right = built()
    modes = problem.modes
    assert_allclose(modes.sigma, SIGMA, rtol=1e-13)
    assert_allclose(modes.lam, [3.0, 1.0, 0.5], rtol=1e-13)
    signs = np.sign(np.diag(left.T @ modes.left))
    assert_allclose(modes.left, left[:, :3] * signs, atol=1e-13)
    assert_allclose(modes.right, right[:, :3] * signs, atol=1e-13)


@pytest.mark.parametrize(("dim_in", "dim_out"), [(4, 4), (6, 2), (2, 6), (1, 3), (3, 1)])
def test_the_modes_put_sigma_xy_together_again(dim_in, dim_out):
    random = np.random.default_rng(1)
    inputs, outputs = random.standard_normal((30, dim_in)), random.standard_normal((30, dim_out))
    problem = Problem(inputs.T @ inputs / 30, inputs.T @ outputs / 30)
    modes = problem.modes
    assert_allclose((modes.left * modes.sigma) @ modes.right.T, problem.sigma_xy, atol=1e-13)
    assert (np.diff(modes.sigma) <= 0).all()
    assert_allclose(np.diag(modes.left.T @ problem.sigma_x @ modes.left), modes.lam, rtol=1e-12)


@pytest.mark.parametrize(("factor", "kept"), [(10.0, 2), (0.1, 1)])
def test_a_mode_counts_when_it_exceeds_the_tolerance_of_the_strongest(factor, kept):
    weak = factor * RANK_TOLERANCE
    assert len(Problem(np.eye(2), np.diag([1.0, weak])).modes.sigma) == kept


def test_rotating_the_inputs_and_outputs_changes_no_strength():
    problem, _, _ = built()
    random = np.random.default_rng(2)
    turn, twist = random_orthogonal(4, random), random_orthogonal(5, random)
    sigma_x = turn @ problem.sigma_x @ turn.T
    turned = Problem((sigma_x + sigma_x.T) / 2, turn @ problem.sigma_xy @ twist)
    assert_allclose(turned.modes.sigma, problem.modes.sigma, rtol=1e-12)
    assert_allclose(turned.modes.lam, problem.modes.lam, rtol=1e-12)
    assert_allclose(turned.eigenvalues, problem.eigenvalues, rtol=1e-12)


def test_eigenvalues_ascend_and_belong_to_their_eigenvectors():
    problem, _, _ = built()
    assert_allclose(problem.eigenvalues, [0.2, 0.5, 1.0, 3.0], rtol=1e-12)
    assert_allclose(
        problem.sigma_x @ problem.eigenvectors,
        problem.eigenvectors * problem.eigenvalues,
        atol=1e-13,
    )


@pytest.mark.parametrize("partly", [False, True])
def test_curvature_and_what_is_seen_make_the_gradient_of_the_loss(partly):
    problem, _, _ = built()
    seen = np.ones((4, 5))
    if partly:
        seen = (np.random.default_rng(1).random((4, 5)) < 0.6).astype(float)
        problem = Completion(2 * problem.sigma_xy, seen)
        assert problem.observed_share == seen.mean()

    def loss(weights):
        if partly:
            return 0.5 * np.sum((seen * (weights - problem.sigma_xy)) ** 2)
        return np.trace(0.5 * weights.T @ problem.sigma_x @ weights - weights.T @ problem.sigma_xy)

    weights = np.random.default_rng(2).standard_normal((4, 5))
    gradient = np.empty((4, 5))
    for place in np.ndindex(gradient.shape):
        shift = np.zeros((4, 5))
        shift[place] = 0.5
        gradient[place] = loss(weights + shift) - loss(weights - shift)  # exact: it is quadratic
    basis = problem.eigenvectors
    assert_allclose(problem.curvature * (basis.T @ weights) - problem.seen, basis.T @ gradient)


def test_least_squares_solves_the_normal_equations():
    problem, _, _ = built()
    assert_allclose(problem.sigma_x @ problem.least_squares, problem.sigma_xy, atol=1e-13)


def test_least_squares_is_the_map_of_least_norm_when_inputs_are_degenerate():
    problem, _, _ = built(lam=(3.0, 1.0, 0.5, 0.0))
    expected = np.linalg.pinv(problem.sigma_x, rcond=1e-10) @ problem.sigma_xy
    assert_allclose(problem.least_squares, expected, atol=1e-12)


def test_a_problem_cannot_be_given_other_moments():
    problem, _, _ = built()
    with pytest.raises(FrozenInstanceError):
        problem.sigma_x = np.eye(4)


def test_reading_a_problem_writes_to_none_of_its_arrays():
    problem, _, _ = built()
    before = problem.sigma_x.tobytes(), problem.sigma_xy.tobytes()
    assert problem.modes.lam.size
    assert problem.least_squares.size
    assert (problem.sigma_x.tobytes(), problem.sigma_xy.tobytes()) == before


@pytest.mark.parametrize(
    ("sigma_x", "sigma_xy", "sentence"),
    [
        (
            np.eye(3)[:2],
            np.ones((3, 1)),
            "sigma_x has shape (2, 3); it must be (dim_in, dim_in).",
        ),
        (np.ones(3), np.ones((3, 1)), "sigma_x has shape (3,); it must be (dim_in, dim_in)."),
        (np.eye(3), np.ones(3), "sigma_xy has shape (3,); it must be (dim_in, dim_out)."),
        (np.eye(3), np.ones((3, 0)), "sigma_xy has shape (3, 0); it must be (dim_in, dim_out)."),
        (
            np.eye(3),
            np.ones((2, 3)),
            "sigma_xy has 2 rows but sigma_x is (3, 3); rows are inputs. Was YᵀX passed for XᵀY?",
        ),
        (
            np.diag([1.0, np.nan]),
            np.ones((2, 1)),
            "sigma_x holds a value that is not finite. Remove or fill missing data first.",
        ),
        (
            np.eye(2),
            np.array([[1.0], [np.inf]]),
            "sigma_xy holds a value that is not finite. Remove or fill missing data first.",
        ),
        (
            np.array([[1.0, 0.5], [0.4, 1.0]]),
            np.ones((2, 1)),
            "sigma_x is not symmetric; second moments XᵀX/n are.",
        ),
    ],
)
def test_arrays_that_are_no_moments_are_refused_in_a_sentence(sigma_x, sigma_xy, sentence):
    with pytest.raises(StagewiseError) as caught:
        check_moments(sigma_x, sigma_xy)
    assert str(caught.value) == sentence
    with pytest.raises(StagewiseError) as caught:
        Problem(sigma_x, sigma_xy)
    assert str(caught.value) == sentence


def test_a_negative_eigenvalue_is_refused_in_a_sentence():
    problem = Problem(np.diag([1.0, -0.25]), np.ones((2, 1)))  # is not decomposed yet
    with pytest.raises(StagewiseError) as caught:
        _ = problem.eigenvalues
    assert str(caught.value) == (
        "sigma_x has the eigenvalue -0.25, but second moments XᵀX/n have none below zero. Was a "
        "matrix other than XᵀX/n given?"
    )


def test_asymmetry_and_negative_eigenvalues_within_rounding_are_accepted():
    noise = 1e-12 * np.random.default_rng(3).standard_normal((3, 3))
    problem = Problem(np.diag([1.0, 0.5, 0.0]) + noise, np.diag([1.0, 0.5, 0.0]))
    assert len(problem.eigenvalues) == problem.dim_in == 3


@pytest.mark.parametrize("varying", [[1.0, 0.0], [0.0, 0.0]])
def test_outputs_that_covary_with_inputs_that_do_not_vary_are_refused(varying):
    # |XᵀY| <= |X| |Y|: no data have these moments, and gradient descent would never end.
    problem = Problem(np.diag(varying), np.array([[0.5], [1.0]]))
    with pytest.raises(StagewiseError, match="sigma_xy"):
        _ = problem.least_squares


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_moments_of_any_data_are_accepted(count, dim_in, dim_out, seed):
    random = np.random.default_rng(seed)
    scales = 10.0 ** random.uniform(-6, 6, dim_in)
    inputs = random.standard_normal((count, dim_in)) * scales
    outputs = random.standard_normal((count, dim_out))
    problem = Problem(inputs.T @ inputs / count, inputs.T @ outputs / count)
    assert len(problem.modes.sigma) <= min(count, dim_in, dim_out)


def test_a_problem_without_anything_to_learn_says_so():
    problem = Problem(np.eye(3), np.zeros((3, 2)))
    with pytest.raises(StagewiseError, match=r"sigma_xy is zero, so there is no mode to learn\."):
        _ = problem.modes
