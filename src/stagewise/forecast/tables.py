"""CSV and Parquet files as streams of batches, and which of their columns are what."""

import difflib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from stagewise.errors import StagewiseError
from stagewise.forecast.options import Columns
from stagewise.forecast.wording import listed

BLOCK_BYTES = 1 << 20
"""Read at once. The reader of CSV works ahead, so that up to 32 blocks are in memory."""

CLASSES_LIMIT = 10_000
_LINES = 8
"""A block holds at least about as many lines."""


@dataclass(frozen=True)
class Table:
    """A file, its schema, and how much of it to read at once.

    CSV types are those of the first block.
    """

    path: Path
    schema: pa.Schema
    block_bytes: int

    @classmethod
    def open(cls, path: Path, block_bytes: int = BLOCK_BYTES) -> "Table":
        """Read the schema. Raises StagewiseError for unreadable files and repeated names."""
        with _readable(path):
            if path.suffix.lower() == ".csv":
                block_bytes = max(block_bytes, _LINES * _line_bytes(path))
                with _csv(path, block_bytes) as reader:
                    schema = reader.schema
            else:
                schema = pq.read_schema(path)
        names = schema.names
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise StagewiseError(
                f"{path} has more than one column named {listed(repeated)}. Rename them."
            )
        if len(names) == 1 and re.search(r"[;\t]", names[0]):
            raise StagewiseError(
                f"{path} has a single column, {names[0]!r}. Separate columns by commas, not by "
                "semicolons or tabs."
            )
        return cls(path, schema, block_bytes)

    def batches(self, columns: Sequence[str], text: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        """Rows of some columns, block by block; those in `text` are read as text."""
        with _readable(self.path, self.schema.names):
            if self.path.suffix.lower() == ".csv":
                types = {name: self._csv_type(name, name in text) for name in columns}
                with _csv(self.path, self.block_bytes, types) as reader:
                    yield from reader
            else:
                rows = max(1, self.block_bytes // (8 * len(columns)))
                # With a buffer a column is read page by page, not a row group at once.
                source = pq.ParquetFile(self.path, buffer_size=1 << 16, pre_buffer=False)
                with source:
                    yield from source.iter_batches(rows, columns=list(columns))

    def _csv_type(self, name: str, text: bool) -> pa.DataType:
        if text:
            return pa.string()
        # A later block may hold 1.5 where the first held whole numbers, or nothing.
        found = self.schema.field(name).type
        return found if pa.types.is_boolean(found) else pa.float64()


@dataclass(frozen=True)
class Roles:
    """Columns of a table by role; `targets` are numbers, or empty where `label` is predicted."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    label: str | None

    @classmethod
    def of(cls, table: Table, columns: Columns) -> "Roles":
        """Assign the columns. Raises StagewiseError for names and types that do not fit."""
        path, names = table.path, table.schema.names
        if not columns.targets and columns.label is None:
            raise StagewiseError(
                f"Say which columns of {path} are to be predicted: --targets A,B for numbers or "
                f"--label COLUMN for classes. It has {listed(names)}."
            )
        outputs = [*columns.targets, *([] if columns.label is None else [columns.label])]
        _check_known(path, names, [*outputs, *columns.drop])
        both = sorted(set(outputs) & set(columns.drop))
        if both:
            raise StagewiseError(f"{listed(both)} cannot be both predicted and dropped.")
        inputs = tuple(name for name in names if name not in {*outputs, *columns.drop})
        if not inputs:
            raise StagewiseError(f"No column of {path} is left as an input; drop fewer.")
        _check_numeric(table, inputs, columns.targets)
        return cls(inputs, columns.targets, columns.label)


def class_names(table: Table, label: str) -> list[str]:
    """Classes in a column, read in one pass: by number where all are numbers, else as text.

    Raises StagewiseError for a single class, and for values too varied to be classes.
    """
    found: set[str] = set()
    rows = 0
    for batch in table.batches([label], text=[label]):
        rows += batch.num_rows
        found |= set(pc.unique(as_text(batch.column(label), label)).to_pylist()) - {None}
        if len(found) > CLASSES_LIMIT:
            break
    if len(found) > min(rows / 2, CLASSES_LIMIT) and rows >= 2:
        raise StagewiseError(
            f"Column {label} of {table.path} has {len(found)} different values in the first "
            f"{rows} rows, too many for classes. Is it a number to predict? Then say "
            f"--targets {label}."
        )
    if len(found) == 1 and rows >= 2:
        raise StagewiseError(
            f"Column {label} of {table.path} holds the single class {found.pop()}; there is "
            "nothing to tell apart."
        )
    try:
        return sorted(found, key=float)
    except ValueError:
        return sorted(found)


def as_text(column: pa.Array, name: str) -> pa.Array:
    """A column of classes as text; null where missing."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        raise StagewiseError(
            f"Column {name} is of type {column.type}; classes must be text or numbers."
        ) from None


def is_number(kind: pa.DataType) -> bool:
    """Whether a column can be an input; one that is wholly missing is reported as such later."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    checks = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_null,
    )
    return any(check(kind) for check in checks)


def _check_known(path: Path, names: Sequence[str], wanted: Sequence[str]) -> None:
    unknown = [name for name in wanted if name not in names]
    if not unknown:
        return
    close = [match for name in unknown for match in difflib.get_close_matches(name, names, n=3)]
    meant = f"Did you mean {listed(list(dict.fromkeys(close)))}? " if close else ""
    raise StagewiseError(
        f"{path} has no column named {listed(unknown)}. {meant}It has {listed(names)}."
    )


def _check_numeric(table: Table, inputs: Sequence[str], targets: Sequence[str]) -> None:
    kinds = {name: table.schema.field(name).type for name in (*inputs, *targets)}
    odd = [name for name, kind in kinds.items() if not is_number(kind)]
    if not odd:
        return
    types = ", ".join(sorted({str(kinds[name]) for name in odd}))
    if set(odd) & set(targets):
        advice = "To predict classes name their one column with --label."
    else:
        advice = f"Leave them out with --drop {','.join(odd)}, or encode them as numbers."
    raise StagewiseError(
        f"Columns of {table.path} that are not numbers: {listed(odd)} ({types}). {advice}"
    )


def _line_bytes(path: Path) -> int:
    """Length of the longer of a file's first two lines, names and values."""
    with path.open("rb") as stream:
        return max(len(stream.readline(1 << 27)) for _ in range(2))


def _csv(
    path: Path, block_bytes: int, types: dict[str, pa.DataType] | None = None
) -> pacsv.CSVStreamingReader:
    convert = pacsv.ConvertOptions(
        column_types=types, include_columns=types and list(types), strings_can_be_null=True
    )
    read = pacsv.ReadOptions(block_size=block_bytes)
    return pacsv.open_csv(path, read_options=read, convert_options=convert)


@contextmanager
def _readable(path: Path, names: Sequence[str] = ()) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        kind = "CSV" if path.suffix.lower() == ".csv" else "Parquet"
        reason = re.sub(
            r"In CSV column #(\d+)",
            lambda found: f"in column {names[int(found[1])]}" if names else found[0],
            str(error),
        )
        raise StagewiseError(f"{path} cannot be read as {kind}: {reason}") from None
