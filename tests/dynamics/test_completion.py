"""Deep factorisation in the engine: masks, depth, rectangular targets, any width."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.dynamics import gradient_descent
from stagewise.dynamics.first_weights import initial_weights
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Completion, Problem


def completion(dim_in, dim_out, seed=0, share=0.6):
    random = np.random.default_rng(seed)
    target = random.standard_normal((dim_in, 2)) @ random.standard_normal((2, dim_out))
    observed = (random.uniform(size=target.shape) < share).astype(float)
    return Completion(target, observed)


def plain_descent(problem, weights, step, steps):
    """The loop one would write first."""
    layers = [layer.copy() for layer in weights]
    for _ in range(steps):
        changes = []
        residual = problem.observed * (problem.sigma_xy - _product(layers))
        for at in range(len(layers)):
            before, after = _product(layers[:at]), _product(layers[at + 1 :])
            change = residual if before is None else before.T @ residual
            changes.append(change if after is None else change @ after.T)
        layers = [layer + step * change for layer, change in zip(layers, changes, strict=True)]
    return _product(layers)


def _product(layers):
    product = None
    for layer in layers:
        product = layer if product is None else product @ layer
    return product


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("dim_in", "dim_out", "width"), [(6, 6, 6), (7, 4, 2), (4, 7, 9)])
def test_completion_of_any_depth_and_shape_is_the_plain_loop(depth, dim_in, dim_out, width):
    problem = completion(dim_in, dim_out)
    random = np.random.default_rng(1)
    weights = initial_weights(problem, "gaussian", depth, width, 0.5, random)
    found = gradient_descent(problem, weights, 0.01, [0, 200], keep_products=True, refine=False)
    assert_allclose(found.products[-1], plain_descent(problem, weights, 0.01, 200), rtol=1e-9)


def test_loss_and_gradient_are_those_of_the_observed_entries():
    problem = completion(5, 4)
    weights = initial_weights(problem, "gaussian", 3, 4, 0.3, np.random.default_rng(0))
    found = gradient_descent(problem, weights, 0.01, [0, 1], keep_weights=True, refine=False)

    def loss(layers):
        return 0.5 * np.sum((problem.observed * (_product(layers) - problem.sigma_xy)) ** 2)

    assert_allclose(found.loss[0], loss(weights))
    change = [(layer[1] - layer[0]) / 0.01 for layer in found.weights]
    assert_allclose(found.gradient_norm[0], np.sqrt(sum(np.sum(each**2) for each in change)))
    ahead = loss([w + 1e-6 * v for w, v in zip(weights, change, strict=True)])
    behind = loss([w - 1e-6 * v for w, v in zip(weights, change, strict=True)])
    assert_allclose((ahead - behind) / 2e-6, -(found.gradient_norm[0] ** 2), rtol=1e-6)


def test_entries_that_are_not_observed_make_no_difference():
    problem = completion(5, 4)
    other = Completion(problem.sigma_xy + 3 * (1 - problem.observed), problem.observed)
    weights = initial_weights(problem, "gaussian", 2, 4, 0.5, np.random.default_rng(0))
    one, two = (
        gradient_descent(each, weights, 0.01, [0, 50], keep_products=True, refine=False)
        for each in (problem, other)
    )
    assert (one.products == two.products).all()


def test_with_all_entries_observed_completion_is_plain_factorisation():
    target = np.random.default_rng(0).standard_normal((5, 4))
    masked = Completion(target, np.ones((5, 4)))
    weights = initial_weights(masked, "gaussian", 3, 4, 0.5, np.random.default_rng(0))
    one, two = (
        gradient_descent(each, weights, 0.01, [0, 10, 100], refine=False)
        for each in (masked, Problem(np.eye(5), target))
    )
    for name in ("loss", "gradient_norm", "singular_values", "response_values"):
        assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-10)


def test_weights_are_kept_in_the_coordinates_that_they_were_given_in():
    random = np.random.default_rng(3)
    inputs = random.standard_normal((30, 5))
    problem = Problem(inputs.T @ inputs / 30, random.standard_normal((5, 4)))
    weights = initial_weights(problem, "gaussian", 2, 3, 0.5, random)
    found = gradient_descent(
        problem, weights, 0.01, [0, 20], keep_weights=True, keep_products=True, refine=False
    )
    for kept, given in zip(found.weights, weights, strict=True):
        assert_allclose(kept[0], given, atol=1e-12)
    assert_allclose(found.weights[0][1] @ found.weights[1][1], found.products[1], atol=1e-12)


def test_without_refinement_the_records_are_those_asked_for():
    problem = completion(5, 4, share=1.0)
    weights = initial_weights(problem, "gaussian", 2, 4, 3.0, np.random.default_rng(0))
    found = gradient_descent(problem, weights, 0.02, [0, 1000], refine=False)
    assert found.iterations.tolist() == [0, 1000]


def test_moments_with_a_mask_are_a_completion():
    given = Moments.prescribed(np.eye(2), np.diag([2.0, 1.0]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert isinstance(given.problem(centred=True), Completion)
    assert given.problem(centred=True).observed_share == 0.75
