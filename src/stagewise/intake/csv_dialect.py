"""How a text table is written: compression, encoding, separator, decimal sign, header or none."""

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast

OPENERS: dict[str, Callable[..., object]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What a damaged compressed file raises."""
ENDINGS = (".csv", ".tsv", ".txt")
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_SAMPLE = 1 << 18
_LINES = 200


@dataclass(frozen=True)
class Dialect:
    """What is needed to read a text table, and its first lines as cells.

    notes : what was found that is not the usual (commas, points, UTF-8).
    """

    encoding: str
    separator: str
    decimal: str
    quoted: bool
    lines: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]

    @property
    def header_is_data(self) -> bool:
        """Whether the first line seems to hold values and not names.

        So it does if every column of numbers has a number there too, unless these count on, as the
        names of a table without names (0, 1, 2, …) and years do.
        """
        if len(self.lines) < 2:
            return False
        head, *body = self.lines
        numeric = [
            place
            for place in range(len(head))
            if all(len(line) > place and self.is_number(line[place]) for line in body)
        ]
        named = [place for place in numeric if not self.is_number(head[place])]
        if not numeric or named:
            return False
        values = [self._value(head[place]) for place in numeric]
        steps = {after - before for before, after in pairwise(values)}
        whole = all(value.is_integer() for value in values)
        return not (whole and (steps == {1.0} or values in ([0.0], [1.0])))

    def is_number(self, cell: str) -> bool:
        """Whether a cell is a number, in this dialect's decimal sign."""
        try:
            self._value(cell)
        except ValueError:
            return False
        return "_" not in cell

    def _value(self, cell: str) -> float:
        return float(cell.strip().replace(self.decimal, "."))


def is_text_table(path: Path) -> bool:
    """Whether a path ends like a text table, compressed or not."""
    name = path.name.lower()
    return name.endswith(tuple(end + zipped for end in ENDINGS for zipped in ("", *OPENERS)))


def open_bytes(path: Path) -> BinaryIO:
    """A file's content, decompressed."""
    opener = OPENERS.get(path.suffix.lower())
    return path.open("rb") if opener is None else cast(BinaryIO, opener(path, "rb"))


def dialect(path: Path) -> Dialect:
    """Look at a file's beginning, and at all of it for its encoding. Raises what opening raises."""
    encoding = _encoding(path)
    with open_bytes(path) as stream:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(stream.read(_SAMPLE))
    text = text.removeprefix("\ufeff")
    whole = text if len(text) < _SAMPLE // 2 else text[: text.rfind("\n") + 1]
    name = path.name.lower()
    separator = _separator(whole, "\t" if ".tsv" in name[-8:] else ",")
    rows = csv.reader(io.StringIO(whole), delimiter=separator)
    lines = []
    for row in rows:
        if row:
            lines.append(tuple(row))
        if len(lines) == _LINES:
            break
    decimal = "," if separator != "," and _decimal_commas(lines) else "."
    notes = []
    if separator != ("\t" if ".tsv" in name[-8:] else ","):
        notes.append(f"columns are separated by {_SEPARATORS[separator]}")
    if decimal == ",":
        notes.append("numbers have decimal commas")
    if encoding != "utf-8":
        notes.append(f"the file is not UTF-8 and was read as {encoding}")
    return Dialect(encoding, separator, decimal, '"' in text, tuple(lines), tuple(notes))


def _encoding(path: Path) -> str:
    """UTF-8 where all of it is valid, UTF-16 by its mark, else Windows-1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(path) as stream:
        start = True
        while chunk := stream.read(1 << 22):
            if start and chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                return "utf-16"
            start = False
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return "cp1252"
    return "utf-8"


def _separator(text: str, usual: str) -> str:
    """The character that cuts the first lines into the most columns of equal number."""
    best, columns = usual, 1
    for separator in dict.fromkeys([usual, *_SEPARATORS]):
        rows = csv.reader(io.StringIO(text), delimiter=separator)
        counts = [len(row) for row, _ in zip(rows, range(_LINES), strict=False) if row]
        if counts and len(set(counts)) == 1 and counts[0] > columns:
            best, columns = separator, counts[0]
    return best


def _decimal_commas(lines: Sequence[Sequence[str]]) -> bool:
    cells = [cell.strip() for line in lines[1:] for cell in line]
    comma = any(re.fullmatch(r"[+-]?\d+,\d+([eE][+-]?\d+)?", cell) for cell in cells)
    point = any(re.fullmatch(r"[+-]?\d+\.\d+([eE][+-]?\d+)?", cell) for cell in cells)
    return comma and not point
