"""Forecasts of what practice does, against training as it says, on digits; tolerances in docs/practice.md."""

import numpy as np
import pytest

from stagewise.forecast.batches import SMALL_MIXING
from stagewise.forecast.check import horizon, train
from stagewise.forecast.command import answer
from stagewise.forecast.intervals import law_interval
from stagewise.forecast.options import Request
from stagewise.forecast.recipe import Practice
from stagewise.forecast.settings import run_spread, settle
from stagewise.forecast.sources import load


def forecast_and_training(practice, seeds, stages=8):
    """The command's own path: the settled forecast, and what was trained (seeds, stages)."""
    request = Request(
        "digits", delta=12.0, method="staged", stages=stages, check=True, practice=practice
    )
    source = load(request)
    problem = source.regression.problem
    followed = practice.problem(problem)
    course = settle(request, followed, 64, source.samples)
    spread = run_spread(followed, course)
    iterations = horizon(problem, course, spread)
    measured = train(problem, course, iterations, seeds, samples=source.samples)
    return course, spread, measured


def error(course, measured, stages):
    """Root mean square of ln(mean time/forecast), over how much a fallen step stretches errors."""
    schedule = course.practice.factors(course.schedule_length)
    stretch = np.array([schedule.stretch(each) for each in course.iterations])
    ratio = np.log(measured.mean(axis=0) / np.array(course.iterations)) / stretch
    return np.sqrt(np.mean(ratio[stages] ** 2))


@pytest.mark.parametrize(
    "practice",
    [
        Practice(weight_decay=0.04),
        Practice("nesterov", weight_decay=0.02),
        Practice(schedule="cosine"),
        Practice("heavy_ball", momentum=0.7, schedule="levels"),
        Practice(batch_size=32),
        Practice("nesterov", batch_size=64, weight_decay=0.02, schedule="cosine"),
    ],
    ids=lambda each: f"{each.label} {each.weight_decay} {each.schedule} {each.batch_size}",
)
def test_networks_learn_when_the_forecast_says(practice):
    course, _, measured = forecast_and_training(practice, 8)
    noise = course.noise
    weak = np.full(8, True) if noise is None else noise.mixing < SMALL_MIXING
    assert weak.sum() >= 5
    assert error(course, measured, weak) < 0.03


def test_every_row_of_momentum_on_mini_batches_is_within_three_per_cent_and_in_its_interval():
    course, spread, measured = forecast_and_training(Practice("heavy_ball", batch_size=32), 20)
    iterations = np.array(course.iterations)
    np.testing.assert_allclose(measured.mean(axis=0) / iterations, 1, atol=0.03)
    low, high = law_interval(iterations, spread)
    assert np.mean((low < measured) & (measured < high)) > 0.8


def test_the_scatter_of_seeds_is_that_of_starts_and_of_batches():
    """Without the error of the method, which is no scatter."""
    course, _, measured = forecast_and_training(Practice("heavy_ball", batch_size=8), 20, 4)
    plain, _, starts = forecast_and_training(Practice("heavy_ball"), 20, 4)
    assert plain.noise is None
    seen = np.log(measured).std(axis=0, ddof=1)
    law = np.hypot(np.log(starts).std(axis=0, ddof=1), course.noise.spread)
    assert 0.67 < np.exp(np.mean(np.log(seen / law))) < 1.5
    assert (seen > 1.5 * np.log(starts).std(axis=0, ddof=1)).sum() >= 3


@pytest.mark.parametrize(
    "practice",
    [Practice(activation="tanh"), Practice("heavy_ball", loss="cross_entropy", activation="tanh")],
    ids=lambda each: each.loss,
)
def test_nonlinear_networks_learn_three_stages_when_the_forecast_says(practice):
    course, _, measured = forecast_and_training(practice, 2, 3)
    np.testing.assert_allclose(measured.mean(axis=0) / np.array(course.iterations), 1, atol=0.08)


def test_everything_at_once_is_forecast_and_trained():
    practice = Practice(
        "nesterov",
        momentum=0.9,
        loss="cross_entropy",
        activation="tanh",
        batch_size=32,
        weight_decay=0.01,
        schedule="cosine",
    )
    request = Request("digits", delta=12.0, method="staged", check=True, seeds=2, practice=practice)
    report = answer(request)
    for each in report.stages[:2]:
        assert each.measured == pytest.approx(each.iteration, rel=0.08)
    assert report.schedule_length > max(each.iteration for each in report.stages)
    for part in (
        "cross-entropy",
        "half of σ − decay",
        "momentum remembers",
        "outside of the law: κ",
    ):
        assert any(part in note for note in report.notes)


def test_small_batches_that_the_law_does_not_bear_have_no_forecast():
    report = answer(
        Request(
            "digits",
            delta=12.0,
            method="staged",
            step_size=0.44,
            practice=Practice(batch_size=1),
        )
    )
    known = [each.iteration is not None for each in report.stages]
    assert known[0]
    assert not all(known)
    assert sorted(known, reverse=True) == known
    assert any("no forecast is given" in note for note in report.notes)
