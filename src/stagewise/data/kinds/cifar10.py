"""CIFAR-10 from its binary distribution: the published archive, or the batches unpacked from it."""

import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

import numpy as np
from pydantic import Field, field_validator

from stagewise.arrays import AnyArray
from stagewise.data.downloads import PublishedFile, files_in, obtain
from stagewise.data.images import BLOCK, streamed_image_moments
from stagewise.data.kind import Data
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments

ARCHIVE = PublishedFile(
    title="CIFAR-10",
    name="cifar-10-binary.tar.gz",
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    digest="c32a1d4ab5d03f1284b67883e8d87530",
    verified="archive",
    unzipped=lambda path: "",  # every batch in it is checked when it is read
)
BATCHES: dict[int | str, str] = {
    1: "data_batch_1.bin",
    2: "data_batch_2.bin",
    3: "data_batch_3.bin",
    4: "data_batch_4.bin",
    5: "data_batch_5.bin",
    "test": "test_batch.bin",
}
"""Files by what the config calls them."""

IMAGES_PER_BATCH = 10_000
PIXELS = 3072
CLASSES = 10

_INSIDE = "cifar-10-batches-bin"
_ELSEWHERE = ("CIFAR10", _INSIDE, "cifar-10-batches-py")
"""Folders in which other libraries keep it."""


class Cifar10Data(Data):
    """CIFAR-10 images, from the binary distribution: its archive or the unpacked batches."""

    kind: Literal["cifar10"]
    directory: str = Field(
        "cifar10", description="Folder of the archive or of the unpacked files, within data_dir."
    )
    batches: list[Literal[1, 2, 3, 4, 5, "test"]] = Field(
        [1, 2, 3, 4, 5],
        min_length=1,
        description="Batches of 10 000 images that are used; 1 to 5 are the training set.",
    )
    download: bool = Field(True, description="Fetch the archive if the files are missing.")

    @field_validator("batches")
    @classmethod
    def _batches_differ(cls, batches: list[int | str]) -> list[int | str]:
        if len(set(batches)) < len(batches):
            raise ValueError(f"{batches} names a batch twice; name each once")
        return batches

    def moments(self, name: str, folder: Path) -> list[Moments]:
        """Moments of pixels in [0, 1] and one-hot classes, read in blocks."""
        return [streamed_image_moments(self.blocks(folder, BLOCK), CLASSES)]

    def blocks(self, data_dir: Path, size: int) -> Iterator[tuple[AnyArray, AnyArray]]:
        """Images (n, 3072) and labels (n,) of the batches, unsigned bytes, n at most `size`.

        The archive is used where it is (verified) and read in place; else unpacked batches, which
        may lie in a folder inside; else the archive is downloaded.
        Raises StagewiseError when a file is missing, truncated, or of another kind.
        """
        names = [name for batch, name in BATCHES.items() if batch in self.batches]
        folder = data_dir / self.directory
        others = [data_dir / name for name in _ELSEWHERE]
        held = [path for place in (folder, *others) for path in files_in(place)]
        unpacked = _unpacked(held, names)
        if unpacked is None or any(ARCHIVE.is_called(path.name) for path in held):
            hint = f", or {', '.join(names)} unpacked from it{_pickled(held)}"
            path = obtain(ARCHIVE, folder, self.download, hint, others)
            yield from _archive_blocks(path, names, size)
            return
        for name in names:
            with _opened(unpacked / name) as stream:
                yield from read_batch(stream, str(unpacked / name), size)

    def published(self) -> dict[str, str]:
        """The archive, with the digest that it is verified by."""
        return {ARCHIVE.name: ARCHIVE.digest_text}

    def look(self, folder: Path, download: bool = False) -> None:
        """Read what is there, as unpacked batches have no digest to be verified by."""
        for _ in self.model_copy(update={"download": download and self.download}).blocks(
            folder, BLOCK
        ):
            pass


def read_batch(stream: IO[bytes], name: str, size: int) -> Iterator[tuple[AnyArray, AnyArray]]:
    """Images (n, 3072) and labels (n,) of one batch, n at most `size`.

    Raises StagewiseError, calling the batch `name`, unless the stream holds 10 000 records of one
    byte 0…9 and 3072 pixels.
    """
    record, left = PIXELS + 1, IMAGES_PER_BATCH
    while left:
        content = stream.read(min(size, left) * record)
        count, rest = divmod(len(content), record)
        if rest or not count:
            held = (IMAGES_PER_BATCH - left) * record + len(content)
            raise StagewiseError(
                f"{name} is truncated: it holds {held} bytes, and a batch of CIFAR-10 has "
                f"{IMAGES_PER_BATCH * record}. Fetch it again."
            )
        records = np.frombuffer(content, np.uint8).reshape(count, record)
        labels = records[:, 0]
        if labels.max() >= CLASSES:
            raise StagewiseError(
                f"{name} holds the label {labels.max()}, but those of CIFAR-10 go from 0 to "
                f"{CLASSES - 1}. Is it a batch of the binary distribution?"
            )
        yield records[:, 1:], labels
        left -= count
    if stream.read(1):
        raise StagewiseError(
            f"{name} is longer than the {IMAGES_PER_BATCH * record} bytes of a batch of CIFAR-10. "
            "Is it a batch of the binary distribution?"
        )


def _unpacked(held: Sequence[Path], names: Sequence[str]) -> Path | None:
    """The nearest folder that holds all the batches, if there is one."""
    folders = dict.fromkeys(path.parent for path in held)
    return next((each for each in folders if {each / name for name in names} <= set(held)), None)


def _pickled(held: Sequence[Path]) -> str:
    """For a sentence: that the version for Python is there, which is never loaded."""
    for path in held:
        if path.name.startswith("cifar-10-python") or path.parent.name == "cifar-10-batches-py":
            return (
                f" ({path} is the Python version of CIFAR-10; it holds pickles, which can run any "
                "code and are never loaded here, so the binary version is needed)"
            )
    return ""


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as stream:
            yield stream
    except OSError as error:
        raise StagewiseError(f"{path} cannot be read: {error.strerror}.") from None


def _archive_blocks(
    path: Path, names: Sequence[str], size: int
) -> Iterator[tuple[AnyArray, AnyArray]]:
    """Blocks of the batches in an archive, whose members are read by name and never unpacked."""
    try:
        with tarfile.open(path) as archive:
            for name in names:
                yield from read_batch(_member(archive, path, name), f"{name} in {path}", size)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise StagewiseError(
            f"{path} cannot be read as a tar archive ({error}). Put the published {ARCHIVE.name} "
            "in its place."
        ) from None


def _member(archive: tarfile.TarFile, path: Path, name: str) -> IO[bytes]:
    try:
        member = archive.extractfile(f"{_INSIDE}/{name}")
    except KeyError:
        member = None
    if member is None:
        held = ", ".join(archive.getnames()[:9]) or "nothing"
        raise StagewiseError(
            f"{path} has no file {_INSIDE}/{name}; it holds {held}. Is it the binary distribution "
            "of CIFAR-10?"
        )
    return member
