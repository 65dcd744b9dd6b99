"""The training sets of MNIST and Fashion-MNIST: two IDX files each, published and verified."""

from pathlib import Path
from typing import Literal

from stagewise.arrays import AnyArray
from stagewise.data.downloads import PublishedFile, obtain
from stagewise.data.idx import read_idx
from stagewise.data.image_specs import FashionMnistData, MnistData

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def _published(
    title: str,
    mirrors: tuple[str, ...],
    verified: Literal["content", "archive"],
    digests: dict[str, str],
) -> dict[str, PublishedFile]:
    return {
        name: PublishedFile(title, f"{name}.gz", mirrors, digest, verified)
        for name, digest in digests.items()
    }


FILES = _published(
    "MNIST",
    (
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    "content",
    {
        IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
)

FASHION_FILES = _published(
    "Fashion-MNIST",
    (
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    "archive",
    {
        IMAGES: "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        LABELS: "25c81989df183df01b3e8a0aad5dffbe",
    },
)


def load(spec: MnistData | FashionMnistData, data_dir: Path) -> tuple[AnyArray, AnyArray]:
    """Training images (60000, 28, 28) and labels (60000,), unsigned bytes.

    Raises StagewiseError when a file is missing and cannot be fetched, or is not the original.
    """
    files = FASHION_FILES if isinstance(spec, FashionMnistData) else FILES
    folder = data_dir / spec.directory
    images, labels = (obtain(files[name], folder, spec.download) for name in (IMAGES, LABELS))
    return read_idx(images, 3), read_idx(labels, 1)
