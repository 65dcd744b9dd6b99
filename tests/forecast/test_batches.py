"""Mini-batches in forecasts, against formulae of their own."""

import numpy as np
import pytest

from stagewise.forecast.batches import batch_noise, batch_room
from stagewise.problems.problem import Problem
from stagewise.theory.growth import DESCENT, HeavyBallGrowth
from stagewise.theory.minibatch import SaddleNoise, batch_exponents, batch_scatter
from stagewise.theory.schedules import CONSTANT, Schedule


@pytest.fixture(scope="module")
def samples():
    """Inputs and outputs with σ = 1, ½ and white label noise."""
    draw = np.random.default_rng(4)
    white = np.linalg.qr(draw.standard_normal((600, 5)))[0] * np.sqrt(600)
    inputs = white[:, :3]
    outputs = 0.4 * white[:, 3:]
    outputs[:, 0] += inputs[:, 0]
    outputs[:, 1] += 0.5 * inputs[:, 1]
    return inputs, outputs


@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_the_room_of_batches_is_the_mean_square_stability_of_white_gaussian_inputs(batch_size):
    """E[(XᵀX/B)²] = 1 + (d + 1)/B there, which has to stay below 2/η."""
    inputs = np.random.default_rng(0).standard_normal((100_000, 6))
    assert batch_room(inputs, batch_size) == pytest.approx(1 / (1 + 7 / batch_size), rel=0.02)


@pytest.mark.parametrize("rule", [DESCENT, HeavyBallGrowth(0.6)], ids=["descent", "heavy ball"])
def test_the_first_stage_has_the_exponent_and_the_scatter_of_the_origin(samples, rule):
    times, step = np.array([100.0, 200.0]), 0.05
    noise = batch_noise(*samples, 4, step, times, rule, CONSTANT)
    origin = SaddleNoise.of(*samples)
    exponent = batch_exponents(origin, step, 4, 1, rule=rule)[0]
    assert noise.drift[0] == pytest.approx(rule.growth(step, origin.sigma[0]) / exponent)
    scatter = batch_scatter(origin, times[:1], step, 4, rule)[0]
    assert noise.spread[0] == pytest.approx(scatter / times[0])


def test_a_later_stage_scatters_by_the_noise_of_both_saddles(samples):
    """Random walks of the second amplitude, with each saddle's own samples."""
    inputs, outputs = samples
    times, step, size = np.array([60.0, 140.0]), 0.05, 2
    noise = batch_noise(inputs, outputs, size, step, times, DESCENT, CONSTANT)
    problem = Problem(inputs.T @ inputs / 600, inputs.T @ outputs / 600)
    learned = np.outer(problem.sigma_xy[:, 0], [1.0, 0.0])
    draw = np.random.default_rng(1)
    u, v = np.eye(3)[1], np.eye(2)[1]
    total = np.zeros(4000)
    for residual, spent in ((outputs, 60), (outputs - inputs @ learned, 80)):
        each = (inputs @ u) * (residual @ v)
        for _ in range(spent):
            batch = each[draw.integers(600, size=(4000, size))].mean(axis=1)
            total += np.log1p(step * batch)
    expected = total.std() / (np.log1p(step * 0.5) * 140)
    assert noise.spread[1] == pytest.approx(expected, rel=0.05)


def test_a_schedule_of_one_factor_is_that_step(samples):
    times = np.array([100.0, 200.0])
    half = Schedule(lambda elapsed: 0.5, 90.0)
    one = batch_noise(*samples, 4, 0.1, times, DESCENT, half)
    other = batch_noise(*samples, 4, 0.05, times, DESCENT, CONSTANT)
    np.testing.assert_allclose(one.drift, other.drift, rtol=1e-12)
    np.testing.assert_allclose(one.spread, other.spread, rtol=1e-12)


def test_noise_that_outweighs_every_mode_has_no_forecast(tmp_path, command):
    draw = np.random.default_rng(2)
    inputs = draw.standard_normal((400, 3))
    outputs = 0.3 * inputs + 3 * draw.standard_normal((400, 3))
    np.savez(tmp_path / "noisy.npz", X=inputs, y=outputs)
    code, printed, said = command(
        *("--data", tmp_path / "noisy.npz", "--batch-size", "1", "--step-size", "0.1")
    )
    assert (code, printed) == (2, "")
    assert "noise outweighs the first mode (κ = " in said


def test_ready_moments_have_no_noise_of_batches(tmp_path, command):
    np.savez(tmp_path / "m.npz", sigma_x=np.eye(2), sigma_xy=np.diag([1.0, 0.5]))
    for options, said in (
        (("--batch-size", "4"), "--batch-size needs samples, as the noise of batches"),
        (("--activation", "tanh", "--check"), "--check with another loss or activation trains on"),
    ):
        code, printed, error = command("--data", tmp_path / "m.npz", *options)
        assert (code, printed) == (2, "")
        assert said in error


def test_samples_of_a_table_are_those_of_its_moments(frame, saved):
    """Units, constant and dropped columns, classes: moments of the samples are the regression's."""
    from stagewise.forecast.options import Request
    from stagewise.forecast.recipe import Practice
    from stagewise.forecast.sources import load
    from stagewise.intake.columns import Columns

    path = saved(frame.assign(b=4.0))
    for columns in (
        Columns(targets=("price", "volume"), drop=("city",)),
        Columns(label="city", drop=("price",)),
    ):
        for standardise in (False, True):
            request = Request(
                str(path),
                columns,
                drop_constant=True,
                standardise=standardise,
                practice=Practice(batch_size=4),
            )
            source = load(request)
            inputs, outputs = source.samples
            problem = source.regression.problem
            np.testing.assert_allclose(inputs.T @ inputs / 90, problem.sigma_x, atol=1e-12)
            np.testing.assert_allclose(inputs.T @ outputs / 90, problem.sigma_xy, atol=1e-12)
