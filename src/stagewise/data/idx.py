"""Reader for IDX files (the format of MNIST), plain or gzipped, that trusts nothing."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from stagewise.arrays import AnyArray
from stagewise.errors import StagewiseError

_UNSIGNED_BYTE = 0x08


def read_idx(path: Path, dimensions: int) -> AnyArray:
    """Read an array of unsigned bytes with `dimensions` axes from an IDX file.

    Raises StagewiseError for a file that is missing, not IDX, of another kind, truncated, or
    longer than its header says.
    """
    return parse_idx(decompressed(path), dimensions, str(path))


def decompressed(path: Path) -> bytes:
    """Content of a file, gunzipped if it is gzipped; StagewiseError if it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StagewiseError(f"{path} cannot be read: {error.strerror}.") from None
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise StagewiseError(
            f"{path} is not a whole gzip file ({error}). Fetch it again."
        ) from None


def parse_idx(content: bytes, dimensions: int, name: str) -> AnyArray:
    """Array in the bytes of an IDX file; `name` is what error sentences call it."""
    header = 4 + 4 * dimensions
    expected = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if content[:4] != expected:
        raise StagewiseError(
            f"{name} starts with {content[:4].hex() or 'nothing'}; an IDX file of unsigned bytes "
            f"with {dimensions} axes starts with {expected.hex()}. Is it the right file?"
        )
    if len(content) < header:
        raise StagewiseError(f"{name} ends within its header. Fetch it again.")
    shape = tuple(np.frombuffer(content, ">u4", dimensions, offset=4).tolist())
    size = 1
    for length in shape:
        size *= length
    if len(content) - header != size:
        state = "truncated" if len(content) - header < size else "longer than its header says"
        raise StagewiseError(
            f"{name} is {state}: it holds {len(content) - header} bytes for the shape {shape}, "
            f"which takes {size}. Fetch it again."
        )
    try:
        return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
    except ValueError:  # no bytes, but lengths beyond what any array can have
        raise StagewiseError(f"{name} has the impossible shape {shape}. Fetch it again.") from None
