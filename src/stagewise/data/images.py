"""Moments of images with labels, in blocks."""

from collections.abc import Iterable

import numpy as np

from stagewise.arrays import AnyArray
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments, stream_moments

BLOCK = 1024
"""Images in memory at once as floating-point numbers."""


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

    starts = range(0, len(images), BLOCK)
    blocks = ((images[at : at + BLOCK], labels[at : at + BLOCK]) for at in starts)
    return streamed_image_moments(blocks, classes)


def streamed_image_moments(blocks: Iterable[tuple[AnyArray, AnyArray]], classes: int) -> Moments:
    """Moments of blocks of images (n, …), unsigned bytes, and labels (n,) below `classes`."""
    one_hot = np.eye(classes)
    return stream_moments(
        (images.reshape(len(images), -1) / 255.0, one_hot[labels]) for images, labels in blocks
    )
