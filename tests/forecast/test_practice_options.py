"""Forecasts under other update rules, losses and activations, against training."""

import json

import numpy as np
import pytest

from stagewise.data.samples import digits as digit_samples
from stagewise.dynamics.optimisers import RULES
from stagewise.forecast.check import horizon, train
from stagewise.forecast.intervals import law_spread
from stagewise.forecast.options import Request
from stagewise.forecast.recipe import OPTIMIZERS, Practice
from stagewise.forecast.settings import settle
from stagewise.problems.moments import Moments
from stagewise.theory.growth import GROWTH_RULES


@pytest.fixture(scope="module")
def digits():
    return Moments.of_block(*digit_samples()).problem(centred=True)


def test_the_optimizers_are_rules_with_a_growth_function():
    assert set(OPTIMIZERS) <= set(RULES) & set(GROWTH_RULES)
    for name in OPTIMIZERS:
        assert isinstance(Practice(name).law, GROWTH_RULES[name])
        assert Practice(name).steps(None).kind == name


@pytest.mark.parametrize(
    "practice",
    [
        Practice("heavy_ball"),
        Practice("nesterov", momentum=0.5),
        Practice("layers_in_turn"),
    ],
    ids=lambda each: each.optimizer,
)
def test_networks_learn_when_the_staged_forecast_says(digits, practice):
    course = settle(Request("digits", delta=12.0, method="staged", practice=practice), digits)
    measured = train(digits, course, horizon(digits, course, law_spread("staged", 12.0, 10, 9)), 4)
    ratio = np.log(measured.mean(axis=0) / np.array(course.iterations))
    assert np.sqrt(np.mean(ratio**2)) < 0.03


def stable(practice, step, curvature):
    """Whether a parabola of this curvature is descended with this step."""
    layers = [np.ones((1, 1, 1))]

    class Parabola:
        def directions(self, layers):
            return [-curvature * layers[0]]

    rule = practice.steps(None)
    memory = rule.start(layers)
    steps, taken = np.array([step]), np.zeros(1, dtype=np.int64)
    rule.advance(layers, memory, Parabola(), steps, taken, 4000)
    return abs(layers[0].item()) < 1


@pytest.mark.parametrize("name", ["gradient_descent", "heavy_ball", "nesterov"])
def test_the_room_of_a_rule_is_its_largest_stable_step(name):
    practice = Practice(name)
    limit = 2 * practice.room
    assert stable(practice, 0.99 * limit, 1.0)
    assert not stable(practice, 1.01 * limit, 1.0)


def test_the_command_says_what_it_forecast(command):
    code, printed, _ = command(
        "--data", "digits", "--optimizer", "heavy_ball", "--momentum", "0.8", "--json"
    )
    content = json.loads(printed)
    assert code == 0
    assert content["optimizer"] == "heavy_ball momentum=0.8"
    assert content["method"] == "staged"
    plain = json.loads(command("--data", "digits", "--json")[1])
    assert plain["optimizer"] == "gradient_descent"
    assert plain["method"] == "integrated"


def test_cross_entropy_is_slower_to_relax_and_says_where_it_ends(command):
    options = ("--data", "digits", "--method", "staged", "--delta", "8", "--step-size", "0.5")
    squared = json.loads(command(*options, "--json")[1])
    code, printed, _ = command(
        *options, "--loss", "cross_entropy", "--activation", "tanh", "--json"
    )
    content = json.loads(printed)
    assert code == 0
    for one, other in zip(content["stages"], squared["stages"], strict=True):
        assert one["iteration"] > other["iteration"]
    assert any("from the fourth on come early" in note for note in content["notes"])
    assert (
        "two layers (tanh, cross-entropy)"
        in command(*options, "--loss", "cross_entropy", "--activation", "tanh")[1]
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--momentum", "0.3"), "momentum is 0.3, but gradient_descent has none"),
        (("--optimizer", "nesterov", "--momentum", "1"), "momentum is 1; it must be from 0 to"),
        (("--optimizer", "heavy_ball", "--method", "integrated"), "Use --method staged"),
        (("--loss", "cross_entropy", "--uncentred"), "biases are taken to fit the means"),
        (("--batch-size", "0"), "batch-size is 0; it must be a whole number"),
        (("--weight-decay", "-1"), "weight-decay is -1; it must be a number, 0 or more"),
        (("--weight-decay", "0.3"), "the network dies, and there is nothing to forecast"),
        (("--weight-decay", "0.1", "--stages", "7"), "stages is 7; it must be from 1 to 6"),
        (("--weight-decay", "0.01", "--method", "plain"), "knows neither weight decay nor"),
        (("--schedule", "cosine", "--method", "integrated"), "Use --method staged"),
        (("--schedule-length", "40"), "but the schedule is constant"),
        (("--schedule", "cosine", "--schedule-length", "0"), "schedule-length is 0"),
        (("--optimizer", "layers_in_turn", "--batch-size", "8"), "there is no law of mini-batches"),
        (("--batch-size", "32", "--step-size", "40"), "would itself diverge"),
        (("--optimizer", "heavy_ball", "--check", "--delta", "60"), "works up to 40"),
        (("--optimizer", "heavy_ball", "--step-size", "50"), "would itself diverge"),
    ],
)
def test_what_has_no_forecast_is_refused_in_a_sentence(command, options, sentence):
    code, printed, said = command("--data", "digits", *options)
    assert code == 2
    assert printed == ""
    assert sentence in said


def test_cross_entropy_is_for_classes(command, saved, frame):
    code, _, said = command(
        "--data",
        saved(frame.drop(columns="city")),
        "--targets",
        "price,volume",
        "--loss",
        "cross_entropy",
    )
    assert code == 2
    assert "loss is cross_entropy, but the outputs are not classes" in said
