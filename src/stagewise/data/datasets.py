"""From the config's name for a data set to its moments."""

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np

from stagewise.arrays import AnyArray
from stagewise.config.models import (
    AlignedData,
    AutoencoderData,
    DataSpec,
    DigitsData,
    LowRankMatrixData,
    LowRankRegressionData,
    NpzData,
    PowerLawData,
    RandomModesData,
    RotatedData,
)
from stagewise.data import cifar10, imagenet64, mnist, synthetic
from stagewise.data.digits import digits_moments
from stagewise.data.image_specs import Cifar10Data, FashionMnistData, ImageNet64Data, MnistData
from stagewise.data.npz import read_user_data
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments, stream_moments
from stagewise.seeds import generator

_BLOCK = 1024
"""Images in memory at once as floating-point numbers."""


def draw_moments(name: str, spec: DataSpec, data_dir: str | None) -> list[Moments]:
    """Moments of a data set, one entry per independent draw (real data: one).

    name : seeds the draws. spec : its config section. data_dir : folder of downloaded files.
    Raises StagewiseError when the data cannot be found or read.
    """
    match spec:
        case MnistData() | FashionMnistData():
            return [image_moments(*mnist.load(spec, data_directory(data_dir)), classes=10)]
        case Cifar10Data():
            batches = cifar10.blocks(spec, data_directory(data_dir), _BLOCK)
            return [streamed_image_moments(batches, cifar10.CLASSES)]
        case ImageNet64Data():
            files = (imagenet64.blocks(path, _BLOCK) for path in imagenet64.batch_files(spec))
            return [streamed_image_moments(chain.from_iterable(files), imagenet64.CLASSES)]
        case NpzData():
            return [read_user_data(Path(spec.path))]
        case LowRankMatrixData():
            return _low_rank_matrices(name, spec)
    if isinstance(spec, RandomModesData):
        name = spec.seed_name or name
    draws = (generator("dataset", name, draw) for draw in range(spec.draws))
    match spec:
        case DigitsData():
            return [digits_moments(spec.train_samples, each) for each in draws]
        case AlignedData():
            return [synthetic.draw_aligned(spec, each) for each in draws]
        case RandomModesData():
            return [synthetic.draw_random_modes(spec, each) for each in draws]
        case AutoencoderData():
            return [synthetic.draw_autoencoder(spec, each) for each in draws]
        case RotatedData():
            return [synthetic.draw_rotated(spec, each) for each in draws]
        case PowerLawData():
            return [synthetic.draw_power_law(spec, each) for each in draws]
        case LowRankRegressionData():
            return [synthetic.draw_low_rank_regression(spec, each) for each in draws]


def _low_rank_matrices(name: str, spec: LowRankMatrixData) -> list[Moments]:
    """Ranks outermost, then shares observed, then draws."""
    return [
        moments
        for rank in spec.rank
        for by_share in zip(
            *(
                synthetic.low_rank_matrices(spec, rank, generator("dataset", name, rank, draw))
                for draw in range(spec.draws)
            ),
            strict=True,
        )
        for moments in by_share
    ]


def data_directory(configured: str | None) -> Path:
    """Folder of downloaded data: `data_dir` of the config, $STAGEWISE_DATA, or the user cache."""
    chosen = configured or os.environ.get("STAGEWISE_DATA")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "stagewise"


def image_moments(images: AnyArray, labels: AnyArray, classes: int) -> Moments:
    """Moments of images (n, …) of unsigned bytes, scaled to [0, 1], with one-hot labels (n,)."""
    if len(images) != len(labels):
        raise StagewiseError(
            f"There are {len(images)} images but {len(labels)} labels; the files do not belong "
            "together."
        )
    if len(labels) and labels.max() >= classes:
        raise StagewiseError(
            f"A label is {labels.max()}; with {classes} classes they go from 0 to {classes - 1}."
        )

    starts = range(0, len(images), _BLOCK)
    blocks = ((images[at : at + _BLOCK], labels[at : at + _BLOCK]) for at in starts)
    return streamed_image_moments(blocks, classes)


def streamed_image_moments(blocks: Iterable[tuple[AnyArray, AnyArray]], classes: int) -> Moments:
    """Moments of blocks of images (n, …), unsigned bytes, and labels (n,) below `classes`."""
    one_hot = np.eye(classes)
    return stream_moments(
        (images.reshape(len(images), -1) / 255.0, one_hot[labels]) for images, labels in blocks
    )
