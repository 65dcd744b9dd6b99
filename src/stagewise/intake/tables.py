"""Text tables and Parquet, files or folders, as streams of batches of named columns."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from stagewise.errors import StagewiseError
from stagewise.intake.csv_dialect import Dialect, dialect
from stagewise.intake.text_file import DAMAGE, TableLines, is_packed, is_text_table, open_bytes
from stagewise.intake.wording import listed

PARQUET, ARROW = (".parquet", ".pq"), (".feather", ".arrow", ".ipc")
BLOCK_BYTES = 1 << 20
"""Read at once. The reader of CSV works ahead, so that up to 32 blocks are in memory."""
_PACKED = 3
"""By about so much is a text table compressed."""
_LINES = 8
"""A block holds at least about as many lines."""


@dataclass(frozen=True)
class Table:
    """A file or folder, its schema, and how much of it to read at once.

    Types of a text table are those of the first block. index : columns that the file itself
    declares to be row labels. keys : those that the names of a folder's folders give, as in
    `year=2020`. rows : about how many. dialect : of a text table.
    """

    path: Path
    schema: pa.Schema
    block_bytes: int
    index: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    rows: int = 0
    dialect: Dialect | None = None
    header: bool = True
    notes: tuple[str, ...] = field(default=())

    @classmethod
    def open(
        cls, path: Path, block_bytes: int = BLOCK_BYTES, header: bool | None = None
    ) -> "Table":
        """Read the schema. Raises StagewiseError for unreadable files and repeated names.

        header : whether the first line has the names; None: it must look as if it had.
        """
        with _readable(path):
            table = (
                _text_table(path, block_bytes, header)
                if is_text_table(path) and not path.is_dir()
                else _parquet(path, block_bytes)
            )
        names = table.schema.names
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            advice = " If its first line has values and no names, say --no-header." * bool(
                table.dialect
            )
            raise StagewiseError(
                f"{path} has more than one column named {listed(repeated)}. Rename them.{advice}"
            )
        return table

    def batches(self, columns: Sequence[str], text: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        """Rows of some columns, block by block; those in `text` are read as text."""
        with _readable(self.path, self.schema.names):
            if self.dialect is not None:
                types = {name: self._text_type(name, name in text) for name in columns}
                with _csv(self.path, self.dialect, self.header, self.block_bytes, types) as reader:
                    yield from reader
            else:
                rows = max(1, self.block_bytes // (8 * len(columns)))
                yield from _parquet_batches(self.path, columns, rows)

    def _text_type(self, name: str, text: bool) -> pa.DataType:
        if text:
            return pa.string()
        # A later block may hold 1.5 where the first held whole numbers, or nothing.
        found = self.schema.field(name).type
        return found if pa.types.is_boolean(found) else pa.float64()


def _text_table(path: Path, block_bytes: int, header: bool | None) -> Table:
    found = dialect(path)
    if not found.lines:
        raise StagewiseError(f"{path} is empty.")
    if header is None and found.header_is_data:
        first = ", ".join(found.lines[0][:4])
        called = "c1" if len(found.lines[0]) == 1 else f"c1 to c{len(found.lines[0])}"
        raise StagewiseError(
            f"The first line of {path} seems to hold values and no names ({first}, …). If so, say "
            f"--no-header; the columns are then called {called}. If it has the names, say --header."
        )
    lines = [len(line) for line in _first_lines(path)]
    block_bytes = max(block_bytes, _LINES * max(lines))
    rows = path.stat().st_size * (_PACKED if is_packed(path) else 1) // max(lines[-1], 1)
    named = header is not False
    with _csv(path, found, named, block_bytes) as reader:
        schema = reader.schema
    return Table(path, schema, block_bytes, (), (), rows, found, named, found.notes)


def _first_lines(path: Path) -> list[bytes]:
    with open_bytes(path) as stream:
        return [stream.readline(1 << 27) for _ in range(2)]


@contextmanager
def _csv(
    path: Path,
    found: Dialect,
    header: bool,
    block_bytes: int,
    types: dict[str, pa.DataType] | None = None,
) -> Iterator[pacsv.CSVStreamingReader]:
    convert = pacsv.ConvertOptions(
        column_types=types,
        include_columns=types and list(types),
        strings_can_be_null=True,
        decimal_point=found.decimal,
    )
    numbered = [f"c{place + 1}" for place in range(len(found.lines[0]))]
    names = None if header and not found.cleaned else list(found.lines[0]) if header else numbered
    encoding = "utf-8" if found.cleaned else found.encoding
    read = pacsv.ReadOptions(block_size=block_bytes, encoding=encoding, column_names=names)
    parse = pacsv.ParseOptions(delimiter=found.separator, newlines_in_values=found.quoted)
    with open_bytes(path) as stream:
        lines: Any = stream
        if found.cleaned:
            above = found.top + (header and not found.named_above)
            lines = TableLines(stream, found.encoding, above, found.blanks)
        with pacsv.open_csv(lines, read, parse, convert) as reader:
            yield reader


def _parquet(path: Path, block_bytes: int) -> Table:
    keys: list[str] = []
    if _is_parquet(path):
        schema, rows = pq.read_schema(path), pq.read_metadata(path).num_rows
    else:
        files = _dataset(path)
        schema, rows = files.schema, files.count_rows()
        held = {name for each in files.get_fragments() for name in each.physical_schema.names}
        keys = [name for name in schema.names if name not in held]
    metadata: dict[str, Any] = schema.pandas_metadata or {}
    index = tuple(each for each in metadata.get("index_columns", ()) if isinstance(each, str))
    return Table(path, schema, block_bytes, index, tuple(keys), rows)


def _is_parquet(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() not in ARROW


def _dataset(path: Path) -> Any:
    """A file of Arrow's own format, or the Parquet files of a folder."""
    import pyarrow.dataset

    if path.is_file():
        return pyarrow.dataset.dataset(path, format="ipc")
    files = sorted(
        str(each)
        for each in path.rglob("*")
        if each.suffix.lower() in PARQUET and each.is_file() and each.name[0] not in "._"
    )
    if not files:
        held = listed(sorted(each.name for each in path.iterdir()))
        raise StagewiseError(
            f"{path} is a folder without Parquet files"
            + (f"; it holds {held}. Name one of them." if held else ".")
        )
    how = {"format": "parquet", "partitioning": "hive", "partition_base_dir": str(path)}
    found = pyarrow.dataset.dataset(files, **how)
    # One file may hold whole numbers in a column where another has fractions.
    schemas = [found.schema, *(each.physical_schema for each in found.get_fragments())]
    unified = pa.unify_schemas(schemas, promote_options="permissive")
    return pyarrow.dataset.dataset(files, schema=unified, **how)


def _parquet_batches(path: Path, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    if not _is_parquet(path):
        yield from _dataset(path).to_batches(
            columns=list(columns), batch_size=rows, batch_readahead=1, fragment_readahead=1
        )
        return
    # With a buffer a column is read page by page, not a row group at once.
    with pq.ParquetFile(path, buffer_size=1 << 16, pre_buffer=False) as source:
        yield from source.iter_batches(rows, columns=list(columns))


@contextmanager
def _readable(path: Path, names: Sequence[str] = ()) -> Iterator[None]:
    try:
        yield
    except StagewiseError:
        raise
    except (*DAMAGE, UnicodeError, csv.Error, pa.ArrowException) as error:
        kind = "a text table" if is_text_table(path) else path.suffix.lower() in ARROW and "Arrow"
        reason = re.sub(
            r"In CSV column #(\d+)",
            lambda found: f"in column {names[int(found[1])]!r}" if names else found[0],
            str(error) or type(error).__name__,
        )
        if re.search(r"Expected \d+ columns", reason):
            reason += (
                f"\n{_odd_line(path)}very line must have as many columns as the first. If numbers "
                "have decimal commas, separate the columns by semicolons or tabs."
            )
        raise StagewiseError(f"{path} cannot be read as {kind or 'Parquet'}: {reason}") from None


def _odd_line(path: Path) -> str:
    """Which row has another number of columns than the first, as the beginning of a sentence."""
    found = dialect(path)
    with open_bytes(path) as stream:
        lines = TableLines(stream, found.encoding, found.top, found.blanks)
        text = io.TextIOWrapper(io.BufferedReader(lines), "utf-8", newline="")
        width = len(found.lines[0])
        for place, cells in enumerate(csv.reader(text, delimiter=found.separator)):
            if len(cells) != width and place:
                return f"Row {place} has {len(cells)} columns and the first line {width}; e"
    return "E"
