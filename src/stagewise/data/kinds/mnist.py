"""The training sets of MNIST and Fashion-MNIST: two IDX files each, published and verified."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import AnyArray
from stagewise.data.downloads import PublishedFile, obtain
from stagewise.data.idx import read_idx
from stagewise.data.images import image_moments
from stagewise.data.kind import Data, Samples
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def _published(
    title: str,
    mirrors: tuple[str, ...],
    verified: Literal["content", "archive"],
    digests: dict[str, str],
    unzipped: Callable[[Path], str] | None = None,
) -> dict[str, PublishedFile]:
    return {
        name: PublishedFile(title, f"{name}.gz", mirrors, digest, verified, unzipped)
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


def _is_fashion(path: Path) -> str:
    """What is wrong with an unzipped file of Fashion-MNIST, whose published digests are of gzips."""
    try:
        content = read_idx(path, 3 if "images" in path.name else 1)
    except StagewiseError as error:
        return str(error).removesuffix(".")
    if content.ndim == 1:
        counts = np.bincount(content, minlength=10).tolist()
        return "" if counts == [6000] * 10 else f"its labels occur {counts} times, not 6000 each"
    if content.shape != (60_000, 28, 28):
        return f"its shape is {content.shape}, not (60000, 28, 28)"
    mean = float(content.mean()) / 255
    return "" if abs(mean - 0.2860) < 1e-4 else f"its mean pixel is {mean:.4f}, not 0.2860"


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
    _is_fashion,
)


class _IdxData(Data):
    """Training images from two IDX files."""

    sources: ClassVar[dict[str, PublishedFile]]
    elsewhere: ClassVar[str]
    directory: str
    download: bool

    def load(self, folder: Path) -> tuple[AnyArray, AnyArray]:
        """Training images (60000, 28, 28) and labels (60000,), unsigned bytes.

        Raises StagewiseError when a file is missing and cannot be fetched, or is not the original.
        """
        others = (folder / self.elsewhere,)
        images, labels = (
            obtain(file, folder / self.directory, self.download, others=others)
            for file in self.sources.values()
        )
        return read_idx(images, 3), read_idx(labels, 1)

    def moments(self, name: str, folder: Path) -> list[Moments]:
        """Moments of pixels in [0, 1] and one-hot classes."""
        return [image_moments(*self.load(folder), classes=10)]

    def read_samples(self, folder: Path) -> Samples:
        """Pixels in [0, 1], one row per image, and one-hot classes: 0.4 GB."""
        images, labels = self.load(folder)
        return images.reshape(len(images), -1) / 255.0, np.eye(10)[labels]

    def published(self) -> dict[str, str]:
        """Both files, with the digests that they are verified by."""
        return {each.name: each.digest_text for each in self.sources.values()}

    def look(self, folder: Path, download: bool = False) -> None:
        """Look for both files and verify them."""
        self.model_copy(update={"download": download and self.download}).load(folder)


class MnistData(_IdxData):
    """MNIST training images, from two IDX files."""

    sources: ClassVar[dict[str, PublishedFile]] = FILES
    elsewhere: ClassVar[str] = "MNIST"
    kind: Literal["mnist"]
    directory: str = Field("mnist", description="Folder of the IDX files, within data_dir.")
    download: bool = Field(True, description="Fetch files that are missing.")


class FashionMnistData(_IdxData):
    """Fashion-MNIST training images, from two IDX files."""

    sources: ClassVar[dict[str, PublishedFile]] = FASHION_FILES
    elsewhere: ClassVar[str] = "FashionMNIST"
    kind: Literal["fashion_mnist"]
    directory: str = Field("fashion_mnist", description="Folder of the IDX files, within data_dir.")
    download: bool = Field(True, description="Fetch files that are missing.")
