"""RMSProp against a loop over scalars, and what is said of its two kinds."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stagewise.dynamics import train
from stagewise.dynamics.optimisers.rmsprop import RMSProp
from stagewise.problems.problem import Problem

SIZES = {2: [4, 3, 5], 3: [4, 3, 2, 5]}


def start(depth, runs=3):
    random = np.random.default_rng(depth)
    sizes = SIZES[depth]
    weights = [
        0.4 * random.standard_normal((runs, rows, columns)) for rows, columns in pairwise(sizes)
    ]
    return Problem(np.eye(4), random.standard_normal((4, 5))), weights


def numeric_gradient(layers, target):
    """Gradient of ½‖W − target‖² by central differences, an entry at a time."""
    gradients = []
    for layer in layers:
        gradient = np.empty_like(layer)
        for index in np.ndindex(layer.shape):
            losses = []
            for sign in (1, -1):
                kept = layer[index]
                layer[index] = kept + sign * 1e-6
                losses.append(0.5 * np.sum((reduce(np.matmul, layers) - target) ** 2))
                layer[index] = kept
            gradient[index] = (losses[0] - losses[1]) / 2e-6
        gradients.append(gradient)
    return gradients


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("shared", [False, True])
def test_steps_are_those_of_the_definition(depth, shared):
    problem, weights = start(depth, runs=1)
    optimizer = RMSProp(shared=shared, decay=0.8, offset=1e-3)
    found = train(
        problem, weights, 0.02, [0, 1, 2, 5], optimizer=optimizer, keep_products=True, refine=False
    )
    layers = [layer[0].copy() for layer in weights]
    means = [np.zeros_like(layer) for layer in layers]
    for _ in range(5):
        gradients = numeric_gradient(layers, problem.sigma_xy)
        squares = [gradient**2 for gradient in gradients]
        if shared:
            overall = np.mean(np.concatenate([square.ravel() for square in squares]))
            squares = [np.full_like(square, overall) for square in squares]
        for layer, gradient, mean, square in zip(layers, gradients, means, squares, strict=True):
            mean[:] = 0.8 * mean + 0.2 * square
            layer -= 0.02 * gradient / (np.sqrt(mean) + 1e-3)
    assert_allclose(found.products[0, -1], reduce(np.matmul, layers), rtol=1e-6)


def test_records_that_locate_learning_times_do_not_disturb_the_memory():
    problem, weights = start(2)
    with_them, without = (
        train(
            problem, weights, 0.003, [0, 100, 1000], optimizer=RMSProp(shared=True), refine=refine
        )
        for refine in (True, False)
    )
    assert_array_equal(with_them.loss, without.loss)


def test_the_shared_scale_keeps_the_direction_of_the_gradient_and_the_other_does_not():
    problem, weights = start(2, runs=1)
    layers = [layer[0].copy() for layer in weights]
    gradient = np.concatenate([each.ravel() for each in numeric_gradient(layers, problem.sigma_xy)])
    cosines = []
    for shared in (True, False):
        moved = train(
            problem, weights, 1e-4, [0, 1], optimizer=RMSProp(shared=shared), keep_weights=True
        )
        change = np.concatenate([(layer[0, 1] - layer[0, 0]).ravel() for layer in moved.weights])
        cosines.append(-change @ gradient / np.linalg.norm(change) / np.linalg.norm(gradient))
    assert cosines[0] == pytest.approx(1, abs=1e-6)
    assert cosines[1] < 0.95
