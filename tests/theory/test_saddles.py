"""Closed forms of saddles and minima against dense Hessians of differences."""

from functools import reduce

import numpy as np
import pytest

from stagewise.analysis import extreme_curvatures
from stagewise.analysis.stages import prominent_peaks
from stagewise.theory import (
    completion_curvature,
    largest_curvature,
    largest_stable_step,
    plateau_loss,
    saddle_curvature,
    separating_scale,
)

SIGMA = np.array([4.0, 2.0])


def spectrum(layers):
    """Eigenvalues of the Hessian of ½‖W_1⋯W_L − diag(SIGMA)‖² by differences."""
    flat, step = np.concatenate([each.ravel() for each in layers]), 1e-4

    def loss(vector):
        parts = np.split(vector, len(layers))
        product = reduce(np.matmul, [part.reshape(2, 2) for part in parts])
        return 0.5 * np.sum((product - np.diag(SIGMA)) ** 2)

    eye = step * np.eye(len(flat))
    hessian = [
        [
            (loss(flat + a + b) - loss(flat + a - b) - loss(flat - a + b) + loss(flat - a - b))
            / (4 * step**2)
            for a in eye
        ]
        for b in eye
    ]
    return np.linalg.eigvalsh(np.array(hessian))


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_curvature_at_the_balanced_start(depth):
    scale = 1e-3
    values = spectrum([scale ** (1 / depth) * np.eye(2)] * depth)
    assert float(saddle_curvature(4.0, scale, depth)) == pytest.approx(values[0], rel=0.02)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_curvature_at_the_balanced_solution_and_the_stable_step(depth):
    values = spectrum([np.diag(SIGMA ** (1 / depth))] * depth)
    assert float(largest_curvature(4.0, depth)) == pytest.approx(values[-1], rel=1e-4)
    assert float(largest_stable_step(4.0, depth)) == pytest.approx(2 / values[-1], rel=1e-4)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_the_curvature_of_completion_is_that_of_the_hessian_at_the_balanced_factors(depth, seed):
    random = np.random.default_rng(seed)
    left, right = (np.linalg.qr(random.standard_normal((n, 2)))[0].T for n in (7, 5))
    observed = (random.uniform(size=(7, 5)) < 0.6).astype(float)
    root = SIGMA ** (1 / depth)
    inner = [np.diag(root)] * (depth - 2)
    layers = [left.T * root, *inner, root[:, None] * right]
    target = (left.T * SIGMA) @ right
    _, largest = extreme_curvatures(layers, target, observed)
    assert completion_curvature(target, observed, depth) == pytest.approx(largest, rel=1e-5)
    assert largest < float(largest_curvature(SIGMA[0], depth))


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_curvature_of_a_complete_target_is_the_closed_form(depth):
    found = completion_curvature(np.diag(SIGMA), np.ones((2, 2)), depth)
    assert found == pytest.approx(float(largest_curvature(SIGMA[0], depth)))


def test_the_curvature_of_two_layers_does_not_depend_on_the_start():
    assert float(saddle_curvature(3.0, 1e-9, 2)) == pytest.approx(-3.0)
    assert float(saddle_curvature(3.0, 1e-9, 3)) > -0.01


def test_the_loss_at_a_plateau_is_that_of_the_truncated_decomposition():
    target = np.random.default_rng(0).standard_normal((5, 4))
    left, sigma, right = np.linalg.svd(target, full_matrices=False)
    for rank in range(5):
        truncated = (left[:, :rank] * sigma[:rank]) @ right[:rank]
        expected = 0.5 * np.sum((truncated - target) ** 2)
        assert plateau_loss(sigma, rank) == pytest.approx(expected, abs=1e-12)


def gradients(amplitudes, sigma, depth, step, iterations):
    """Gradient norm of aligned modes along descent, every iteration."""
    found = []
    for _ in range(iterations):
        change = (sigma - amplitudes**depth) * amplitudes ** (depth - 1)
        found.append(np.sqrt(depth) * np.linalg.norm(change))
        amplitudes = amplitudes + step * change
    return np.array(found)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("ratio", [0.6, 0.85])
def test_two_peaks_of_the_gradient_part_at_the_separating_scale(depth, ratio):
    sigma = np.array([1 / ratio, 1.0])
    separating, counted = separating_scale(ratio, depth), {}
    for times in (0.3, 3.0):
        # At two layers the scale is exponential in what matters, its logarithm.
        scale = separating ** (1 + 0.08 * np.sign(1 - times)) if depth == 2 else times * separating
        start = np.full(2, scale ** (1 / depth))
        wait = -np.log(scale) / 2 if depth == 2 else start[0] ** (2 - depth) / (depth - 2)
        levels = np.log(gradients(start, sigma, depth, 0.02, int(75 * (wait + 4))))
        counted[times] = len(prominent_peaks(levels, np.log(1.5)))
    assert counted == {0.3: 2, 3.0: 1}
