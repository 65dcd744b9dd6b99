"""Rates of rectified units and the linear problem of cross-entropy, against direct search."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.dynamics.on_data import Network
from stagewise.problems.problem import Problem
from stagewise.theory.activations import near_start, rectified_rate


def test_the_rate_is_the_best_of_a_fine_search():
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((200, 1)) + 0.3
    outputs = np.column_stack([inputs[:, 0] + 0.2 * rng.standard_normal(200), inputs[:, 0] ** 2])
    angles = np.linspace(0, 2 * np.pi, 20_000)
    value = np.maximum(inputs @ np.cos(angles)[None] + np.sin(angles), 0)
    rates = np.linalg.norm(value.T @ (outputs - outputs.mean(axis=0)) / 200, axis=1)
    assert rectified_rate(inputs, outputs) == pytest.approx(rates.max(), rel=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_no_unit_of_thousands_drawn_at_random_grows_faster(seed):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((200, 3)) * [1, 0.7, 0.5]
    left, right = np.maximum(-inputs[:, 0], 0), np.maximum(inputs[:, 2], 0)
    outputs = np.column_stack([2 * left + inputs[:, 1], right])
    units = rng.standard_normal((4, 4000))
    value = np.maximum((inputs + 1) @ units[:3] + units[3], 0) / np.linalg.norm(units, axis=0)
    rates = np.linalg.norm(value.T @ (outputs - outputs.mean(axis=0)) / 200, axis=1)
    assert rectified_rate(inputs + 1, outputs) >= rates.max()


def test_symmetric_inputs_and_an_odd_target_halve_the_rate():
    rng = np.random.default_rng(1)
    half = rng.standard_normal((3000, 3)) * [1, 0.5, 0.5]
    inputs = np.vstack([half, -half])
    outputs = inputs[:, :1]
    sigma = inputs[:, 0] @ outputs[:, 0] / 6000
    unit = np.maximum(inputs[:, 0], 0) @ outputs[:, 0] / 6000
    assert unit == pytest.approx(sigma / 2)
    assert rectified_rate(inputs, outputs) >= unit * (1 - 1e-9)


def test_near_the_start_cross_entropy_is_squared_loss_with_less_curvature():
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((60, 4))
    inputs -= inputs.mean(axis=0)
    outputs = np.eye(3)[np.arange(60) % 3]
    problem = Problem(inputs.T @ inputs / 60, inputs.T @ (outputs - 1 / 3) / 60)
    weight = 1e-5 * rng.standard_normal((1, 4, 3))
    weight -= weight.mean(axis=2, keepdims=True)
    gradient = Network("linear", "cross_entropy").gradients(
        inputs[None], outputs[None], [weight], []
    )
    linear = near_start(problem, "cross_entropy")
    assert_allclose(-gradient[0][0][0], linear.sigma_xy - linear.sigma_x @ weight[0], atol=1e-9)
