"""What is public: names, laziness, and one sentence per mistake."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import stagewise
from stagewise import StagewiseError, theory

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src/stagewise"


def test_every_public_name_is_there_and_its_version_is_the_projects():
    for name in stagewise.__all__:
        assert getattr(stagewise, name) is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert stagewise.__version__ == project["project"]["version"]
    with pytest.raises(AttributeError, match="no attribute 'gradient_decent'"):
        _ = stagewise.gradient_decent


@pytest.mark.parametrize("room", ["", "dynamics"])
def test_stubs_and_lazy_names_agree(room):
    stub = ast.parse((PACKAGE / room / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {
        alias.asname
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.module != "stagewise"
        for alias in node.names
    }
    module = stagewise.dynamics if room else stagewise
    assert imported == set(module.__all__) - {"__version__"}


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import stagewise, sys; print({'numpy', 'numba', 'pandas', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_from_a_problem_to_measured_and_predicted_learning_times():
    problem = stagewise.Problem(np.eye(2), np.diag([1.0, 0.5]))
    weights = [1e-12 * np.eye(2), 1e-12 * np.eye(2)]
    run = stagewise.gradient_descent(problem, weights, 0.1, range(0, 800, 5), refine=True)
    assert run.iterations.tolist() == list(range(0, 800, 5))
    found = stagewise.learning_times(run, problem)
    law = stagewise.learning_iteration(problem.modes.sigma, np.log(1e12), 0.1)
    assert_allclose(found.learning_iteration, law, rtol=0.02)
    assert_allclose(found.mode_learning_iteration, law, rtol=0.02)
    assert_allclose(run.singular_values[-1], [1.0, 0.5], rtol=1e-3)


@pytest.mark.parametrize("method", ["staged", "integrated"])
def test_the_forecast_has_one_name_in_theory_and_at_the_top(method):
    problem = stagewise.Problem(np.diag([1.0, 0.7]), np.diag([1.0, 0.5]))
    given = {"step_size": 0.1, "delta": 60.0, "width": 2, "method": method}
    first = stagewise.forecast(problem, **given)
    assert_allclose(first, stagewise.learning_iteration([1.0, 0.5], 60.0, 0.1), rtol=0.1)
    assert_allclose(theory.forecast(problem, **given), first)
    assert_allclose(stagewise.forecast(problem, **given), first)  # its module is imported by now


@pytest.mark.parametrize(
    ("sigma", "delta", "step_size", "sentence"),
    [
        (0.0, 4.0, 0.1, "sigma holds 0; it must be positive throughout"),
        ([1.0, -1.0], 4.0, 0.1, "sigma holds -1"),
        (1.0, np.nan, 0.1, "delta holds nan"),
        (1.0, 4.0, 0.0, "step_size holds 0"),
    ],
)
def test_a_law_refuses_what_no_run_has(sigma, delta, step_size, sentence):
    with pytest.raises(StagewiseError, match=sentence):
        theory.learning_iteration(np.array(sigma), delta, step_size)
    with pytest.raises(ValueError, match=sentence):
        theory.flow_learning_iteration(np.array(sigma), delta, step_size)
