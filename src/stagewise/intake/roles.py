"""Which columns of a table are inputs, outputs, or mere row numbers."""

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stagewise.errors import StagewiseError
from stagewise.intake.columns import Columns
from stagewise.intake.csv_dialect import DECIMAL_COMMA, MISSING
from stagewise.intake.tables import Table
from stagewise.intake.wording import listed, pasted

UNNAMED = re.compile(r"|Unnamed: \d+(\.\d+)*(_level_\d+)?|__index_level_\d+__")
"""Names that programs give to row labels of a saved table."""
PANDAS_INDEX = re.compile(r"__index_level_\d+__")
"""Names of which no other column can be."""
NUMBERED = re.compile(
    r"(row|obs|observation|case|sample|record|entry|level|serial)?[ _.]*"
    r"(index|idx|id|no|nr|num|number|names?|0|#)?[.]?|(s|sl|sr|lfd)[ _.]*(no|nr)[.]?"
    r"|№|n[º°]|nummer|n[uú]mero|[ií]ndice",
    re.IGNORECASE,
)
"""Names of row labels, if the values are row numbers indeed."""
IDENTIFIER = re.compile(r"(.*[ _.-])?([iI][dD]|uuid|UUID|guid|GUID)|.*[a-z](Id|ID)")
"""Names of row labels, if the values are whole numbers that are all different."""
_THOUSANDS = re.compile(
    r"[+-]?\d{1,3}(([ .'\u00a0\u202f]\d{3})+(,\d+)?|([ ,'\u00a0\u202f]\d{3})+([.]\d+)?)"
)
_SIGN = re.compile(r"[$€£¥] ?[+-]?[\d.,]*\d|[+-]?[\d.,]*\d ?[%‰°$€£¥]")
_HELD = {"row numbers": "the row numbers", "labels": "row labels", "nothing": "nothing"}
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
        keys = [name for name in inputs if name in table.keys]
        if keys:  # whoever saves the same columns as one file has them as inputs too
            notes.append(
                f"{listed(keys)} comes from the names of folders and is taken as an input like any "
                f"other column; to leave it out, say --drop {pasted(keys)}"
                if len(keys) == 1
                else f"{listed(keys)} come from the names of folders and are taken as inputs like any "
                f"other columns; to leave them out, say --drop {pasted(keys)}"
            )
        if not inputs:
            raise StagewiseError(f"No column of {path} is left as an input; drop fewer.")
        classes = columns.outputs == "classes"
        _check_numeric(table, inputs, () if classes and len(targets) == 1 else targets)
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
        identifier = IDENTIFIER.fullmatch(name.strip()) is not None
        if not (by_name or identifier or NUMBERED.fullmatch(name.strip())):
            continue
        found = _what_it_holds(table, name)
        if identifier and not is_number(table.schema.field(name).type):
            continue  # text, which is refused with its value
        declared = name in table.index or PANDAS_INDEX.fullmatch(name)
        if (found == "numbers" and declared) or (found == "whole numbers" and by_name):
            found = "labels"
        labels = found in ("labels", "nothing") and by_name
        if found == "row numbers" or labels or (identifier and found == "labels"):
            left.append(name)
            notes.append(
                f"column {name!r} holds {_HELD[found]} and is left out; "
                "to keep it as an input, say --keep-index"
            )
        elif by_name or found == "labels":
            notes.append(
                f"column {name!r} is taken as an input, for its values are no row numbers; to leave "
                f"it out, say --drop {pasted([name])}"
            )
    return left, notes


def _what_it_holds(table: Table, name: str) -> str:
    """ "row numbers", "labels" (text, or whole numbers that are all different), "whole numbers",
    "numbers", or "nothing"."""
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
        return "whole numbers"
    if values[0] in (0, 1) and values[-1] - values[0] == len(values) - 1:
        return "row numbers"
    return "labels"


def _resolved(table: Table, wanted: Sequence[str]) -> list[str]:
    """The columns meant: as spelt, else up to spaces around the name and how umlauts are put together."""
    names = table.schema.names
    found = [_resolve(name, names) for name in wanted]
    unknown = [name for name, place in zip(wanted, found, strict=True) if place is None]
    if unknown:
        close = [match for name in unknown for match in _close(name, names)]
        meant = f"Did you mean {listed(list(dict.fromkeys(close)))}? " if close else ""
        single = (
            " It is the only one: columns must be separated by commas, semicolons, tabs, bars or "
            "blanks." * (len(names) == 1)
        )
        raise StagewiseError(
            f"{table.path} has no column named {listed(unknown)}. {meant}It has {listed(names)}."
            f"{single}"
        )
    return [name for name in found if name is not None]


def _plain(name: str) -> str:
    """Without outer spaces, and with an umlaut as one character, whatever program wrote it."""
    return unicodedata.normalize("NFC", name).strip()


def _close(name: str, names: Sequence[str]) -> list[str]:
    same = [each for each in names if _plain(each).casefold() == _plain(name).casefold()]
    return same or difflib.get_close_matches(name, names, n=3)


def _resolve(name: str, names: Sequence[str]) -> str | None:
    if (
        name not in names and name[:1] == name[-1:] == '"' and len(name) > 1
    ):  # as `pasted` writes it
        name = name[1:-1].replace('""', '"')
    if name in names:
        return name
    close = [each for each in names if _plain(each) == _plain(name)]
    return close[0] if len(close) == 1 else None


def _check_numeric(table: Table, inputs: Sequence[str], targets: Sequence[str]) -> None:
    kinds = {name: table.schema.field(name).type for name in (*inputs, *targets)}
    odd = [name for name, kind in kinds.items() if not is_number(kind)]
    if not odd:
        return
    first = next((name for name in odd if name in targets), odd[0])
    row, value, texts, rows = _texts(table, first)
    example = f"{first!r} holds {value!r} in row {row}" if row else f"{first!r} is {kinds[first]}"
    raise StagewiseError(
        f"Columns of {table.path} that are not numbers: {listed(odd)} ({example}). "
        f"{_advice(first, odd, value.strip(), texts, rows, first in targets)}"
    )


def _advice(name: str, odd: Sequence[str], value: str, texts: int, rows: int, target: bool) -> str:
    """What to do about a column in which so many rows hold text, first this one."""
    if _THOUSANDS.fullmatch(value):
        return "Write the numbers without separators of thousands."
    if _SIGN.fullmatch(value):
        return "Write the numbers without signs of units."
    if DECIMAL_COMMA.fullmatch(value):
        return "Write decimal points, or separate the columns by semicolons."
    if value and MISSING.fullmatch(value):
        return "If that stands for a missing value, fill it or remove the row."
    if texts and texts <= rows // 2:
        return f"{rows - texts} of its {rows} rows hold numbers; mend or remove the others."
    if target:
        return f"To predict classes say --label {pasted([name])}."
    return f"Leave them out with --drop {pasted(odd)}, or encode them as numbers."


def _texts(table: Table, name: str) -> tuple[int, str, int, int]:
    """Row (from 1) and value of the first entry that is no number, how many, and of how many.

    Row 0 if it is a column of another kind.
    """
    kind = table.schema.field(name).type
    if not (table.dialect or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return 0, "", 0, 0
    first, rows, texts = (0, ""), 0, 0
    for batch in table.batches([name], text=[name]):
        for place, value in enumerate(batch.column(name).to_pylist()):
            if value is not None and not (table.dialect and table.dialect.is_number(value)):
                first = first if texts else (rows + place + 1, value)
                texts += 1
        rows += batch.num_rows
    return *first, texts, rows


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
