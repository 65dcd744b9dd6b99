"""Rows of the table `training`: each kind of section on a small grid, against what must hold."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.config.training import BatchSetting, MiniBatches
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


def test_an_unknown_rule_is_refused_with_the_names_that_exist():
    section = RULES | {"rules": [{"optimizer": "signsgd", "step_size": 0.1}]}
    with pytest.raises(ValueError, match=r"'signsgd' found using 'kind'.*'adam', 'clipped'"):
        training_experiment(section)
