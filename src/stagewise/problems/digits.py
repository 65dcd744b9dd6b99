"""The UCI handwritten digits that scikit-learn bundles, without importing scikit-learn."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.problems.moments import Moments


def digits_moments() -> Moments:
    """Moments of the handwritten digits that come with scikit-learn, pixels scaled to [0, 1]."""
    package = find_spec("sklearn")
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder, "datasets", "data", "digits.csv.gz")
        if path.is_file():  # importing scikit-learn to read its file takes seconds
            content = np.loadtxt(path, delimiter=",")
            return _digits(content[:, :-1], content[:, -1].astype(np.int64))
    from sklearn.datasets import load_digits

    return _digits(*load_digits(return_X_y=True))


def _digits(pixels: FloatArray, labels: IntArray) -> Moments:
    return Moments.of_block(pixels / 16.0, np.eye(10)[labels])
