"""How a text table is written: encoding, separator, decimal sign, names or none, other lines."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from stagewise.intake.text_file import COMMENT, encoding_of, open_bytes

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
MISSING = re.compile(r"|\?|-+|\.+|#?n[./]?[ad]\.?|nan|none|null|missing|unknown", re.IGNORECASE)
"""What people write where there is no value."""
_SAMPLE = 1 << 18
_LINES = 200
_TITLES = 5
"""So many lines may stand above a table."""

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """What is needed to read a text table, and its first lines as cells.

    lines : the names first, where there are any. top : lines above them that are not blank and no
    part of the table. named_above : the last of these has the names. cleaned : whether the reader
    of CSV needs the file line by line, without those and comments, and with names from `lines`.
    blanks : columns are separated by any number of blanks. notes : what is not usual.
    """

    encoding: str
    separator: str
    decimal: str
    quoted: bool
    lines: tuple[Cells, ...]
    notes: tuple[str, ...]
    top: int = 0
    named_above: bool = False
    blanks: bool = False
    cleaned: bool = False

    @property
    def header_is_data(self) -> bool:
        """Whether the first line seems to hold values and not names.

        So it does if every column of numbers has a number there too, unless these count on, as the
        names of a table without names (0, 1, 2, …) and years do.
        """
        if len(self.lines) < 2 or self.named_above:
            return False
        head, *body = self.lines
        columns = {
            place: [line[place] for line in body if len(line) > place and line[place].strip()]
            for place in range(len(head))
            if not MISSING.fullmatch(head[place].strip())
        }
        numeric = [
            place
            for place, cells in columns.items()
            if cells and all(self.is_number(cell) for cell in cells)
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
        return _is_number(cell.replace(self.decimal, "."))

    def _value(self, cell: str) -> float:
        return float(cell.strip().replace(self.decimal, "."))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()


def dialect(path: Path) -> Dialect:
    """Look at a file's beginning, and at all of it for its encoding. Raises what opening raises."""
    encoding = encoding_of(path)
    with open_bytes(path) as stream:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(stream.read(_SAMPLE))
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    whole = text if len(text) < _SAMPLE // 2 else text[: text.rfind("\n") + 1]
    usual = "\t" if re.search(r"\.(tsv|tab)(\.|$)", path.name.lower()) else ","
    above, rest = _above(whole)
    notes: list[str] = []
    separator, blanks, titles, lines = _separated(rest, usual, above)
    notes += [f"the line {' '.join(line)!r} above the table is left out" for line in lines[:titles]]
    lines = lines[titles:]
    names = _names_above(above, lines, separator, blanks)
    header = names or _header(lines)
    commented = any(map(COMMENT.match, above)) or rest != _without_comments(rest)
    if commented:
        but = ", but for the names of the columns" if names else ""
        notes.append(f"lines that begin with # or % are left out{but}")
    spaces = re.search(r"(?m)^ +$", text)  # else the reader sees rows of one cell there
    decimal = "," if _decimal_commas(lines, separator) else "."
    if separator != usual:
        notes.append(f"columns are separated by {_SEPARATORS[separator]}")
    if decimal == ",":
        notes.append("numbers have decimal commas")
    if encoding != "utf-8":
        notes.append(f"the file is not UTF-8 and was read as {encoding}")
    return Dialect(
        encoding,
        separator,
        decimal,
        '"' in text,
        (header, *(lines if names else lines[1:])) if lines else (),
        tuple(notes),
        top=len(above) + titles,
        named_above=bool(names),
        blanks=blanks,
        cleaned=bool(above or titles or commented or blanks or spaces or lines[:1] != [header]),
    )


def _above(text: str) -> tuple[list[str], str]:
    """Excel's line with the separator and comments above a table, and what follows."""
    lines = text.lstrip("\n").split("\n")
    above: list[str] = []
    while lines and (not lines[0].strip() or COMMENT.match(lines[0]) or _says_separator(lines[0])):
        line = lines.pop(0)
        above += [line] if line.strip() else []
    if not any(line.strip() for line in lines):  # all of it begins with # or %
        return [], text
    return above, "\n".join(lines)


def _says_separator(line: str) -> str:
    found = re.fullmatch(r"\"?sep=(.)\"?\s*", line, re.IGNORECASE)
    return found[1] if found else ""


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not COMMENT.match(line))


def _rows(text: str, separator: str, blanks: bool = False) -> list[Cells]:
    """The first lines that are not blank, as cells."""
    if blanks:
        text = re.sub(r"[ \t]+", " ", re.sub(r"(?m)^[ \t]+|[ \t]+$", "", text))
    rows: list[Cells] = []
    for row in csv.reader(io.StringIO(text), delimiter=separator):
        if row:
            rows.append(tuple(row))
        if len(rows) == _LINES:
            break
    return rows


def _separated(text: str, usual: str, above: Sequence[str]) -> tuple[str, bool, int, list[Cells]]:
    """Separator, whether it may be repeated, lines of titles, and the lines as cells.

    The separator is the character that leaves the fewest lines above a table, and of such the one
    that cuts the lines into the most columns of equal number.
    """
    text = _without_comments(text)
    said = next(filter(None, map(_says_separator, above)), "")
    candidates = [(each, False) for each in dict.fromkeys([said or usual, *_SEPARATORS])]
    best = (said or usual, False, 0, _rows(text, said or usual))
    fit = (-_TITLES, 1)
    for separator, blanks in [*candidates, (" ", True)] if not said else candidates[:1]:
        rows = _rows(text, separator, blanks)
        titles = _titles([len(row) for row in rows])
        if titles is None:
            continue
        count = len(rows[-1])
        repeated = blanks and best[0] == " " and any("" in row for row in best[3])
        if count > 1 and ((-titles, count) > fit or repeated):
            best, fit = (separator, blanks, titles, rows), (-titles, count)
        if separator == "|" and fit[1] > 1:
            break
    return best


def _titles(counts: Sequence[int]) -> int | None:
    """Lines of fewer cells above lines that all have as many; None where there is no such table.

    The names may be one fewer than the cells below, whose first then has no name.
    """
    for titles in range(min(_TITLES, len(counts) - 1) + 1 if counts else 0):
        if len(set(counts[titles:])) != 1 or (titles and len(counts) - titles < 2):
            continue
        short = titles and counts[titles] > 2 and counts[titles - 1] == counts[titles] - 1
        titles -= bool(short)
        if all(count <= counts[-1] // 2 for count in counts[:titles]):
            return titles
    return None


def _names_above(
    above: Sequence[str], lines: Sequence[Cells], separator: str, blanks: bool
) -> Cells:
    """Names in the last comment above values, as numpy.savetxt writes them; () if it has none."""
    if not above or not lines or not any(map(_is_number, lines[0])):
        return ()
    (names, *_) = _rows(COMMENT.sub("", above[-1], count=1).strip(), separator, blanks) or [()]
    matches = COMMENT.match(above[-1]) and len(names) == len(lines[0])
    return names if matches and not all(map(_is_number, names)) else ()


def _header(lines: Sequence[Cells]) -> Cells:
    """The first line, with names for columns that it leaves without, if there are several."""
    if not lines:
        return ()
    header, body = lines[0], lines[1:]
    if len(body) > 1 and {len(line) for line in body} == {len(header) + 1}:
        last = not any(line[-1].strip() for line in body)
        header = (*header, "") if last else ("", *header)
    if header.count("") > 1:
        return tuple(name or f"Unnamed: {place}" for place, name in enumerate(header))
    return header


def _decimal_commas(lines: Sequence[Cells], separator: str) -> bool:
    """Whether numbers are written 1,5; between commas, 1,500 may be a thousand and says nothing."""
    cells = [cell.strip() for line in lines[1:] for cell in line]
    commas = [cell for cell in cells if DECIMAL_COMMA.fullmatch(cell)]
    if separator == ",":
        commas = [cell for cell in commas if not re.fullmatch(r"[+-]?\d{1,3},\d{3}", cell)]
    point = any(re.fullmatch(r"[+-]?\d+\.\d+([eE][+-]?\d+)?", cell) for cell in cells)
    return bool(commas) and not point
