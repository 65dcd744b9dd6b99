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


def names(columns, end):
    return ",".join(f"c{column + 1}" for column in range(end) if column in columns)


HEADLESS = ["--no-header", "--drop-constant"]
CASES = [
    # file, lines above the numbers, columns predicted, whether they hold classes, options
    ("iris.csv", 1, [4], True, ["--label", "virginica"]),
    ("iris.csv", 1, range(4), False, ["--targets", "150,4,setosa,versicolor"]),
    ("wine_data.csv", 1, [13], True, [*HEADLESS, "--label", "c14"]),
    ("wine_data.csv", 1, [0], False, [*HEADLESS, "--targets", "c1"]),
    ("wine_data.csv", 1, range(13), False, [*HEADLESS, "--targets", names(range(13), 14)]),
    ("breast_cancer.csv", 1, [30], True, [*HEADLESS, "--label", "c31"]),
    ("breast_cancer.csv", 1, range(30), False, [*HEADLESS, "--targets", names(range(30), 31)]),
    ("digits.csv.gz", 0, [64], True, [*HEADLESS, "--label", "c65"]),
    ("digits.csv.gz", 0, range(64), False, [*HEADLESS, "--targets", names(range(64), 65)]),
    ("digits.csv.gz", 0, [20, 21], False, [*HEADLESS, "--targets", "c21,c22"]),
    ("linnerud_exercise.csv", 1, [2], False, ["--targets", "Jumps"]),
    ("linnerud_exercise.csv", 1, [0, 1], False, ["--targets", "Chins,Situps"]),
    ("linnerud_physiological.csv", 1, [0], False, ["--targets", "Weight"]),
    ("linnerud_physiological.csv", 1, [1, 2], False, ["--targets", "Waist,Pulse"]),
    ("diabetes_data_raw.csv.gz", 0, [9], False, ["--no-header", "--targets", "c10"]),
    ("diabetes_data_raw.csv.gz", 0, range(9), False, ["--no-header", "--targets", names(range(9), 10)]),
]  # fmt: skip


def scaled(columns):
    """Without constant ones, about the mean, in standard deviations."""
    columns = columns[:, np.ptp(columns, axis=0) > 0]
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


@pytest.mark.parametrize(("name", "title", "columns", "classes", "options"), CASES)
def test_shares_are_those_of_least_squares_and_times_those_of_the_law(
    name, title, columns, classes, options, command
):
    values = read(name, title)
    inputs = scaled(np.delete(values, columns, axis=1))
    if classes:
        outputs = one_hot(values[:, columns[0]])
        outputs -= outputs.mean(axis=0)
    else:  # numbers have a unit too
        outputs = scaled(values[:, columns])
    fitted = inputs @ np.linalg.lstsq(inputs, outputs, rcond=None)[0]
    explained = (fitted**2).sum() / (outputs**2).sum()

    code, out, _ = command(
        "--data", FOLDER / name, "--standardise", "--method", "plain", "--json", *options
    )
    assert code == 0
    report = json.loads(out)
    assert (report["dim_in"], report["dim_out"]) == (inputs.shape[1], outputs.shape[1])
    assert report["classes"] == (outputs.shape[1] if classes else 0)
    assert report["explained_variance"] == pytest.approx(explained, rel=1e-8)
    sigma = np.linalg.svd(inputs.T @ outputs / len(inputs), compute_uv=False)
    times = [stage["iteration"] for stage in report["stages"]]
    law = 16 / np.log1p(report["step_size"] * sigma[: len(times)])
    assert_allclose(times, law, rtol=1e-8)
