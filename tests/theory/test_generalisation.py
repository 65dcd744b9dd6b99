"""The theory of Lampinen and Ganguli against matrices drawn at random, and against descent."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.synthetic import random_orthogonal
from stagewise.dynamics import train
from stagewise.dynamics.first_weights import initial_weights
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.optimisers.layers_in_turn import LayersInTurn
from stagewise.problems.problem import HeldOut, Problem
from stagewise.theory import growth as growths
from stagewise.theory.generalisation import (
    asymptotic_teacher,
    finite_teacher,
    growth,
    learned_strengths,
    marchenko_pastur,
)


def noisy(strengths, dim_in, dim_out, seed=0):
    random = np.random.default_rng(seed)
    rank = len(strengths)
    left = random_orthogonal(dim_in, random)[:, :rank]
    right = random_orthogonal(dim_out, random)[:, :rank]
    teacher = (left * strengths) @ right.T
    return teacher, teacher + random.standard_normal((dim_in, dim_out)) / np.sqrt(dim_in)


@pytest.mark.parametrize("aspect", [0.1, 0.5, 0.9])
def test_the_law_of_pure_noise_has_the_moments_of_a_large_matrix(aspect):
    values, weights = marchenko_pastur(aspect)
    noise = np.random.default_rng(1).standard_normal((1500, int(1500 * aspect))) / np.sqrt(1500)
    drawn = np.sqrt(np.linalg.eigvalsh(noise.T @ noise))
    assert_allclose(weights.sum(), 1, rtol=1e-12)
    for power in (1, 2, 4):
        assert_allclose(values**power @ weights, np.mean(drawn**power), rtol=0.01)
    assert drawn.max() == pytest.approx(values.max(), rel=0.02)


@pytest.mark.parametrize("strength", [1.2, 2.0, 6.0])
def test_spiked_values_and_overlaps_are_those_of_a_large_matrix(strength):
    strengths = np.array([2 * strength, strength])
    theory = asymptotic_teacher(strengths, 1000, 500)
    drawn = finite_teacher(*noisy(strengths, 1000, 500))
    assert_allclose(theory.values[:2], drawn.values[:2], rtol=0.02)
    assert_allclose(theory.gains[:2], drawn.gains[:2], rtol=0.03)


def test_a_mode_without_strength_drowns_as_a_weak_one_does():
    none, weak = (asymptotic_teacher(np.array([4.0, each]), 100, 50) for each in (0.0, 0.1))
    np.testing.assert_array_equal(none.values, weak.values)
    assert none.gains[1] == weak.gains[1] == 0


def test_a_teacher_below_the_edge_drowns():
    theory = asymptotic_teacher(np.array([0.84]), 100, 50)
    assert theory.gains[0] == 0
    assert theory.values[0] == 1 + np.sqrt(0.5)


@pytest.mark.parametrize(
    ("optimizer", "rule", "tolerance"),
    [
        (GradientDescent(), None, 0.03),
        (GradientDescent(), growths.DescentGrowth(), 0.004),
        (LayersInTurn(), None, 0.004),
        (LayersInTurn(), growths.LayersInTurnGrowth(), 0.004),
    ],
)
def test_aligned_training_with_a_small_step_has_the_errors_of_the_finite_theory(
    optimizer, rule, tolerance
):
    teacher, targets = noisy(np.array([4.0, 2.0]), 30, 15)
    held_out = HeldOut(np.eye(30) / 30, teacher / 30, float(np.sum(teacher**2) / 30))
    problem = Problem(np.eye(30) / 30, targets / 30, held_out=held_out)
    delta, step = 6.0, 0.15
    weights = initial_weights(problem, "aligned", 2, 15, delta, np.random.default_rng(2))
    records = np.array([0, 200, 600, 1500, 3000, 6000])
    weights = [layer[None] for layer in weights]
    run = train([problem], weights, np.array([step]), records, modes=1, optimizer=optimizer)
    expected = finite_teacher(teacher, targets)
    grown = growth(expected.values, step / 30, records.astype(float), rule)
    strengths = learned_strengths(expected.values, np.exp(-2 * delta), grown)
    test, trained = expected.errors(strengths)
    assert_allclose(run.test_error[0], test, atol=tolerance)
    assert_allclose(run.loss[0] / run.loss[0, 0], trained, atol=tolerance)


def test_errors_start_at_one_and_training_error_ends_at_zero():
    theory = asymptotic_teacher(np.array([6.0, 4.0, 2.0]), 100, 50)
    times = np.array([0.0, 1e9])
    test, train = theory.errors(
        learned_strengths(theory.values, 1e-8, growth(theory.values, 1e-3, times))
    )
    assert_allclose([test[0], train[0]], 1, atol=1e-6)
    assert_allclose(train[1], 0, atol=1e-12)
    assert test[1] > 0.1
