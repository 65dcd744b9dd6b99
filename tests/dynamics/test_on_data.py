"""Training on samples: gradients against finite differences and autograd, steps against plain loops."""

from itertools import islice, pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stagewise.dynamics.on_data import (
    Network,
    Sampling,
    draw_batches,
    train_on_data,
    train_on_moments,
)
from stagewise.dynamics.optimisers.heavy_ball import HeavyBall
from stagewise.dynamics.training import train
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem

NETWORKS = [
    Network(activation, loss)
    for activation in ("linear", "tanh", "relu")
    for loss in ("squared", "cross_entropy")
]


def example(depth=2, runs=2, samples=7, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [4, *[5] * (depth - 1), 3]
    weights = [rng.standard_normal((runs, rows, columns)) for rows, columns in pairwise(sizes)]
    biases = [rng.standard_normal((runs, 1, columns)) for columns in sizes[1:]]
    inputs = rng.standard_normal((runs, samples, 4))
    outputs = rng.dirichlet(np.ones(3), size=(runs, samples))
    return inputs, outputs, weights, biases


def mean_loss(network, inputs, outputs, weights, biases):
    """Mean loss of each run, written out."""
    value = inputs
    for layer, weight in enumerate(weights):
        value = value @ weight + (biases[layer] if biases else 0)
        if layer < len(weights) - 1:
            value = {
                "linear": lambda v: v,
                "tanh": np.tanh,
                "relu": lambda v: np.where(v > 0, v, 0),
            }[network.activation](value)
    if network.loss == "squared":
        return 0.5 * ((value - outputs) ** 2).sum(axis=2).mean(axis=1)
    logs = value - np.log(np.exp(value).sum(axis=2, keepdims=True))
    return -(outputs * logs).sum(axis=2).mean(axis=1)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("with_biases", [False, True])
def test_gradients_are_finite_differences(network, depth, with_biases):
    inputs, outputs, weights, biases = example(depth)
    biases = biases if with_biases else []
    by_weight, by_bias = network.gradients(inputs, outputs, weights, biases)
    for parameters, gradients in ((weights, by_weight), (biases, by_bias)):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            for place in np.ndindex(parameter.shape[1:]):
                at, h = (slice(None), *place), 1e-6
                kept = parameter[at].copy()
                sides = []
                for sign in (1, -1):
                    parameter[at] = kept + sign * h
                    sides.append(mean_loss(network, inputs, outputs, weights, biases))
                parameter[at] = kept
                assert_allclose(gradient[at], (sides[0] - sides[1]) / (2 * h), atol=2e-8)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_gradients_are_those_of_autograd(network):
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    inputs, outputs, weights, biases = example(runs=1)
    by_weight, by_bias = network.gradients(inputs, outputs, weights, biases)
    leaves = [torch.tensor(each[0], requires_grad=True) for each in weights + biases]
    value = torch.tensor(inputs[0])
    for layer in range(2):
        value = value @ leaves[layer] + leaves[2 + layer]
        if layer == 0 and network.activation != "linear":
            value = getattr(torch, network.activation)(value)
    target = torch.tensor(outputs[0])
    if network.loss == "squared":
        loss = 0.5 * ((value - target) ** 2).sum(dim=1).mean()
    else:
        loss = torch.nn.functional.cross_entropy(value, target)
    loss.backward()
    for leaf, gradient in zip(leaves, by_weight + by_bias, strict=True):
        assert_allclose(leaf.grad.numpy(), gradient[0], rtol=1e-10, atol=1e-14)


class Records:
    """What an observer has been shown: iterations, and copies or what `measure` makes of layers."""

    def __init__(self, measure, enough=False):
        self.measure, self.enough = measure, enough
        self.iterations, self.values = [], []

    def __call__(self, iteration, layers):
        self.iterations.append(iteration)
        self.values.append(np.array(self.measure(layers)))
        return self.enough


@pytest.mark.parametrize("depth", [2, 3])
def test_full_batches_are_gradient_descent_on_the_moments(depth):
    inputs, outputs, weights, _ = example(depth, samples=30)
    inputs, outputs = inputs[0], outputs[0]
    problem = Problem(inputs.T @ inputs / 30, inputs.T @ outputs / 30)
    weights = [0.3 * each for each in weights]
    records = np.array([0, 1, 10, 80])
    expected = train([problem] * 2, weights, 0.05, records, keep_products=True, refine=False)
    seen = Records(product)
    train_on_data(Network(), inputs, outputs, weights, 0.05, records, seen)
    assert_array_equal(seen.iterations, records)
    assert_allclose(np.swapaxes(seen.values, 0, 1), expected.products, rtol=1e-9)
    in_eigenbasis = Records(lambda layers: problem.eigenvectors @ product(layers))
    train_on_moments([problem], weights, 0.05, records, in_eigenbasis)
    assert_allclose(in_eigenbasis.values, seen.values, rtol=1e-9)


def test_every_run_on_moments_has_its_own_problem_and_step():
    _, _, weights, _ = example()
    rng = np.random.default_rng(1)
    roots = rng.standard_normal((2, 6, 4))
    problems = [Problem(each.T @ each / 6, rng.standard_normal((4, 3))) for each in roots]
    steps, rule = np.array([0.02, 0.04]), HeavyBall(momentum=0.5)
    bases = np.stack([each.eigenvectors for each in problems])
    seen = Records(lambda layers: bases @ product(layers))
    train_on_moments(problems, weights, steps, np.array([30]), seen, rule)
    expected = train(problems, weights, steps, [30], keep_products=True, optimizer=rule)
    assert_allclose(seen.values[0], expected.products[:, 0], rtol=1e-9)


def product(weights):
    found = weights[0]
    for weight in weights[1:]:
        found = found @ weight
    return found


@pytest.mark.parametrize("replace", [True, False])
def test_steps_are_those_of_a_plain_loop_whatever_else_is_in_the_batch(replace):
    inputs, outputs, weights, _ = example(samples=9)
    inputs, outputs, network = inputs[0], outputs[0], Network("tanh", "cross_entropy")
    records, momentum, step = np.array([25]), 0.7, 0.2
    options = {
        "rule": HeavyBall(momentum=momentum),
        "use_biases": True,
        "sampling": Sampling(4, replace),
    }

    def run(which):
        seen = Records(
            lambda layers: np.concatenate(
                [layers[0].reshape(len(which), -1), layers[3][:, 0]], axis=1
            )
        )
        train_on_data(
            network,
            inputs,
            outputs,
            [w[which] for w in weights],
            step,
            records,
            seen,
            generators=[np.random.default_rng(each) for each in which],
            **options,
        )
        return seen.values[0]

    together = run([0, 1])
    for each in (0, 1):
        assert_array_equal(run([each])[0], together[each])
        stream = batches(each, 9, Sampling(4, replace))
        own = [w[[each]].copy() for w in weights]
        biases = [np.zeros((1, 1, 5)), np.zeros((1, 1, 3))]
        past = [np.zeros_like(parameter) for parameter in own + biases]
        for _ in range(25):
            picked = next(stream)
            by_weight, by_bias = network.gradients(
                inputs[picked][None], outputs[picked][None], own, biases
            )
            before = [p.copy() for p in own + biases]
            for parameter, old, gradient in zip(
                own + biases, past, by_weight + by_bias, strict=True
            ):
                parameter += momentum * old - step * gradient
            past = [p - b for p, b in zip(own + biases, before, strict=True)]
        expected = np.concatenate([own[0].ravel(), biases[1].ravel()])
        assert_allclose(together[each], expected, rtol=1e-9, atol=1e-12)


def batches(seed, samples, sampling):
    """Batches of one run, step by step."""
    for block in draw_batches([np.random.default_rng(seed)], samples, sampling):
        yield from block[0]


@pytest.mark.parametrize("replace", [True, False])
def test_batches_do_not_depend_on_how_many_runs_there_are(replace):
    sampling = Sampling(7000, replace)
    generators = [np.random.default_rng(each) for each in range(9)]
    together = np.concatenate(list(islice(draw_batches(generators, 15_000, sampling), 6)), axis=1)
    for run in (0, 8):
        alone = batches(run, 15_000, sampling)
        assert_array_equal([next(alone) for _ in together[run]], together[run])


def test_an_epoch_without_replacement_shows_no_sample_twice():
    stream = batches(0, 10, Sampling(3, replace=False))
    for _ in range(5):
        epoch = np.concatenate([next(stream) for _ in range(3)])
        assert len(set(epoch.tolist())) == 9


def test_batches_larger_than_the_sample_need_replacement():
    assert len(next(batches(0, 5, Sampling(8)))) == 8
    with pytest.raises(StagewiseError, match="batch_size is 8, but there are 5 samples"):
        next(batches(0, 5, Sampling(8, replace=False)))


def test_draws_with_replacement_show_every_sample_as_often():
    stream = batches(0, 5, Sampling(2))
    counts = np.bincount(np.concatenate([next(stream) for _ in range(5000)]), minlength=5)
    assert_allclose(counts / 10_000, 0.2, atol=0.02)


def test_training_ends_when_it_is_told_to_and_divergence_is_recorded():
    inputs, outputs, weights, _ = example()
    data = Network(), inputs[0], outputs[0], weights
    seen = Records(lambda layers: layers[0], enough=True)
    train_on_data(*data, 0.01, np.arange(50), seen)
    assert seen.iterations == [0]
    seen = Records(lambda layers: layers[0])
    train_on_data(*data, 50.0, np.array([0, 40]), seen)
    assert not np.isfinite(seen.values[1]).all(axis=(1, 2)).any()
