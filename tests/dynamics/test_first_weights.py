from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.arrays import FloatArray
from stagewise.dynamics import gradient_descent
from stagewise.dynamics.first_weights import initial_weights, layer_shapes, orientation
from stagewise.problems.problem import Problem

DELTA = 1.5
SHAPES = [(6, 6, 6), (7, 4, 3), (4, 7, 3), (5, 1, 1), (1, 5, 1), (1, 1, 1)]


def problem(dim_in: int, dim_out: int, rank: int) -> Problem:
    """Moments of random data whose sigma_xy has the rank asked for."""
    random = np.random.default_rng([dim_in, dim_out, rank])
    inputs = random.standard_normal((50, dim_in))
    left, right = (random.standard_normal((dim, rank)) for dim in (dim_in, dim_out))
    sigma_x = inputs.T @ inputs / 50
    return Problem((sigma_x + sigma_x.T) / 2, sigma_x @ left @ right.T)


def product(weights: list[FloatArray]) -> FloatArray:
    return reduce(np.matmul, weights)


@pytest.mark.parametrize(
    ("depth", "shapes"),
    [
        (1, [(5, 3)]),
        (2, [(5, 4), (4, 3)]),
        (3, [(5, 4), (4, 4), (4, 3)]),
        (4, [(5, 4), (4, 4), (4, 4), (4, 3)]),
    ],
)
def test_layers_go_from_inputs_through_equal_widths_to_outputs(depth, shapes):
    assert layer_shapes(5, 3, 4, depth) == shapes


@pytest.mark.parametrize("initialisation", ["aligned", "orthogonal", "gaussian"])
@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("width", [1, 3, 4, 9])
def test_weights_have_the_shapes_of_the_layers(initialisation, depth, width):
    weights = initial_weights(
        problem(5, 4, 3), initialisation, depth, width, DELTA, np.random.default_rng(0)
    )
    assert [weight.shape for weight in weights] == layer_shapes(5, 4, width, depth)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 9])
@pytest.mark.parametrize(("dim_in", "dim_out", "rank"), SHAPES)
def test_an_aligned_start_is_diagonal_in_the_frames_of_the_problem(
    depth, width, dim_in, dim_out, rank
):
    given = problem(dim_in, dim_out, rank)
    weights = initial_weights(given, "aligned", depth, width, DELTA, np.random.default_rng(1))
    left, right = given.modes.left, given.modes.right
    started = rank if depth == 1 else min(rank, width)
    expected = np.diag(np.exp(-depth * DELTA) * (np.arange(rank) < started))
    assert_allclose(left.T @ product(weights) @ right, expected, atol=1e-14)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize(("dim_in", "dim_out", "rank"), SHAPES)
def test_an_aligned_start_between_full_frames_is_their_product_at_the_scale(
    depth, dim_in, dim_out, rank
):
    given = problem(dim_in, dim_out, rank)
    width = max(dim_in, dim_out)
    weights = initial_weights(given, "aligned", depth, width, DELTA, np.random.default_rng(2))
    left, right = given.modes.left, given.modes.right
    start = product(weights) * np.exp(depth * DELTA)
    assert_allclose(left.T @ start, right.T, atol=1e-13)
    assert_allclose(start @ right, left, atol=1e-13)
    scales = np.linalg.svd(start, compute_uv=False)
    assert_allclose(scales, np.ones(min(dim_in, dim_out)), atol=1e-13)


@pytest.mark.parametrize("initialisation", ["aligned", "orthogonal"])
@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("width", [1, 4, 9])
@pytest.mark.parametrize("delta", [0.0, 2.0, 160.0])
def test_every_singular_value_of_every_layer_is_the_scale(initialisation, depth, width, delta):
    weights = initial_weights(
        problem(7, 4, 3), initialisation, depth, width, delta, np.random.default_rng(3)
    )
    scales = np.concatenate([np.linalg.svd(weight, compute_uv=False) for weight in weights])
    assert_allclose(scales, np.exp(-delta), rtol=1e-13)


def test_an_orthogonal_start_is_not_aligned_with_the_problem():
    given = problem(6, 6, 6)
    weights = initial_weights(given, "orthogonal", 2, 6, 0.0, np.random.default_rng(4))
    strengths = given.modes.left.T @ product(weights) @ given.modes.right
    assert np.abs(strengths - np.diag(np.diag(strengths))).max() > 0.1


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize(("dim_in", "dim_out", "width"), [(80, 40, 60), (30, 90, 50)])
def test_entries_of_a_gaussian_layer_have_the_scale_over_the_root_of_its_rows(
    depth, dim_in, dim_out, width
):
    weights = initial_weights(
        problem(dim_in, dim_out, 1), "gaussian", depth, width, DELTA, np.random.default_rng(5)
    )
    entries = [weight * np.exp(DELTA) * np.sqrt(len(weight)) for weight in weights]
    counts = np.array([each.size for each in entries])
    assert np.all(np.abs([each.mean() for each in entries]) < 4 / np.sqrt(counts))
    assert np.all(np.abs(np.array([each.std() for each in entries]) - 1) < 4 / np.sqrt(2 * counts))


def test_a_gaussian_layer_keeps_the_norm_of_a_row_up_to_the_scale_on_average():
    random = np.random.default_rng(6)
    row = random.standard_normal(30)
    grown = [
        np.sum((row @ initial_weights(problem(30, 20, 1), "gaussian", 1, 1, DELTA, random)[0]) ** 2)
        for _ in range(400)
    ]
    expected = np.exp(-2 * DELTA) * np.sum(row**2) * 20 / 30
    error = np.std(grown) / np.sqrt(len(grown))
    assert abs(np.mean(grown) - expected) < 4 * error


@pytest.mark.parametrize("initialisation", ["aligned", "orthogonal", "gaussian"])
def test_equal_generators_give_equal_weights_and_others_give_others(initialisation):
    one, same, other = (
        initial_weights(problem(5, 4, 3), initialisation, 3, 4, 1.0, np.random.default_rng(seed))
        for seed in (7, 7, 8)
    )
    assert [weight.tobytes() for weight in one] == [weight.tobytes() for weight in same]
    assert not np.allclose(one[1], other[1])


def test_a_balanced_square_start_of_the_wrong_orientation_does_not_learn_its_last_mode():
    given = Problem(np.diag([1.0, 0.5, 0.8]), np.diag([1.0, 0.7, 0.5]))
    step, delta = 0.1, 8.0
    due = delta / np.log1p(step * given.modes.sigma[-1])
    found = {1.0: [], -1.0: []}
    for seed in range(12):
        weights = initial_weights(given, "orthogonal", 2, 3, delta, np.random.default_rng(seed))
        run = gradient_descent(given, weights, step, [int(1.7 * due)])
        learned = run.response_values[-1, -1] > given.modes.sigma[-1] / 2
        found[orientation(given, weights)].append(bool(learned))
    assert found[1.0]
    assert all(found[1.0])
    assert found[-1.0]
    assert not any(found[-1.0])


@pytest.mark.parametrize(("dim_out", "width"), [(2, 3), (3, 2)])
def test_only_square_maps_of_full_rank_have_an_orientation(dim_out, width):
    given = problem(3, dim_out, 2)
    weights = initial_weights(given, "gaussian", 2, width, 1.0, np.random.default_rng(0))
    assert np.isnan(orientation(given, weights))
