"""Rows of the table `training`: each kind of section on a small grid, against what must hold."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.config.training import BatchSetting, MiniBatches
from stagewise.data.samples import load_samples
from stagewise.dynamics.optimisers.heavy_ball import HeavyBall
from stagewise.dynamics.training import train
from stagewise.pipeline.training import networks
from stagewise.pipeline.training.mini_batches import prescribed_sample
from stagewise.pipeline.training.table import training_experiment, training_rows
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.store.training_schema import TRAINING, training_table

RULES = {
    "kind": "update_rules",
    "sigma": [0.8, 0.5],
    "lam": [0.5, 1.0],
    "width": 3,
    "delta": [4.0, 8.0],
    "replicates": 2,
    "rules": [
        {"optimizer": "gradient_descent", "step_size": 0.3},
        {"optimizer": {"kind": "stale_gradient", "delay": 2}, "step_size": 0.2},
        {"optimizer": "adam", "step_size": 0.02},
    ],
}
BATCHES = {
    "kind": "mini_batches",
    "sigma": [1.0, 0.5],
    "lam": [0.8, 1.1, 0.6],
    "dim_out": 2,
    "width": 3,
    "delta": [4.0, 8.0],
    "replicates": 3,
    "settings": [
        {"samples": 40, "noise": 0.5, "step_size": 0.2, "batch_size": 4, "modes": 2},
        {
            "samples": 40,
            "noise": 0.5,
            "step_size": 0.2,
            "batch_size": 4,
            "depth": 3,
            "delta": [3.0],
        },
    ],
}
REAL = {"kind": "real_samples", "samples": [{"name": "wine", "modes": 2}], "replicates": 2}
NETWORKS = {
    "kind": "networks",
    "samples": "wine",
    "modes": 2,
    "activations": ["tanh"],
    "losses": ["squared", "cross_entropy"],
    "delta": [2.0],
    "step_size": 0.02,
    "width": 5,
    "replicates": 2,
}


def test_networks_measured_at_few_records_learn_when_all_records_say(monkeypatch):
    experiment = training_experiment(NETWORKS | {"samples": "digits", "step_size": 0.005})
    few = training_rows("few", experiment)
    monkeypatch.setattr(networks, "_STRIDE", 1)
    assert training_rows("few", experiment) == few


@pytest.mark.parametrize("section", [RULES, BATCHES, REAL, NETWORKS], ids=lambda each: each["kind"])
def test_rows_fit_the_schema_are_deterministic_and_learned_in_order(section):
    experiment = training_experiment(section)
    table = training_table(training_rows("name", experiment))
    assert table.schema == TRAINING
    assert table.equals(training_table(training_rows("name", experiment)))
    frame = table.to_pandas()
    keys = ["setting", "rule", "momentum", "loss", "batch_size", "replacement", "delta", "seed"]
    for _, run in frame.groupby(keys, observed=True):
        assert (np.diff(run.sort_values("mode")["learning_iteration"].dropna()) >= 0).all()
    assert frame["learning_iteration"].notna().mean() > 0.9


def test_other_names_draw_other_starts():
    experiment = training_experiment(RULES)
    first, second = (
        training_table(training_rows(name, experiment)).column("learning_iteration").to_numpy()
        for name in ("one", "two")
    )
    assert (first != second).any()


def test_a_sample_has_the_moments_prescribed():
    experiment = MiniBatches.model_validate(BATCHES)
    setting = BatchSetting(samples=40, noise=0.5, step_size=0.1, batch_size=1)
    inputs, outputs = prescribed_sample(experiment, setting, "name")
    expected = np.zeros((3, 2))
    expected[:2] = np.diag([1.0, 0.5])
    assert_allclose(inputs.T @ inputs / 40, np.diag(BATCHES["lam"]), atol=1e-12)
    assert_allclose(inputs.T @ outputs / 40, expected, atol=1e-12)
    residual = outputs - inputs @ (expected / np.array(BATCHES["lam"])[:, None])
    assert_allclose(residual.T @ residual / 40, 0.25 * np.eye(2), atol=1e-12)


def test_learning_times_are_those_of_the_engine_that_every_other_study_uses():
    section = RULES | {"rules": RULES["rules"][:1]}
    frame = training_table(training_rows("name", training_experiment(section))).to_pandas()
    problem = Problem(np.diag([0.5, 1.0]), np.diag([0.8, 0.5]))
    found = frame[(frame["delta"] == 8.0) & (frame["seed"] == 1)]["learning_iteration"].to_numpy()
    draw = generator("weights", "name", 1)
    weights = [
        np.exp(-8) / np.sqrt(shape[0]) * draw.standard_normal(shape) for shape in ((2, 3), (3, 2))
    ]
    run = train(problem, weights, 0.3, np.arange(200), refine=False)
    halves = run.response_values >= [0.4, 0.25]
    after = halves.argmax(axis=0)
    assert (found <= after).all()
    assert (found > after - 1.5).all()


def test_networks_have_learned_a_mode_at_half_of_its_share_of_the_centred_response():
    inputs, outputs = load_samples("wine")
    samples = len(inputs)
    section = NETWORKS | {"losses": ["squared"], "batch_size": samples, "replicates": 1}
    frame = training_table(training_rows("name", training_experiment(section))).to_pandas()
    centred = inputs - inputs.mean(axis=0)
    targets = np.linalg.svd(centred.T @ outputs / samples, compute_uv=False)[:2]
    draw = generator("weights", "name", 0)
    first, second = (
        np.exp(-2) / np.sqrt(shape[0]) * draw.standard_normal(shape)
        for shape in ((inputs.shape[1], 5), (5, outputs.shape[1]))
    )
    parameters = [first, second, np.zeros(5), np.zeros(outputs.shape[1])]
    velocities, shares = [0.0] * 4, []
    for _ in range(int(frame["learning_iteration"].max()) + 2):
        first, second, inner, outer = parameters
        hidden = np.tanh(inputs @ first + inner)
        said = hidden @ second + outer
        shares.append(np.linalg.svd(centred.T @ said / samples, compute_uv=False)[:2] / targets)
        error = (said - outputs) / samples
        back = error @ second.T * (1 - hidden**2)
        slopes = [inputs.T @ back, hidden.T @ error, back.sum(axis=0), error.sum(axis=0)]
        velocities = [
            frame["momentum"].iloc[0] * velocity - 0.02 / targets[0] * slope
            for velocity, slope in zip(velocities, slopes, strict=True)
        ]
        parameters = [each + step for each, step in zip(parameters, velocities, strict=True)]
    after = (np.array(shares) >= 0.5).argmax(axis=0)
    found = frame.sort_values("mode")["learning_iteration"]
    assert_allclose(found, after - 0.5, atol=0.5, rtol=2e-3)


def test_batches_are_those_that_a_plain_loop_draws():
    experiment = MiniBatches.model_validate(BATCHES)
    setting, seed = experiment.settings[0], 1
    frame = training_table(training_rows("name", experiment)).to_pandas()
    own = frame[(frame["setting"] == 0) & (frame["delta"] == 4.0) & (frame["seed"] == seed)]
    found = own[own["replacement"]].sort_values("mode")["learning_iteration"]
    inputs, outputs = prescribed_sample(experiment, setting, "name")
    draw = generator("weights", "name", 2)
    first, second = (
        np.exp(-4) / np.sqrt(3) * draw.standard_normal(shape) for shape in ((3, 3), (3, 2))
    )
    drawn = generator("batches", "name", 40, 0.5, 0.2, 4, 2, 4.0, True, seed)
    shares = []
    for batch in drawn.integers(40, size=(int(found.max()) + 20, 4)):
        response = np.array(BATCHES["lam"])[:, None] * first @ second
        shares.append(np.linalg.svd(response, compute_uv=False) / BATCHES["sigma"])
        error = (outputs[batch] - inputs[batch] @ first @ second) / 4
        change = inputs[batch].T @ error @ second.T, first.T @ inputs[batch].T @ error
        first, second = first + 0.2 * change[0], second + 0.2 * change[1]
    after = (np.array(shares) >= 0.5).argmax(axis=0)
    assert_allclose(found, after - 0.5, atol=1, rtol=0.015)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_real_samples_in_full_batches_are_learned_as_their_moments_are(momentum):
    section = REAL | {"delta": 4.0, "width": 4, "batch_size": 89}
    frame = training_table(training_rows("name", training_experiment(section))).to_pandas()
    own = frame[(frame["batch_size"] == 0) & (frame["momentum"] == momentum) & (frame["seed"] == 1)]
    inputs, outputs = (each - each.mean(axis=0) for each in load_samples("wine"))
    problem = Problem(inputs.T @ inputs / len(inputs), inputs.T @ outputs / len(inputs))
    draw = generator("weights", "name", "wine", 1)
    weights = [
        np.exp(-4) / np.sqrt(shape[0]) * draw.standard_normal(shape)
        for shape in ((inputs.shape[1], 4), (4, outputs.shape[1]))
    ]
    rule = HeavyBall(momentum=momentum)
    records = np.arange(int(own["learning_iteration"].max()) + 2)
    run = train(problem, weights, own["step_size"].iloc[0], records, optimizer=rule)
    found = own.sort_values("mode")["learning_iteration"]
    assert_allclose(found, run.learning_iteration[:2], atol=0.5, rtol=2e-3)


def test_an_unknown_rule_is_refused_with_the_names_that_exist():
    section = RULES | {"rules": [{"optimizer": "signsgd", "step_size": 0.1}]}
    with pytest.raises(ValueError, match=r"'signsgd' found using 'kind'.*'adam', 'clipped'"):
        training_experiment(section)
