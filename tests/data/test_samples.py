"""Bundled samples against scikit-learn's own readers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.data.samples import SAMPLES, load_samples

SHAPES = {
    "digits": (1797, 64, 10),
    "wine": (178, 13, 3),
    "cancer": (569, 30, 2),
    "cancer_worst": (569, 20, 10),
    "diabetes": (442, 10, 1),
    "diabetes_serum": (442, 4, 6),
    "linnerud": (20, 3, 3),
    "patches": (2 * 53 * 79, 64, 64),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_shapes_and_finite_values(name):
    inputs, outputs = load_samples(name)
    assert (len(inputs), inputs.shape[1], outputs.shape[1]) == SHAPES[name]
    assert len(inputs) == len(outputs)
    assert np.isfinite(inputs).all()
    assert np.isfinite(outputs).all()


def standard(columns):
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def test_they_are_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    wine = datasets.load_wine()
    assert_allclose(load_samples("wine")[0], standard(wine.data), atol=1e-9)
    assert_allclose(load_samples("wine")[1], np.eye(3)[wine.target])
    cancer = datasets.load_breast_cancer()
    assert_allclose(load_samples("cancer")[0], standard(cancer.data), atol=1e-9)
    assert_allclose(load_samples("cancer")[1], np.eye(2)[cancer.target])
    diabetes = datasets.load_diabetes(scaled=False)
    assert_allclose(load_samples("diabetes")[0], standard(diabetes.data), atol=1e-9)
    assert_allclose(load_samples("diabetes")[1][:, 0], standard(diabetes.target), atol=1e-9)
    linnerud = datasets.load_linnerud()
    assert_allclose(load_samples("linnerud")[0], standard(linnerud.data), atol=1e-9)
    assert_allclose(load_samples("linnerud")[1], standard(linnerud.target), atol=1e-9)


def test_a_patch_has_no_mean_and_its_neighbour_continues_it():
    inputs, outputs = load_samples("patches")
    assert_allclose(inputs.mean(axis=1), 0, atol=1e-12)
    edge, start = inputs.reshape(-1, 8, 8)[:, :, -1], outputs.reshape(-1, 8, 8)[:, :, 0]
    far = outputs.reshape(-1, 8, 8)[:, :, -1]
    assert np.mean((edge - start) ** 2) < 0.5 * np.mean((edge - far) ** 2)
