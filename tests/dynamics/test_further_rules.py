"""Rules of practice against their recursions written out for one number, on the loss ½x²."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.dynamics.optimisers import RULES
from stagewise.dynamics.update_rule import Landscape, MomentLandscape

RATE, STEPS = 0.3, 12


class Parabola:
    """Minus the gradient of ½x² in every layer."""

    def directions(self, layers):
        return [-layer for layer in layers]


class Product(Landscape):
    """Minus the gradient of ½(ab − 1)² in a and b."""

    def directions(self, layers):
        residual = layers[0] * layers[1] - 1
        return [-residual * layers[1], -residual * layers[0]]


def l2_decay(x, options):
    for _ in range(STEPS):
        x = x - RATE * (x + options["decay"] * x)
    return x


def decoupled_decay(x, options):
    for _ in range(STEPS):
        x = (1 - RATE * options["decay"]) * (x - RATE * x)
    return x


def stale_gradient(x, options):
    path = [x]
    for iteration in range(STEPS):
        old = path[iteration - options["delay"]] if iteration >= options["delay"] else 0.0
        path.append(path[-1] - RATE * old)
    return path[-1]


def normalised(x, _):
    for _ in range(STEPS):
        x = x - RATE * np.sign(x)
    return x


def adam(x, options):
    mean = square = 0.0
    for iteration in range(1, STEPS + 1):
        mean = options["momentum"] * mean + (1 - options["momentum"]) * x
        square = options["second"] * square + (1 - options["second"]) * x**2
        corrected = square / (1 - options["second"] ** iteration)
        x = x - RATE * mean / (1 - options["momentum"] ** iteration) / (np.sqrt(corrected) + 1e-8)
    return x


def clipped(x, options):
    for _ in range(STEPS):
        x = x - RATE * np.clip(x, -options["threshold"], options["threshold"])
    return x


def scheduled(x, options):
    for iteration in range(STEPS):
        progress = min(iteration / options["length"], 1)
        factor = 0.1 + 0.9 * (1 + np.cos(np.pi * progress)) / 2
        if options["schedule"] == "levels":
            factor = 1 if progress < 1 / 3 else 0.3 if progress < 2 / 3 else 0.1
        x = x - RATE * factor * x
    return x


@pytest.mark.parametrize(
    ("oracle", "options"),
    [
        (l2_decay, {"decay": 0.2}),
        (decoupled_decay, {"decay": 0.2}),
        (stale_gradient, {"delay": 1}),
        (stale_gradient, {"delay": 3}),
        (clipped, {"threshold": 0.5}),
        (normalised, {}),
        (adam, {"momentum": 0.8, "second": 0.9}),
        (scheduled, {"schedule": "levels", "length": 9}),
        (scheduled, {"schedule": "cosine", "length": 9}),
    ],
)
def test_one_number_follows_the_recursion(oracle, options):
    layers = [np.array([[[2.0]], [[-1.3]]])]
    rule = RULES[oracle.__name__](**options)
    memory = rule.start(layers)
    steps, taken = np.full(2, RATE), np.zeros(2, dtype=np.int64)
    rule.advance(layers, memory, Parabola(), steps, taken, 5)
    rule.advance(layers, memory, Parabola(), steps, taken + 5, STEPS - 5)
    expected = [oracle(start, options) for start in (2.0, -1.3)]
    assert_allclose(layers[0].ravel(), expected, rtol=1e-12)


def one_step(rule, layers, landscape):
    rate, taken = np.ones((len(layers[0]), 1, 1)), np.zeros((len(layers[0]), 1, 1), dtype=np.int64)
    rule.step(layers, rule.start(layers), landscape, 0.1 * rate, taken)


def test_layers_in_turn_see_what_the_later_ones_have_become():
    layers = [np.array([[[0.4]]]), np.array([[[0.5]]])]
    one_step(RULES["layers_in_turn"](), layers, Product())
    later = 0.5 - 0.1 * (0.4 * 0.5 - 1) * 0.4
    assert layers[1].item() == pytest.approx(later)
    assert layers[0].item() == pytest.approx(0.4 - 0.1 * (0.4 * later - 1) * later)


@pytest.mark.parametrize("rotated", [False, True])
def test_the_direction_of_one_layer_is_that_among_all(rotated):
    random = np.random.default_rng(3)
    layers = [random.standard_normal((2, *shape)) for shape in ((4, 3), (3, 2), (2, 5))]
    target, curvature = random.standard_normal((2, 2, 4, 5))
    basis = np.linalg.qr(random.standard_normal((2, 4, 4)))[0] if rotated else None
    landscape = MomentLandscape(target, curvature, basis)
    for place, expected in enumerate(landscape.directions(layers)):
        assert_allclose(landscape.direction(layers, place), expected, rtol=1e-12)


@pytest.mark.parametrize("step", [0.1, 0.7, 1.5])
def test_layers_in_turn_grow_by_twice_asinh_of_half_a_step(step):
    """σ = 1 from a start far below the target, once the shrinking direction is gone."""
    layers, steps = [np.full((1, 1, 1), 1e-60), np.full((1, 1, 1), 2e-60)], np.array([step])
    landscape = MomentLandscape(np.ones((1, 1, 1)), np.ones((1, 1, 1)))
    rule, taken = RULES["layers_in_turn"](), np.zeros(1, dtype=np.int64)
    amplitudes, count = [], int(40 / step)
    for _ in range(2):
        rule.advance(layers, [], landscape, steps, taken, count)
        amplitudes.append([layer.item() for layer in layers])
    each = np.log(np.divide(*reversed(amplitudes))) / count
    assert_allclose(each, 2 * np.arcsinh(step / 2), rtol=1e-12)


@pytest.mark.parametrize("kind", ["clipped", "normalised"])
def test_norms_are_over_all_layers_of_a_run(kind):
    layers = [np.array([[[3.0]], [[30.0]]]), np.array([[[4.0]], [[40.0]]])]
    one_step(RULES[kind](), layers, Parabola())
    assert_allclose(layers[0].ravel(), [3 - 0.06, 30 - 0.06])
    assert_allclose(layers[1].ravel(), [4 - 0.08, 40 - 0.08])


def test_the_label_of_a_schedule_names_it():
    assert RULES["scheduled"](schedule="levels", length=9).label == "scheduled levels length=9"
