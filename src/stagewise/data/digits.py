"""The UCI handwritten digits that scikit-learn bundles, without importing scikit-learn."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.problems.moments import Moments


def digits_moments(
    train_samples: int | None = None, generator: np.random.Generator | None = None
) -> Moments:
    """Moments of the handwritten digits that come with scikit-learn, pixels scaled to [0, 1].

    train_samples : learn from as many images that `generator` picks, and hold out the others.
    """
    pixels, labels = _read()
    inputs, outputs = pixels / 16.0, np.eye(10)[labels]
    if train_samples is None or generator is None:
        return Moments.of_block(inputs, outputs)
    order = generator.permutation(len(inputs))
    train, test = order[:train_samples], order[train_samples:]
    return replace(
        Moments.of_block(inputs[train], outputs[train]),
        held_out=Moments.of_block(inputs[test], outputs[test]),
    )


def _read() -> tuple[FloatArray, IntArray]:
    package = find_spec("sklearn")
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder, "datasets", "data", "digits.csv.gz")
        if path.is_file():  # importing scikit-learn to read its file takes seconds
            content = np.loadtxt(path, delimiter=",")
            return content[:, :-1], content[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return pixels, labels
