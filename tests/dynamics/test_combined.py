"""Decay and schedules around other rules, against plain loops and the rules that have them built in."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.dynamics.combined import Combined
from stagewise.dynamics.optimisers import RULES
from stagewise.dynamics.optimisers.scheduled import Scheduled
from stagewise.dynamics.training import train
from stagewise.problems.problem import Problem

PROBLEM = Problem(np.diag([1.0, 0.6]), np.diag([0.8, 0.3]))
WEIGHTS = [np.array([[0.3, 0.1], [-0.2, 0.2]]), np.array([[0.1, 0.4], [0.3, -0.1]])]


def product(rule, steps=30):
    run = train(PROBLEM, WEIGHTS, 0.2, [0, steps], optimizer=rule, keep_products=True)
    return run.products[-1]


@pytest.mark.parametrize(
    ("combined", "built_in"),
    [
        ({"decay": 0.07}, ("l2_decay", {"decay": 0.07})),
        (
            {"schedule": Scheduled(schedule="levels", length=12)},
            ("scheduled", {"schedule": "levels", "length": 12}),
        ),
    ],
)
def test_around_gradient_descent_it_is_the_rule_that_is_built_in(combined, built_in):
    base = RULES["gradient_descent"].model_validate({})
    expected = RULES[built_in[0]].model_validate(built_in[1])
    assert_allclose(product(Combined(rule=base, **combined)), product(expected), rtol=1e-12)


def test_nesterov_with_decay_and_a_schedule_is_a_plain_loop():
    schedule = Scheduled(schedule="cosine", length=20)
    base = RULES["nesterov"].model_validate({"momentum": 0.8})
    found = product(Combined(rule=base, decay=0.05, schedule=schedule))
    first, second = (each.copy() for each in WEIGHTS)
    moved = [np.zeros((2, 2)), np.zeros((2, 2))]
    for taken in range(30):
        step = 0.2 * (0.1 + 0.9 * (1 + np.cos(np.pi * min(taken / 20, 1))) / 2)
        one, two = first + 0.8 * moved[0], second + 0.8 * moved[1]
        residual = PROBLEM.sigma_xy - PROBLEM.sigma_x @ one @ two
        moved[0] = 0.8 * moved[0] + step * (residual @ two.T - 0.05 * one)
        moved[1] = 0.8 * moved[1] + step * (one.T @ residual - 0.05 * two)
        first, second = first + moved[0], second + moved[1]
    assert_allclose(found, first @ second, rtol=1e-10)


def test_biases_are_not_decayed():
    class Flat:
        def directions(self, layers):
            return [np.zeros_like(each) for each in layers]

    rule = Combined(rule=RULES["gradient_descent"].model_validate({}), decay=0.5, weights=2)
    layers = [np.ones((1, 1, 1)) for _ in range(4)]
    rule.advance(layers, [], Flat(), np.ones(1), np.zeros(1, dtype=np.int64), 1)
    assert [float(each.item()) for each in layers] == [0.5, 0.5, 1.0, 1.0]
