"""Rotations of the hidden space keep what matters and order what is small."""

import numpy as np
from numpy.testing import assert_allclose

from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.digits import DigitsData
from stagewise.data.synthetic import aligned, random_orthogonal
from stagewise.dynamics import gradient_descent, quasi_adiabatic
from stagewise.dynamics.first_weights import initial_weights
from stagewise.dynamics.hidden_rotation import rotate_hidden
from stagewise.problems.problem import Problem
from stagewise.theory.forecast_laws import initial_amplitudes


def test_the_product_stays_and_hidden_units_become_orthogonal():
    generator = np.random.default_rng(0)
    first, second = generator.standard_normal((3, 7, 4)), generator.standard_normal((3, 4, 5))
    turned = rotate_hidden(first, second)
    assert_allclose(turned[0] @ turned[1], first @ second, rtol=1e-12, atol=1e-12)
    rows = np.concatenate([turned[0].transpose(0, 2, 1), turned[1]], axis=2)
    gram = rows @ rows.transpose(0, 2, 1)
    off = gram - np.einsum("rii->ri", gram)[:, :, None] * np.eye(4)
    assert np.abs(off).max() < 1e-12 * np.abs(gram).max()


def test_tiny_directions_keep_their_relative_precision():
    scales = np.array([1.0, 1e-40, 1e-120])
    first, second = np.diag(scales)[None], np.diag(scales)[None]
    mixing = np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    # Mixing only the two small directions, as a network would while the large one is learned.
    mixing[0], mixing[:, 0], mixing[0, 0] = 0, 0, 1
    turned = rotate_hidden(first @ np.linalg.qr(mixing)[0], np.linalg.qr(mixing)[0].T @ second)
    lengths = np.sort(np.linalg.norm(turned[0][0], axis=0))[::-1]
    assert_allclose(lengths, scales, rtol=1e-10)


def test_where_rounding_would_hurry_weak_stages_rotated_training_keeps_their_time():
    problem = draw_moments("digits", DigitsData(kind="digits"), None)[0].problem(centred=True)
    step, stages = 0.25 / problem.eigenvalues[-1], 9
    amplitudes = initial_amplitudes(np.array([80.0]), problem.dim_in, 10, stages)
    expected = quasi_adiabatic(problem, amplitudes, np.array([step]), np.array([1e7]))
    scale = np.exp(amplitudes[0]) / np.sqrt(2)
    # The same network, its hidden directions spread over all units.
    mixing = random_orthogonal(stages, np.random.default_rng(0))
    weights = [
        problem.modes.left[:, :stages] * scale @ mixing,
        mixing.T @ (scale[:, None] * problem.modes.right[:, :stages].T),
    ]
    last = int(1.1 * expected.learning_iterations.max())
    records = np.unique(np.geomspace(1, last, 150).round().astype(int))
    turned, plain = (
        gradient_descent(
            problem, weights, step, records, refine=True, rotate=turn
        ).learning_iteration
        for turn in (None, False)
    )
    assert_allclose(turned, expected.learning_iterations[0], rtol=5e-3)
    assert plain[-1] < 0.9 * turned[-1]


def test_rotation_changes_no_learning_time_where_it_is_not_needed():
    moments = aligned(
        np.array([1.0, 0.5]), np.array([0.7, 1.1]), "random", np.random.default_rng(2)
    )
    problem = Problem(moments.sigma_x, moments.sigma_xy)
    weights = initial_weights(problem, "gaussian", 2, 4, 6.0, np.random.default_rng(3))
    plain, turned = (
        gradient_descent(
            problem, weights, 0.1, range(0, 400, 5), refine=True, rotate=turn
        ).learning_iteration
        for turn in (False, True)
    )
    assert_allclose(turned, plain, rtol=1e-9)
