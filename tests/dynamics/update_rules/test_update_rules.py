"""Each rule against its recursion written out for one number, on the loss ½x²."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.dynamics.update_rules import rule_names, update_rule
from stagewise.errors import StagewiseError

RATE, STEPS = 0.3, 12


def gradient_descent(x, _):
    for _ in range(STEPS):
        x = x - RATE * x
    return x


def heavy_ball(x, options):
    before = x
    for _ in range(STEPS):
        x, before = x + options["momentum"] * (x - before) - RATE * x, x
    return x


def nesterov(x, options):
    before = x
    for _ in range(STEPS):
        ahead = x + options["momentum"] * (x - before)
        x, before = ahead - RATE * ahead, x
    return x


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


def clipped(x, options):
    for _ in range(STEPS):
        x = x - RATE * np.clip(x, -options["threshold"], options["threshold"])
    return x


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


CASES = [
    (gradient_descent, {}),
    (gradient_descent, {}),
    (heavy_ball, {"momentum": 0.7}),
    (nesterov, {"momentum": 0.7}),
    (l2_decay, {"decay": 0.2}),
    (decoupled_decay, {"decay": 0.2}),
    (stale_gradient, {"delay": 0}),
    (stale_gradient, {"delay": 3}),
    (clipped, {"threshold": 0.5}),
    (normalised, {}),
    (adam, {"momentum": 0.8, "second": 0.9}),
]


@pytest.mark.parametrize(("oracle", "options"), CASES)
def test_one_number_follows_the_recursion(oracle, options):
    parameters = [np.array([[[2.0]], [[-1.3]]])]
    rule = update_rule(oracle.__name__, **options)
    memory = rule.memory(parameters)
    for _ in range(STEPS):
        rule.step(parameters, lambda at: [each.copy() for each in at], RATE, memory)
    expected = [oracle(start, options) for start in (2.0, -1.3)]
    assert_allclose(parameters[0].ravel(), expected, rtol=1e-12)


def test_every_rule_is_tested():
    assert {oracle.__name__ for oracle, _ in CASES} | {"layers_in_turn"} == set(rule_names())


def test_layers_in_turn_see_what_the_later_ones_have_become():
    first, second = np.array([[[0.4]]]), np.array([[[0.5]]])

    def gradient(at):
        residual = at[0] * at[1] - 1
        return [residual * at[1], residual * at[0]]

    update_rule("layers_in_turn").step([first, second], gradient, 0.1, [])
    later = 0.5 - 0.1 * (0.4 * 0.5 - 1) * 0.4
    assert second[0, 0, 0] == pytest.approx(later)
    assert first[0, 0, 0] == pytest.approx(0.4 - 0.1 * (0.4 * later - 1) * later)


def test_clipping_takes_all_layers_of_a_run_together():
    parameters = [np.array([[3.0], [0.3]]), np.array([[4.0], [0.4]])]
    update_rule("clipped", threshold=1.0).step(
        parameters, lambda at: [a.copy() for a in at], 1.0, []
    )
    assert_allclose(parameters[0].ravel(), [3 - 0.6, 0])
    assert_allclose(parameters[1].ravel(), [4 - 0.8, 0])


def test_unknown_names_and_options_are_sentences():
    with pytest.raises(StagewiseError, match="no rule 'sgdx'; there are adam"):
        update_rule("sgdx")
    with pytest.raises(StagewiseError, match="no option 'speed'; it has momentum"):
        update_rule("heavy_ball", speed=1.0)
