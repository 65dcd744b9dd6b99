"""Update rules against plain loops over scalars and matrices, and what every rule must keep to."""

import ast
import os
import re
import shutil
import subprocess
import sys
from functools import reduce
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pydantic import ValidationError

from stagewise.config.models import Experiment
from stagewise.config.sentences import parse_config
from stagewise.dynamics import train
from stagewise.dynamics.optimisers import RULES
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.optimisers.heavy_ball import HeavyBall
from stagewise.dynamics.optimisers.nesterov import Nesterov
from stagewise.dynamics.optimisers.rmsprop import RMSProp
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
SIZES = {1: [4, 5], 2: [4, 3, 5], 3: [4, 3, 2, 5]}
SIX = {
    "datasets": ["any"],
    "delta": [2.0],
    "step_size": [0.1],
}


BOUNDS = {
    "momentum": ([0, 0.99], [-0.1, 1]),
    "second": ([0, 0.9999], [-0.1, 1]),
    "decay": ([0, 0.5], [-0.1]),
    "offset": ([1e-12, 2], [0, -1]),
    "threshold": ([1e-3, 50], [0, -1]),
    "delay": ([1, 100], [0, 101]),
    "length": ([1, 10_000], [0]),
}
"""Values of each setting that a rule takes, and that it refuses."""


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_settings_are_taken_within_their_bounds_alone(rule):
    assert rule.model_validate(rule().model_dump()) == rule()
    for name in set(rule.model_fields) - {"kind", "shared", "schedule"}:
        for value in BOUNDS[name][0]:
            assert getattr(rule(**{name: value}), name) == value
        for value in BOUNDS[name][1]:
            with pytest.raises(ValidationError):
                rule(**{name: value})
    if rule is RMSProp:  # its decay is the weight of the past, not a penalty
        with pytest.raises(ValidationError):
            rule(decay=1)


def start(depth, runs=3):
    random = np.random.default_rng(depth)
    inputs = random.standard_normal((30, 4))
    problem = Problem(inputs.T @ inputs / 30, 0.5 * random.standard_normal((4, 5)))
    weights = [
        0.4 * random.standard_normal((runs, rows, columns))
        for rows, columns in pairwise(SIZES[depth])
    ]
    return problem, weights


def slopes(problem, layers):
    """Minus the gradient of every layer, each product written out."""
    residual = problem.sigma_xy - problem.sigma_x @ reduce(np.matmul, layers)
    found = []
    for place in range(len(layers)):
        before = reduce(np.matmul, layers[:place], np.eye(4))
        after = reduce(np.matmul, layers[place + 1 :], np.eye(layers[place].shape[1]))
        found.append(before.T @ residual @ after.T)
    return found


def descent(layers, before, problem, memory):
    return [
        layer + 0.02 * each for layer, each in zip(layers, slopes(problem, layers), strict=True)
    ]


def heavy_ball(layers, before, problem, memory):
    return [
        layer + 0.02 * each + 0.8 * (layer - old)
        for layer, each, old in zip(layers, slopes(problem, layers), before, strict=True)
    ]


def nesterov(layers, before, problem, memory):
    ahead = [layer + 0.8 * (layer - old) for layer, old in zip(layers, before, strict=True)]
    return [each + 0.02 * slope for each, slope in zip(ahead, slopes(problem, ahead), strict=True)]


def rmsprop(layers, before, problem, memory):
    moved = []
    for place, (layer, slope) in enumerate(zip(layers, slopes(problem, layers), strict=True)):
        memory[place] = 0.8 * memory.get(place, 0) + 0.2 * slope**2
        moved.append(layer + 0.02 * slope / (np.sqrt(memory[place]) + 1e-3))
    return moved


LOOPS = [
    (GradientDescent(), descent),
    (HeavyBall(momentum=0.8), heavy_ball),
    (Nesterov(momentum=0.8), nesterov),
    (RMSProp(decay=0.8, offset=1e-3), rmsprop),
]


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize(("rule", "update"), LOOPS, ids=lambda each: getattr(each, "kind", ""))
def test_a_rule_is_its_definition_in_the_problems_own_coordinates(depth, rule, update):
    problem, weights = start(depth, runs=1)
    found = train(
        problem, weights, 0.02, [0, 1, 2, 30], optimizer=rule, keep_products=True, refine=False
    )
    layers = [layer[0] for layer in weights]
    before, memory = layers, {}
    for _ in range(30):
        layers, before = update(layers, before, problem, memory), layers
    assert_allclose(found.products[0, -1], reduce(np.matmul, layers), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("x", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("beta", [0.3, 0.9])
@pytest.mark.parametrize(
    ("rule", "polynomial"),
    [
        (HeavyBall, lambda beta, x: [1, -(1 + beta + x), beta]),
        (Nesterov, lambda beta, x: [1, -(1 + beta) * (1 + x), beta * (1 + x)]),
    ],
)
def test_small_weights_follow_the_scalar_recursion(rule, polynomial, beta, x):
    tiny = 1e-60
    problem = Problem(np.eye(1), np.array([[2.0]]))
    weights = [np.full((1, 1, 1), tiny)] * 2
    records = np.arange(200)
    found = train(
        problem, weights, x / 2, records, optimizer=rule(momentum=beta), keep_weights=True
    )
    _, minus_sum, product = polynomial(beta, x)
    expected = [tiny, tiny * (1 + x)]
    for _ in records[2:]:
        expected.append(-minus_sum * expected[-1] - product * expected[-2])
    assert max(expected) < 1e-2 or x == 0.5
    kept = np.array(expected) < 1e-20
    assert_allclose(found.weights[0][0, :, 0, 0][kept], np.array(expected)[kept], rtol=1e-10)
    root = np.roots(polynomial(beta, x)).max()
    late = np.flatnonzero(kept)[-1]
    if late > 100:
        assert expected[late] / expected[late - 1] == pytest.approx(root, rel=1e-6)


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("depth", [1, 3])
def test_bits_of_a_run_depend_neither_on_its_batch_nor_on_the_records(kind, depth):
    problem, weights = start(depth)
    together, apart = (
        train(
            problem,
            layers,
            0.01,
            records,
            optimizer=RULES[kind](),
            keep_products=True,
            refine=False,
        )
        for layers, records in (
            (weights, [0, 30]),
            ([layer[1:2] for layer in weights], [0, 7, 8, 30]),
        )
    )
    assert (together.products[1, -1] == apart.products[0, -1]).all()


@pytest.mark.parametrize("kind", sorted(set(RULES) - {"gradient_descent"}))
def test_hidden_rotations_are_for_gradient_descent(kind):
    problem, weights = start(2)
    with pytest.raises(
        StagewiseError,
        match=f"rotate is for two layers under gradient descent; these are 2 under {kind}",
    ):
        train(problem, weights, 0.01, [0, 1], optimizer=RULES[kind](), rotate=True)


def test_labels_tell_rules_of_one_kind_apart():
    assert RMSProp().label == "rmsprop"
    assert RMSProp(shared=True, decay=0.9).label == "rmsprop_shared decay=0.9"
    assert HeavyBall(momentum=0.5).label == "heavy_ball momentum=0.5"


def rules_of(optimizer):
    return Experiment.model_validate(SIX | {"optimizer": optimizer}).optimizer


def test_the_configuration_names_rules_alone_or_with_settings():
    ball = HeavyBall(momentum=0.5)
    assert rules_of("nesterov") == [Nesterov()]
    assert rules_of({"kind": "heavy_ball", "momentum": 0.5}) == [ball]
    assert rules_of(["rmsprop", {"kind": "heavy_ball", "momentum": 0.5}]) == [RMSProp(), ball]
    plain = Experiment.model_validate(SIX | {"optimizer": ["rmsprop"]}).model_dump()
    assert Experiment.model_validate(plain).optimizer == [RMSProp()]


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [
        ("momentum", "experiments.own.optimizer[0].kind is 'momentum'; it must be one of "),
        (
            [{"kind": "heavy_ball", "momentum": 1.5}],
            "optimizer[0].momentum is 1.5; it must be less",
        ),
        (
            [{"kind": "heavy_ball", "moment": 0.5}],
            "Did you mean momentum? Allowed here: kind, mome",
        ),
        (
            ["nesterov", {"kind": "nesterov"}],
            "nesterov is listed twice; list each update rule once",
        ),
        ([], "experiments.own.optimizer is []; it must have at least 1 item"),
    ],
)
def test_a_mistake_in_a_rule_is_a_sentence(optimizer, sentence):
    raw = {
        "datasets": {"any": {"kind": "digits"}},
        "assumption": ["any"],
        "figures": [],
        "experiments": {"own": SIX | {"optimizer": optimizer}},
    }
    with pytest.raises(StagewiseError) as error:
        parse_config(raw)
    assert sentence in str(error.value)


STUDY_OF_RULES = """
import sys
import pandas as pd
import yaml
from stagewise.pipeline.training.table import training_experiment, training_rows
from stagewise.store.training_schema import training_table
from stagewise.studies.optimisers import STUDY

section = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))["training"]["optimisers"]
(added,) = yaml.safe_load(sys.argv[2])
section |= {"rules": [section["rules"][0], added], "replicates": 2, "end_cases": 2}
section |= {"end_iterations": 100, "deep_decay": section["deep_decay"][:1]}
rows = training_table(training_rows("optimisers", training_experiment(section))).to_pandas()
rows = rows.astype({name: "str" for name in rows.select_dtypes("category")})
print(*sorted(rows[rows["dataset"] == "diagonal"]["rule"].unique()))
print(*(label.get_text() for label in STUDY.draw(rows).axes[2].get_yticklabels()))
print(STUDY.claims[0].measure(rows).value)
"""


@pytest.fixture(scope="module")
def one_module_more(tmp_path_factory):
    """A copy of the package with the documentation's rule, and how to run Python with it."""
    folder = tmp_path_factory.mktemp("added")
    text = (ROOT / "docs/add-an-update-rule.md").read_text(encoding="utf-8")
    module, use = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (line,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    shutil.copytree(ROOT / "src/stagewise", folder / "stagewise")
    (folder / "stagewise/dynamics/optimisers/sign_descent.py").write_text(module)

    def run(program, *arguments):
        return subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": str(folder)},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )

    return run, use, line


def test_a_rule_is_added_by_one_module(one_module_more):
    """Runs the example of the documentation on a copy of the package, with nothing else changed."""
    run, use, _ = one_module_more
    done = run(use)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["sign_descent", "ok"]


def test_the_study_of_update_rules_finds_the_added_rule_by_its_name(one_module_more):
    run, _, line = one_module_more
    done = run(STUDY_OF_RULES, ROOT / "config.yaml", line)
    assert done.returncode == 0, done.stderr
    rules, labels, measured = done.stdout.splitlines()
    assert rules == "gradient_descent sign_descent"
    assert labels == "descent sign_descent"
    assert abs(float(measured) - 1) < 0.01


def test_modules_of_the_package_import_what_they_use_from_its_home():
    """Digests cannot follow names that a package loads lazily."""
    for path in (ROOT / "src/stagewise").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "stagewise.dynamics":
                homes = ROOT / "src/stagewise/dynamics"
                for alias in node.names:
                    home = homes / alias.name
                    assert home.is_dir() or home.with_suffix(".py").is_file(), (path, alias.name)
