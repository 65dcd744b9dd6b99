"""The tables that scikit-learn bundles, as they lie on disk: shares by least squares, laws by σ."""

import json
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from numpy.testing import assert_allclose

FOLDER = Path(sklearn.datasets.__file__).parent / "data"


def one_hot(labels):
    return (labels[:, None] == np.unique(labels)).astype(float)


def read(name, title):
    separator = None if name.startswith(("linnerud", "diabetes")) else ","
    return np.loadtxt(FOLDER / name, delimiter=separator, skiprows=title)


CASES = [
    # file, lines above the numbers, column predicted, whether it holds classes, options
    ("iris.csv", 1, 4, True, ["--label", "virginica"]),
    ("wine_data.csv", 1, 13, True, ["--no-header", "--label", "c14"]),
    ("wine_data.csv", 1, 0, False, ["--no-header", "--targets", "c1"]),
    ("breast_cancer.csv", 1, 30, True, ["--no-header", "--label", "c31"]),
    ("breast_cancer.csv", 1, 3, False, ["--no-header", "--targets", "c4"]),
    ("linnerud_exercise.csv", 1, 2, False, ["--targets", "Jumps"]),
    ("linnerud_physiological.csv", 1, 0, False, ["--targets", "Weight"]),
    ("diabetes_data_raw.csv.gz", 0, 9, False, ["--no-header", "--targets", "c10"]),
]


@pytest.mark.parametrize(("name", "title", "column", "classes", "options"), CASES)
def test_shares_are_those_of_least_squares_and_times_those_of_the_law(
    name, title, column, classes, options, command
):
    values = read(name, title)
    outputs = one_hot(values[:, column]) if classes else values[:, [column]]
    inputs = np.delete(values, column, axis=1)
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    outputs = outputs - outputs.mean(axis=0)
    if not classes:  # numbers have a unit too
        outputs = outputs / outputs.std(axis=0)
    fitted = inputs @ np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    explained = (fitted**2).sum() / (outputs**2).sum()

    code, out, _ = command(
        "--data", FOLDER / name, "--standardise", "--method", "plain", "--json", *options
    )
    assert code == 0
    report = json.loads(out)
    assert report["explained_variance"] == pytest.approx(explained, rel=1e-8)
    sigma = np.linalg.svd(inputs.T @ outputs / len(inputs), compute_uv=False)
    times = [stage["iteration"] for stage in report["stages"]]
    law = 16 / np.log1p(report["step_size"] * sigma[: len(times)])
    assert_allclose(times, law, rtol=1e-8)
