"""Which columns of a table are inputs, outputs, or mere row numbers."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stagewise.errors import StagewiseError
from stagewise.intake.columns import Columns
from stagewise.intake.tables import Table
from stagewise.intake.wording import listed, pasted

UNNAMED = re.compile(r"|Unnamed: \d+(\.\d+)*(_level_\d+)?|__index_level_\d+__")
"""Names that programs give to row labels of a saved table."""
NUMBERED = frozenset({"index", "level_0", "row_nr", "rownames", "row_names", "rowname"})
"""Names of row labels, if the values are row numbers indeed."""
_DISTINCT_LIMIT = 10_000_000


@dataclass(frozen=True)
class Roles:
    """Columns of a table by role; `targets` are numbers, or empty where `label` is predicted."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...]
    label: str | None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Table, columns: Columns) -> "Roles":
        """Assign the columns. Raises StagewiseError for names and types that do not fit."""
        path, names = table.path, table.schema.names
        if not columns.targets and columns.label is None:
            raise StagewiseError(
                f"Say which columns of {path} are to be predicted: --targets A,B for numbers or "
                f"--label COLUMN for classes. It has {listed(names)}."
            )
        targets = _resolved(table, columns.targets)
        label = None
        if columns.label is not None:
            (label,) = _resolved(table, [columns.label])
        drop = _resolved(table, columns.drop)
        outputs = [*targets, *([] if label is None else [label])]
        both = sorted(set(outputs) & set(drop))
        if both:
            raise StagewiseError(f"{listed(both)} cannot be both predicted and dropped.")
        inputs = [name for name in names if name not in {*outputs, *drop}]
        index, notes = ([], []) if columns.keep_index else _row_labels(table, inputs)
        inputs = [name for name in inputs if name not in index]
        if not inputs:
            raise StagewiseError(f"No column of {path} is left as an input; drop fewer.")
        classes = columns.outputs == "classes"
        _check_numeric(table, inputs, () if classes else targets)
        if classes and len(targets) == 1:
            targets, label = [], targets[0]
        if columns.outputs == "numbers" and label is not None:
            targets, label = [label], None
            _check_numeric(table, (), targets)
        return cls(tuple(inputs), tuple(targets), label, tuple(notes))


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


def _row_labels(table: Table, inputs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Columns that only number or name the rows, and what to say of them."""
    left, notes = [], []
    for name in inputs:
        by_name = UNNAMED.fullmatch(name) is not None or name in table.index
        if not by_name and name.lower() not in NUMBERED:
            continue
        found = _what_it_holds(table, name)
        if found == "row numbers" or (by_name and found in ("labels", "nothing")):
            left.append(name)
            notes.append(
                f"column {name!r} holds {'the ' * (found == 'row numbers')}{found} and is left out; "
                "to keep it as an input, say --keep-index"
            )
        else:
            notes.append(
                f"column {name!r} is taken as an input, for its values are no row numbers; to leave "
                f"it out, say --drop {pasted([name])}"
            )
    return left, notes


def _what_it_holds(table: Table, name: str) -> str:
    """ "row numbers", "labels" (text, or whole numbers that are all different), or "nothing"."""
    kind = table.schema.field(name).type
    if pa.types.is_null(kind):
        return "nothing"
    if not is_number(kind) or pa.types.is_boolean(kind):
        return "labels" if not pa.types.is_boolean(kind) else "numbers"
    parts: list[np.ndarray] = []
    rows = 0
    for batch in table.batches([name]):
        column = batch.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if column.null_count:
            return "numbers"
        values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        rows += len(values)
        if rows > _DISTINCT_LIMIT or not np.array_equal(values, np.round(values)):
            return "numbers"
        parts.append(values)
    values = np.sort(np.concatenate(parts)) if parts else np.zeros(0)
    if len(values) < 2 or (np.diff(values) == 0).any():
        return "numbers"
    if values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1:
        return "row numbers"
    return "labels"


def _resolved(table: Table, wanted: Sequence[str]) -> list[str]:
    """The columns meant: as spelt, else up to spaces around the name."""
    names = table.schema.names
    found = [_resolve(name, names) for name in wanted]
    unknown = [name for name, place in zip(wanted, found, strict=True) if place is None]
    if unknown:
        close = [match for name in unknown for match in difflib.get_close_matches(name, names, n=3)]
        meant = f"Did you mean {listed(list(dict.fromkeys(close)))}? " if close else ""
        raise StagewiseError(
            f"{table.path} has no column named {listed(unknown)}. {meant}It has {listed(names)}."
        )
    return [name for name in found if name is not None]


def _resolve(name: str, names: Sequence[str]) -> str | None:
    if name in names:
        return name
    close = [each for each in names if each.strip() == name.strip()]
    return close[0] if len(close) == 1 else None


def _check_numeric(table: Table, inputs: Sequence[str], targets: Sequence[str]) -> None:
    kinds = {name: table.schema.field(name).type for name in (*inputs, *targets)}
    odd = [name for name, kind in kinds.items() if not is_number(kind)]
    if not odd:
        return
    row, value = _first_text(table, odd[0])
    example = (
        f"{odd[0]!r} holds {value!r} in row {row}" if row else f"{odd[0]!r} is {kinds[odd[0]]}"
    )
    if set(odd) & set(targets):
        only = sorted(set(odd) & set(targets))[0]
        advice = f"To predict classes say --label {pasted([only])}."
    else:
        advice = f"Leave them out with --drop {pasted(odd)}, or encode them as numbers."
    raise StagewiseError(
        f"Columns of {table.path} that are not numbers: {listed(odd)} ({example}). {advice}"
    )


def _first_text(table: Table, name: str) -> tuple[int, str]:
    """Row (from 1) and value of the first entry that is no number; row 0 if none is text."""
    kind = table.schema.field(name).type
    if not (table.dialect or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return 0, ""
    rows = 0
    for batch in table.batches([name], text=[name]):
        for place, value in enumerate(batch.column(name).to_pylist()):
            if value is not None and not (table.dialect and table.dialect.is_number(value)):
                return rows + place + 1, value
        rows += batch.num_rows
    return 0, ""


def as_text(column: pa.Array, name: str) -> pa.StringArray:
    """A column of classes as text; null where missing."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        raise StagewiseError(
            f"Column {name!r} is of type {column.type}; classes must be text or numbers."
        ) from None
