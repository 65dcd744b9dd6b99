"""Samples (X, Y) that come with scikit-learn, without importing it, and those of MNIST."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError

MNIST_SAMPLES = 6000
"""How many of the training images are taken, the first ones."""
PATCH = 8
"""Side of an image patch in pixels."""

Samples = tuple[FloatArray, FloatArray]


def load_samples(name: str, data_dir: str | None = None) -> Samples:
    """Inputs (n, dim_in) and outputs (n, dim_out) of a data set by its name, in `SAMPLES`.

    Classes are one-hot rows. data_dir : folder of downloaded data, for MNIST; None: the usual one.
    Raises StagewiseError if scikit-learn's files, or MNIST's, are not there.
    """
    if name == "mnist":
        return _mnist(data_dir)
    return SAMPLES[name]()


def digits() -> Samples:
    """Handwritten digits, 8 × 8 pixels in [0, 1], and their classes."""
    content = _read("digits.csv.gz")
    return content[:, :-1] / 16, _one_hot(content[:, -1])


def wine() -> Samples:
    """Chemical analysis of wines, standardised, and their three cultivars."""
    content = _read("wine_data.csv", skiprows=1)
    return _standard(content[:, :-1]), _one_hot(content[:, -1])


def cancer() -> Samples:
    """Thirty measurements of breast tumours, standardised, and whether they are benign."""
    content = _read("breast_cancer.csv", skiprows=1)
    return _standard(content[:, :-1]), _one_hot(content[:, -1])


def cancer_worst() -> Samples:
    """Means and standard errors of ten measurements → their worst values, all standardised."""
    content = _standard(_read("breast_cancer.csv", skiprows=1)[:, :-1])
    return content[:, :20], content[:, 20:]


def diabetes() -> Samples:
    """Ten measurements of patients → progression of the disease after a year, standardised."""
    target = _read("diabetes_target.csv.gz", delimiter=None)
    return _standard(_diabetes()), _standard(target[:, None])


def diabetes_serum() -> Samples:
    """Age, sex, body mass and blood pressure → six blood serum values, standardised."""
    content = _standard(_diabetes())
    return content[:, :4], content[:, 4:]


def linnerud() -> Samples:
    """Three exercises of twenty men → weight, waist and pulse, standardised."""
    exercise = _read("linnerud_exercise.csv", delimiter=None, skiprows=1)
    body = _read("linnerud_physiological.csv", delimiter=None, skiprows=1)
    return _standard(exercise), _standard(body)


def patches() -> Samples:
    """Grey patches of two photographs → their right neighbours, less the inputs' own mean each."""
    from PIL import Image  # a dependency of matplotlib

    pairs = []
    for photograph in ("china.jpg", "flower.jpg"):
        with Image.open(_folder() / "images" / photograph) as image:
            grey = np.asarray(image.convert("L"), dtype=np.float64) / 255
        rows, columns = (size // PATCH for size in grey.shape)
        cut = grey[: rows * PATCH, : columns * PATCH].reshape(rows, PATCH, columns, PATCH)
        tiles = cut.transpose(0, 2, 1, 3).reshape(rows, columns, PATCH**2)
        pairs.append(np.stack([tiles[:, :-1], tiles[:, 1:]], axis=2).reshape(-1, 2, PATCH**2))
    both = np.concatenate(pairs)
    both -= both[:, :1].mean(axis=2, keepdims=True)
    return both[:, 0], both[:, 1]


SAMPLES: dict[str, Callable[[], Samples]] = {
    each.__name__: each
    for each in (
        digits,
        wine,
        cancer,
        cancer_worst,
        diabetes,
        diabetes_serum,
        linnerud,
        patches,
    )
}


def _diabetes() -> FloatArray:
    return _read("diabetes_data_raw.csv.gz", delimiter=None)


def _mnist(data_dir: str | None) -> Samples:
    # Only runs on it need what downloads need.
    from stagewise.data.datasets import data_directory
    from stagewise.data.kinds.mnist import MnistData

    images, labels = MnistData(kind="mnist").load(data_directory(data_dir))
    images = images[:MNIST_SAMPLES]
    pixels = images.reshape(len(images), -1) / 255.0
    return pixels, _one_hot(labels[:MNIST_SAMPLES].astype(np.float64))


def _read(name: str, delimiter: str | None = ",", skiprows: int = 0) -> FloatArray:
    path = _folder() / "data" / name
    return np.asarray(np.loadtxt(path, delimiter=delimiter, skiprows=skiprows))


def _folder() -> Path:
    package = find_spec("sklearn")
    for folder in (package and package.submodule_search_locations) or ():
        if (Path(folder) / "datasets" / "data").is_dir():
            return Path(folder) / "datasets"
    raise StagewiseError(
        "The bundled data sets of scikit-learn are not there. Install scikit-learn, which "
        "requirements.lock pins."
    )


def _standard(columns: FloatArray) -> FloatArray:
    return np.asarray((columns - columns.mean(axis=0)) / columns.std(axis=0))


def _one_hot(labels: FloatArray) -> FloatArray:
    return np.asarray(labels[:, None] == np.unique(labels), dtype=np.float64)
