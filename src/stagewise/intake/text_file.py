"""A text file's content: decompressed whatever it is called, and without lines of no table."""

import bz2
import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from stagewise.errors import StagewiseError
from stagewise.intake.wording import listed

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What a damaged compressed file raises."""
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data")
COMMENT = re.compile(r"\s*(%|#(?!N/A|(REF|DIV/0|VALUE|NUM|NULL)!|NAME\?))")
"""How a comment begins; Excel begins the names of its errors so too."""
_CHUNK = 1 << 18
_NOT_IN_CP1252 = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])


def is_text_table(path: Path) -> bool:
    """Whether a path ends like a text table, compressed or not."""
    return (
        path.name.lower().endswith(
            tuple(end + packed for end in ENDINGS for packed in ("", *PACKED))
        )
        or path.suffix.lower() == ".zip"
    )


def open_bytes(path: Path) -> BinaryIO:
    """A file's content, decompressed by what it begins with. Raises what opening raises."""
    opener = _opener(path)
    return path.open("rb") if opener is None else cast(BinaryIO, opener(path))


def is_packed(path: Path) -> bool:
    """Whether a file is compressed, whatever its name says. Raises what opening raises."""
    return _opener(path) is not None


def _opener(path: Path) -> Callable[[Path], object] | None:
    with path.open("rb") as stream:
        start = stream.read(6)
    found = (opener for magic, opener in _OPENERS.items() if start.startswith(magic))
    return next(found, None)


def _zstandard(path: Path) -> object:
    return io.BufferedReader(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))


def _zip_member(path: Path) -> object:
    archive = zipfile.ZipFile(path)
    names = [each for each in archive.namelist() if not re.search(r"/$|(^|/)(\.|__MACOSX/)", each)]
    tables = [name for name in names if name.lower().endswith(ENDINGS)]
    if len(tables) != 1:
        archive.close()
        raise StagewiseError(
            f"{path} is a zip archive with {listed(names) or 'nothing'} in it; it must hold one text "
            f"table ({', '.join(ENDINGS)}). Unpack it and say which; of a workbook save a sheet as "
            ".csv."
        )
    return archive.open(tables[0])


_OPENERS: dict[bytes, Callable[[Path], object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
    b"\x28\xb5\x2f\xfd": _zstandard,
    b"PK\3\4": _zip_member,
}


def encoding_of(path: Path) -> str:
    """UTF-8 where all of it is valid, UTF-16 and 32 by marks or zeros, else Windows or Latin."""
    decoder, found = codecs.getincrementaldecoder("utf-8")(), "utf-8"
    with open_bytes(path) as stream:
        chunk = stream.read(1 << 22)
        if wide := _wide_encoding(chunk):
            return wide
        while chunk:
            if found == "utf-8":
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    found = "cp1252"
            if found == "cp1252" and chunk.translate(None, _NOT_IN_CP1252) != chunk:
                return "latin-1"
            chunk = stream.read(1 << 22)
    return found


def _wide_encoding(start: bytes) -> str:
    for mark, name in ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")):
        if start.startswith(mark):
            return name
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    sample = start[:2000]
    if sample.count(0) * 3 < len(sample) or len(sample) < 4:
        return ""
    return "utf-16-le" if sample[1::2].count(0) > sample[::2].count(0) else "utf-16-be"


class TableLines(io.RawIOBase):
    """Lines of a table as UTF-8, without the first `skip` that are not blank, and comments.

    blanks : runs of blanks become one, and those around a line are cut.
    """

    def __init__(self, stream: BinaryIO, encoding: str, skip: int, blanks: bool) -> None:
        encoding = "utf-8-sig" if encoding == "utf-8" else encoding
        self._text = io.TextIOWrapper(stream, encoding, "replace")
        self._skip, self._blanks, self._rest = skip, blanks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            lines = self._text.readlines(_CHUNK)
            if not lines:
                break
            self._rest = "".join(map(self._cleaned, lines)).encode()
        found, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(found)] = found
        return len(found)

    def _cleaned(self, line: str) -> str:
        if not line.strip():
            return ""
        if self._skip:
            self._skip -= 1
            return ""
        if COMMENT.match(line):
            return ""
        return re.sub(r"[ \t]+", " ", line.strip()) + "\n" if self._blanks else line

    def close(self) -> None:
        self._text.close()
        super().close()
