"""Hessian products against finite differences of the gradient, and eigenvalues against dense ones."""

from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import curvature_bound, extreme_curvatures, hessian, numerical_rank
from stagewise.dynamics.gradients import descent_directions

SHAPES = [
    pytest.param([(1, 1), (1, 1)], id="two numbers"),
    pytest.param([(1, 1), (1, 1), (1, 1)], id="three numbers"),
    pytest.param([(3, 4)], id="one layer"),
    pytest.param([(4, 3), (3, 5)], id="two layers"),
    pytest.param([(4, 2), (2, 3), (3, 5)], id="three layers"),
    pytest.param([(3, 4), (4, 2), (2, 4), (4, 3)], id="four layers"),
]


def point(shapes, seed=0):
    random = np.random.default_rng(seed)
    layers = [random.standard_normal(shape) for shape in shapes]
    ends = (shapes[0][0], shapes[-1][1])
    return layers, random.standard_normal(ends), (random.uniform(size=ends) < 0.7).astype(float)


def gradient(layers, target, observed):
    """Gradient of the loss, from the batched code that descends."""
    residual = observed * (target - reduce(np.matmul, layers))
    directions = descent_directions(residual[None], [each[None] for each in layers])
    return np.concatenate([-each[0].ravel() for each in directions])


def split(vector, layers):
    ends = np.cumsum([each.size for each in layers])[:-1]
    return [
        part.reshape(each.shape) for part, each in zip(np.split(vector, ends), layers, strict=True)
    ]


def dense(layers, target, observed):
    """Hessian by central differences of the loss alone, twice."""
    flat = np.concatenate([each.ravel() for each in layers])
    size, step = len(flat), 1e-4

    def loss(vector):
        return 0.5 * np.sum((observed * (reduce(np.matmul, split(vector, layers)) - target)) ** 2)

    hessian = np.empty((size, size))
    eye = step * np.eye(size)
    for i in range(size):
        for j in range(size):
            hessian[i, j] = (
                loss(flat + eye[i] + eye[j])
                - loss(flat + eye[i] - eye[j])
                - loss(flat - eye[i] + eye[j])
                + loss(flat - eye[i] - eye[j])
            ) / (4 * step**2)
    return hessian


@pytest.mark.parametrize("shapes", SHAPES)
def test_a_hessian_product_is_the_directional_derivative_of_the_gradient(shapes):
    layers, target, observed = point(shapes)
    direction = [np.random.default_rng(1).standard_normal(shape) for shape in shapes]
    found = hessian(layers, target, observed)(direction)
    step = 1e-5
    ahead, back = (
        gradient(
            [w + sign * step * v for w, v in zip(layers, direction, strict=True)], target, observed
        )
        for sign in (1, -1)
    )
    assert_allclose(
        np.concatenate([each.ravel() for each in found]), (ahead - back) / (2 * step), atol=1e-7
    )


@pytest.mark.parametrize("shapes", SHAPES)
def test_extreme_curvatures_are_those_of_the_dense_hessian(shapes):
    layers, target, observed = point(shapes)
    values = np.linalg.eigvalsh(dense(layers, target, observed))
    found = extreme_curvatures(layers, target, observed)
    assert_allclose(found, (values[0], values[-1]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_no_eigenvalue_exceeds_the_bound(shapes, seed):
    layers, target, observed = point(shapes, seed)
    values = np.linalg.eigvalsh(dense(layers, target, observed))
    assert np.abs(values).max() <= curvature_bound(layers, target, observed) * (1 + 1e-6)


def test_the_bound_is_reached_at_the_saddle_where_two_layers_start_and_at_the_solution():
    target, start = np.diag([4.0, 2.0]), [np.zeros((2, 2))] * 2
    assert curvature_bound(start, target, np.ones((2, 2))) == 4.0
    assert extreme_curvatures(start, target, np.ones((2, 2))) == pytest.approx((-4.0, 4.0))
    solution = [np.sqrt(target)] * 2
    assert curvature_bound(solution, target, np.ones((2, 2))) == pytest.approx(8.0)


def test_a_start_of_zeros_is_flat_for_three_layers():
    start = [np.zeros((3, 3))] * 3
    assert extreme_curvatures(start, np.eye(3), np.ones((3, 3))) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("depth", "largest"), [(2, 8.0), (3, 3 * 4 ** (4 / 3)), (4, 32.0)], ids=str
)
def test_the_curvature_at_the_balanced_solution_is_the_closed_form_and_none_is_negative(
    depth, largest
):
    sigma = np.array([4.0, 2.0, 1.0])
    layers = [np.diag(sigma ** (1 / depth)) for _ in range(depth)]
    lowest, highest = extreme_curvatures(layers, np.diag(sigma), np.ones((3, 3)))
    assert highest == pytest.approx(largest)
    assert lowest == pytest.approx(0, abs=1e-6)


def test_the_numerical_rank_counts_values_above_a_share():
    layers = [np.diag([2.0, 1.0, 1e-3]), np.eye(3)]
    assert numerical_rank(layers, 0.01) == 2
    assert numerical_rank(layers, 1e-4) == 3
    assert numerical_rank([np.zeros((2, 2))], 0.01) == 0
