"""Second-order laws of mini-batches against products of random matrices and direct sums."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.theory.growth import HeavyBallGrowth
from stagewise.theory.lyapunov import lyapunov_exponents
from stagewise.theory.minibatch import (
    SaddleNoise,
    batch_exponents,
    batch_scatter,
    diffusion_peak,
    label_noise_exponent,
    mixing,
)

SIGMA = np.array([1.0, 0.7, 0.45, 0.3])
LAM = np.array([0.8, 1.1, 0.6, 0.9, 0.5, 0.4])


def sample(samples, noise, seed=0):
    """Inputs and outputs with exactly these moments and labels' noise uncorrelated with inputs."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((samples, 10))
    white = np.linalg.qr(white - white.mean(axis=0))[0] * np.sqrt(samples)
    inputs = white[:, :6] * np.sqrt(LAM)
    return inputs, inputs[:, :4] * (SIGMA / LAM[:4]) + noise * white[:, 6:]


def with_replacement(samples, batch_size, steps):
    return np.random.default_rng(1).integers(samples, size=(steps, batch_size))


def shuffled(samples, batch_size, steps):
    rng, batches = np.random.default_rng(1), samples // batch_size
    epochs = [rng.permutation(samples)[: batches * batch_size] for _ in range(steps // batches)]
    return np.concatenate(epochs).reshape(-1, batch_size)


def test_variances_are_those_of_the_samples():
    inputs, outputs = sample(50, 0.8)
    noise = SaddleNoise.of(inputs, outputs)
    moments = inputs.T @ outputs / 50
    matrix = np.block([[np.zeros((6, 6)), moments], [moments.T, np.zeros((4, 4))]])
    values, vectors = np.linalg.eigh(matrix)
    each = [
        np.block([[np.zeros((6, 6)), np.outer(x, y)], [np.outer(y, x), np.zeros((4, 4))]])
        for x, y in zip(inputs, outputs, strict=True)
    ]
    couplings = np.array([vectors.T @ matrix @ vectors for matrix in each])
    assert_allclose(noise.sigma, values[::-1], atol=1e-12)
    expected = couplings.var(axis=0)[::-1, ::-1]
    assert_allclose(noise.variances[:4, :4], expected[:4, :4], rtol=1e-9)
    assert_allclose(noise.variances[:4, 6:], expected[:4, 6:], atol=1e-12)
    assert_allclose(noise.variances[:4].sum(), expected[:4].sum(), rtol=1e-9)


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize(
    ("samples", "noise", "step", "batch"),
    [(600, 2.5, 0.1, 8), (48, 0.8, 0.1, 4), (600, 0.4, 0.1, 2)],
)
def test_the_second_order_meets_products_of_random_matrices(samples, noise, step, batch, replace):
    inputs, outputs = sample(samples, noise)
    draw = with_replacement if replace else shuffled
    numeric = lyapunov_exponents(inputs, outputs, step, draw(samples, batch, 200_000), 2, 1000)
    moments = SaddleNoise.of(inputs, outputs)
    law = batch_exponents(moments, step, batch, 2, replace=replace)
    plain = np.log1p(step * SIGMA[:2])
    sampling = step * np.sqrt(np.diag(moments.variances)[:2] / (batch * 200_000))
    # Neglected terms are smaller than those kept by a factor of kappa.
    allowed = mixing(moments, step, batch, 2) * np.abs(law - plain) + 3 * sampling
    assert (np.abs(numeric - law) <= allowed).all()
    assert (np.abs(numeric - plain) > 2 * np.abs(numeric - law)).all()


def test_levels_repel():
    inputs, outputs = sample(600, 2.5)
    numeric = lyapunov_exponents(inputs, outputs, 0.1, with_replacement(600, 8, 300_000), 2, 1000)
    moments = SaddleNoise.of(inputs, outputs)
    second = batch_exponents(moments, 0.1, 8, 2)[1]
    alone = batch_exponents(moments, 0.1, 8, 2, repulsion=False)[1]
    assert abs(numeric[1] - second) < abs(numeric[1] - alone) / 4


def test_a_batch_of_all_samples_is_gradient_descent():
    inputs, outputs = sample(48, 0.8)
    moments = SaddleNoise.of(inputs, outputs)
    law = batch_exponents(moments, 0.1, 48, 4, replace=False)
    assert_allclose(law, np.log1p(0.1 * SIGMA), rtol=1e-12)


@pytest.mark.parametrize("batch", [5, 12, 20, 40])
def test_without_replacement_any_two_draws_of_an_epoch_repel_each_other_alike(batch):
    noise, step = SaddleNoise.of(*sample(60, 0.8)), 0.2
    batches = 60 // batch
    factors = 1 + step * noise.sigma
    ratio = factors / factors[0]
    # What leaves the first direction at one draw grows by this ratio until it comes back at another.
    pairs = [(one, other) for other in range(batches) for one in range(other)]
    back = sum(ratio ** (other - one - 1) for one, other in pairs) if pairs else 0 * ratio
    back = back / (batches * max(batches - 1, 1))
    weights = noise.variances[0] / factors[0] ** 2 * np.where(np.arange(len(ratio)) == 0, 0.5, back)
    strength = step**2 / batch * (60 - batch) / 59
    expected = np.log(factors[0]) - strength * weights.sum()
    assert_allclose(batch_exponents(noise, step, batch, 1, replace=False), expected, rtol=1e-12)


def test_reshuffling_is_later_than_drawing_with_replacement():
    moments = SaddleNoise.of(*sample(600, 0.4))
    drawn = batch_exponents(moments, 0.05, 1, 1)
    assert batch_exponents(moments, 0.05, 1, 1, replace=False) < drawn < np.log1p(0.05)


def test_momentum_against_products_of_companion_matrices():
    inputs, outputs = sample(600, 1.2)
    rng, rule, step, batch = np.random.default_rng(0), HeavyBallGrowth(0.8), 0.03, 4
    chains, steps = 400, 600
    now, before = (np.ones((chains, 10)) for _ in range(2))
    logs = np.zeros(chains)
    for iteration in range(steps):
        picked = rng.integers(600, size=(chains, batch))
        along_in = np.einsum("cbi,ci->cb", inputs[picked], now[:, :6])
        along_out = np.einsum("cbi,ci->cb", outputs[picked], now[:, 6:])
        push = np.hstack(
            [
                np.einsum("cb,cbi->ci", along_out, inputs[picked]),
                np.einsum("cb,cbi->ci", along_in, outputs[picked]),
            ]
        )
        now, before = now + 0.8 * (now - before) + step / batch * push, now
        size = np.linalg.norm(now, axis=1, keepdims=True)
        now, before = now / size, before / size
        if iteration >= 100:
            logs += np.log(size[:, 0])
    numeric = logs.mean() / (steps - 100)
    moments = SaddleNoise.of(inputs, outputs)
    law = batch_exponents(moments, step, batch, 1, rule=rule)[0]
    assert numeric == pytest.approx(law, rel=0.01)
    assert rule.growth(step, 1.0) > 1.02 * numeric


def test_scatter_of_the_first_passage_of_one_mode():
    rng, step, batch, noise = np.random.default_rng(0), 0.05, 2, 0.5
    inputs = rng.standard_normal((400, 1))
    inputs /= np.sqrt(np.mean(inputs**2))
    error = rng.standard_normal((400, 1))
    outputs = inputs + noise * (error - inputs * np.mean(inputs * error))
    product = (inputs * outputs)[:, 0]
    growth = np.log1p(step * product[rng.integers(400, size=(3000, 1500, batch))].mean(axis=2))
    climbed = np.cumsum(growth, axis=1)
    times = np.argmax(climbed >= 30, axis=1)
    moments = SaddleNoise.of(inputs, outputs)
    law = batch_scatter(moments, np.array([times.mean()]), step, batch)
    assert times.std() == pytest.approx(float(law[0]), rel=0.06)


def test_mixing_tells_a_small_noise_from_a_large_one():
    small = mixing(SaddleNoise.of(*sample(600, 0.4)), 0.05, 4, 3)
    large = mixing(SaddleNoise.of(*sample(600, 2.5)), 0.3, 1, 3)
    assert (small < 0.1).all()
    assert (large > 2).all()


@pytest.mark.parametrize(("dim_in", "dim_out"), [(8, 8), (16, 16), (30, 10)])
def test_label_noise_alone_leaves_the_saddle(dim_in, dim_out):
    rng, steps, rate = np.random.default_rng(2), 400_000, 0.05
    inputs = rng.standard_normal((steps, dim_in))
    outputs = rng.standard_normal((steps, dim_out))
    batches = np.arange(steps)[:, None]
    numeric = lyapunov_exponents(inputs, outputs, rate, batches, 1, 2000)[0]
    assert numeric == pytest.approx(label_noise_exponent(rate, 1.0, 1, dim_in, dim_out), rel=0.08)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_diffusion_peaks_at_a_share_that_depth_decides(depth):
    assert diffusion_peak(depth, 0.0) == pytest.approx((2 * depth - 2) / (3 * depth - 2), abs=1e-4)


def test_with_label_noise_diffusion_is_largest_at_the_end():
    limit = 5 * np.sqrt(5) - 11
    assert diffusion_peak(2, limit - 1e-4) == pytest.approx((np.sqrt(5) - 1) / 2, abs=1e-3)
    assert diffusion_peak(2, limit + 1e-4) == 1


def test_at_a_later_saddle_learned_directions_come_first_and_do_not_grow():
    inputs, outputs = sample(200, 0.4)
    learned = np.zeros((6, 4))
    learned[0, 0] = SIGMA[0] / LAM[0]
    noise = SaddleNoise.of(inputs, outputs, learned, 1)
    assert_allclose(noise.sigma[:4], [0, *SIGMA[1:]], atol=1e-12)
    residuals = outputs - inputs @ learned
    own = (inputs[:, 0] * residuals[:, 0]).var()
    pair = (0.5 * (inputs[:, 0] * residuals[:, 1] + inputs[:, 1] * residuals[:, 0])).var()
    assert_allclose(noise.variances[0, :2], [own, pair], rtol=1e-9)
