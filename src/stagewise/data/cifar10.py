"""CIFAR-10 from its binary distribution: the published archive, or the batches unpacked from it."""

import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from stagewise.arrays import AnyArray
from stagewise.data.downloads import PublishedFile, obtain
from stagewise.data.image_specs import Cifar10Data
from stagewise.errors import StagewiseError

ARCHIVE = PublishedFile(
    title="CIFAR-10",
    name="cifar-10-binary.tar.gz",
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    digest="c32a1d4ab5d03f1284b67883e8d87530",
    verified="archive",
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


def blocks(spec: Cifar10Data, data_dir: Path, size: int) -> Iterator[tuple[AnyArray, AnyArray]]:
    """Images (n, 3072) and labels (n,) of the batches asked for, unsigned bytes, n at most `size`.

    The archive is used where it is (verified) and read in place; else unpacked batches, directly
    in the folder or in its sub-folder cifar-10-batches-bin; else the archive is downloaded.
    Raises StagewiseError when a file is missing, truncated, or of another kind.
    """
    names = [name for batch, name in BATCHES.items() if batch in spec.batches]
    folder = data_dir / spec.directory
    unpacked = _unpacked(folder, names)
    if unpacked is None or (folder / ARCHIVE.name).exists():
        hint = f", or {', '.join(names)} unpacked from it"
        yield from _archive_blocks(obtain(ARCHIVE, folder, spec.download, hint), names, size)
        return
    for name in names:
        with _opened(unpacked / name) as stream:
            yield from read_batch(stream, str(unpacked / name), size)


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


def _unpacked(folder: Path, names: Sequence[str]) -> Path | None:
    """The folder that holds all the batches, if there is one."""
    for candidate in (folder, folder / _INSIDE):
        if all((candidate / name).exists() for name in names):
            return candidate
    return None


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
        with tarfile.open(path, "r:gz") as archive:
            for name in names:
                yield from read_batch(_member(archive, path, name), f"{name} in {path}", size)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise StagewiseError(
            f"{path} cannot be read as a gzipped tar archive ({error}). Delete it and fetch it "
            "again."
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
