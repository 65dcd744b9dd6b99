"""ImageNet scaled down to 64 × 64: `.npz` files too large for memory, read in blocks."""

import re
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from pydantic import Field

from stagewise.arrays import AnyArray, IntArray
from stagewise.data.images import BLOCK, streamed_image_moments
from stagewise.data.kind import Data
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments

PATTERN = "train_data_batch_*.npz"
PIXELS = 12_288
CLASSES = 1000

_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # encrypted members and unknown methods of compression
    SyntaxError,  # headers of arrays, which are Python literals
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class ImageNet64Data(Data):
    """ImageNet scaled down to 64 × 64: a folder of train_data_batch_*.npz."""

    kind: Literal["imagenet64"]
    path: str = Field(
        description="The folder; relative paths start at the working directory. Moments of 12288 "
        "pixels take 1.2 GB of memory."
    )

    def moments(self, name: str, folder: Path) -> list[Moments]:
        """Moments of pixels in [0, 1] and one-hot classes, read in blocks."""
        files = (blocks(path, BLOCK) for path in batch_files(self))
        return [streamed_image_moments(chain.from_iterable(files), CLASSES)]


def batch_files(spec: ImageNet64Data) -> list[Path]:
    """The files of the folder, batch 2 before batch 10; StagewiseError if there are none."""
    folder = Path(spec.path).expanduser()
    files = sorted(
        folder.glob(PATTERN), key=lambda path: [int(each) for each in re.findall(r"\d+", path.stem)]
    )
    if not files:
        state = "has none of them" if folder.is_dir() else "is not a folder"
        raise StagewiseError(
            f"ImageNet-64 is a folder of files {PATTERN}, but {folder} {state}. Put the training "
            "batches of the 64 × 64 version there (as .npz), or set the data set's path to the "
            "folder that has them; relative paths start at the working directory."
        )
    return files


def blocks(path: Path, size: int) -> Iterator[tuple[AnyArray, IntArray]]:
    """Images (n, 12288), unsigned bytes, and labels (n,) from 0 on, of one file, n at most `size`.

    Raises StagewiseError unless the file holds `data` (images, 12288) of unsigned bytes and
    `labels` (images,) of integers from 1 to 1000. Never unpickles.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            labels = _labels(archive, path)
            with _member(archive, "data", path) as stream:
                shape, _ = _header(stream, "data", path)
                if shape != (len(labels), PIXELS):
                    raise StagewiseError(
                        f"{path} holds data of shape {shape} for {len(labels)} labels; it must be "
                        f"({len(labels)}, {PIXELS}): 64 × 64 pixels of 3 colours, one row an image."
                    )
                for start in range(0, len(labels), size):
                    chosen = labels[start : start + size]
                    content = _read(stream, len(chosen) * PIXELS, "data", path)
                    yield np.frombuffer(content, np.uint8).reshape(-1, PIXELS), chosen
                if stream.read(1):
                    raise StagewiseError(f"{path} holds more data than {shape}. Fetch it again.")
    except StagewiseError:
        raise
    except _DAMAGE as error:
        raise StagewiseError(
            f"{path} cannot be read as an .npz file of plain arrays: {error}. Fetch it again."
        ) from None


def _labels(archive: zipfile.ZipFile, path: Path) -> IntArray:
    with _member(archive, "labels", path) as stream:
        shape, dtype = _header(stream, "labels", path)
        if len(shape) != 1 or 0 in shape:
            raise StagewiseError(
                f"{path} holds labels of shape {shape}; they must be (images,), one an image."
            )
        labels = np.frombuffer(_read(stream, shape[0] * dtype.itemsize, "labels", path), dtype)
    if labels.min() < 1 or labels.max() > CLASSES:
        raise StagewiseError(
            f"{path} holds labels from {labels.min()} to {labels.max()}; those of ImageNet-64 go "
            f"from 1 to {CLASSES}."
        )
    return labels.astype(np.int64) - 1


def _member(archive: zipfile.ZipFile, name: str, path: Path) -> IO[bytes]:
    try:
        return archive.open(f"{name}.npy")
    except KeyError:
        held = ", ".join(sorted(each.removesuffix(".npy") for each in archive.namelist()))
        raise StagewiseError(
            f"{path} holds the arrays {held or 'none'}; it must hold data and labels."
        ) from None


def _header(stream: IO[bytes], name: str, path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of the array that follows in the stream."""
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    if not (dtype == np.uint8 if name == "data" else dtype.kind in "iu"):
        wanted = "unsigned bytes (uint8), not scaled" if name == "data" else "integers"
        raise StagewiseError(f"{path} holds {name} of type {dtype}; it must hold {wanted}.")
    if fortran and len(shape) > 1:
        raise StagewiseError(
            f"{path} holds {name} in Fortran order, so that images cannot be read one by one. "
            "Save np.ascontiguousarray of it."
        )
    return shape, dtype


def _read(stream: IO[bytes], count: int, name: str, path: Path) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise StagewiseError(f"{path} is truncated: {name} ends too early. Fetch it again.")
    return content
