"""Parquet tables: written whole or not at all, and equal when their data are."""

import hashlib
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stagewise.errors import StagewiseError
from stagewise.store.files import replacing

ROW_GROUP = 1 << 16
"""Rows that are read together: some runs of a file can be had without the others."""


def write_table(table: pa.Table, path: Path) -> None:
    """Write a Parquet table whole or not at all."""
    write_tables([table], path)


def write_tables(tables: Iterable[pa.Table], path: Path) -> None:
    """Write tables of one schema, at least one, one after the other, as one Parquet table."""
    parts = iter(tables)
    first = next(parts)
    layout = {"use_dictionary": _repetitive(first), "write_page_checksum": True}
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, first.schema, compression="zstd", **layout) as writer,
    ):
        for part in chain([first], parts):
            writer.write_table(part, row_group_size=ROW_GROUP)


def _repetitive(table: pa.Table) -> list[str]:
    """Columns with few different values; to seek repetitions in the others costs time and space."""
    head = table.slice(0, 4096)
    return [
        field.name
        for field in table.schema
        if not pa.types.is_boolean(field.type)
        and len(head[field.name].unique()) <= head.num_rows / 2
    ]


def read_table(
    path: Path, columns: list[str] | None = None, runs: tuple[int, int] | None = None
) -> pa.Table:
    """Read a Parquet table; StagewiseError when the file is missing or damaged.

    runs : first and last of those to read, of a table with a column `run`.
    """
    rows = runs and [("run", ">=", runs[0]), ("run", "<=", runs[1])]
    try:
        return pq.read_table(path, columns=columns, filters=rows, page_checksum_verification=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


def count_rows(path: Path) -> int:
    """How many rows a Parquet table has, from its end alone; StagewiseError as `read_table`."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> StagewiseError:
    return StagewiseError(
        f"{path} cannot be read as Parquet ({error}). Delete it and run the same command again."
    )


def canonical_hash(table: pa.Table) -> str:
    """SHA-256 of a table's column names, types and values, whatever its chunks or file layout."""
    digest = hashlib.sha256()
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        digest.update(f"{name}:{column.type}:{len(column)};".encode())
        digest.update(column.is_valid().to_numpy(zero_copy_only=False).tobytes())
        if pa.types.is_string(column.type):
            texts = [text.encode() for text in column.fill_null("").to_pylist()]
            digest.update(",".join(str(len(text)) for text in texts).encode() + b";")
            digest.update(b"".join(texts))
        else:
            blank = pa.scalar(False if pa.types.is_boolean(column.type) else 0, type=column.type)
            digest.update(column.fill_null(blank).to_numpy(zero_copy_only=False).tobytes())
    return digest.hexdigest()
