"""From a streamed table to moments: one pass that also finds missing and constant values."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stagewise.arrays import FloatArray, IntArray
from stagewise.errors import StagewiseError
from stagewise.forecast.options import Columns
from stagewise.forecast.tables import Roles, Table, as_text, class_names
from stagewise.forecast.wording import counted, listed
from stagewise.problems.moments import Moments, stream_moments


@dataclass(frozen=True)
class Extract:
    """Moments of a table, and the places of its constant columns among inputs and outputs."""

    moments: Moments
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constant_inputs: tuple[int, ...]
    constant_outputs: tuple[int, ...]


def extract(table: Table, columns: Columns, centred: bool) -> Extract:
    """Stream a table into moments; memory is one block and one (dim_in, dim_in) matrix.

    centred : only the centred moments will be used; then a column's values may be shifted by a
    constant, which keeps the precision of columns with a mean far above their spread.
    A label takes a pass of its own, to learn its classes.
    Raises StagewiseError for missing values and for fewer than two rows.
    """
    roles = Roles.of(table, columns)
    classes = [] if roles.label is None else class_names(table, roles.label)
    numbers = (*roles.inputs, *roles.targets)
    scan = _Scan(numbers if roles.label is None else (*numbers, roles.label))
    moments = stream_moments(_blocks(table, roles, classes, scan, centred))
    constant = np.flatnonzero(scan.low == scan.high)
    split = len(roles.inputs)
    return Extract(
        moments=moments,
        inputs=roles.inputs,
        outputs=roles.targets or tuple(classes),
        constant_inputs=tuple(constant[constant < split].tolist()),
        constant_outputs=tuple(
            (constant[(constant >= split) & (constant < len(numbers))] - split).tolist()
        ),
    )


def _blocks(
    table: Table, roles: Roles, classes: list[str], scan: "_Scan", centred: bool
) -> Iterator[tuple[FloatArray, FloatArray]]:
    text = [] if roles.label is None else [roles.label]
    split = len(roles.inputs)
    known = pa.array(classes, type=pa.string())
    one_hot = np.eye(len(classes))
    shift: FloatArray | None = None
    for batch in table.batches([*roles.inputs, *roles.targets, *text], text=text):
        if batch.num_rows == 0:
            continue
        values = _matrix(batch, (*roles.inputs, *roles.targets))
        codes = np.zeros((len(values), 0), dtype=np.int64)
        if roles.label is not None:
            labels = as_text(batch.column(roles.label), roles.label)
            found = pc.index_in(labels, value_set=known).fill_null(-1)
            codes = found.to_numpy(zero_copy_only=False).astype(np.int64)[:, None]
        scan.add(np.hstack([values, np.where(codes < 0, np.nan, codes)]))
        if scan.total_missing:
            continue  # go on counting, for the sentence
        if centred:
            shift = values.mean(axis=0) if shift is None else shift
            values -= shift
        outputs = values[:, split:] if roles.label is None else one_hot[codes[:, 0]]
        yield values[:, :split], outputs
    scan.check(table)


@dataclass
class _Scan:
    """What one pass notices about the columns. low, high : (columns,), the range of values."""

    names: tuple[str, ...]
    rows: int = 0
    total_missing: int = 0
    first_missing: tuple[int, str] | None = None
    low: FloatArray = field(init=False)
    high: FloatArray = field(init=False)
    missing: IntArray = field(init=False)

    def __post_init__(self) -> None:
        self.low = np.full(len(self.names), np.inf)
        self.high = np.full(len(self.names), -np.inf)
        self.missing = np.zeros(len(self.names), dtype=np.int64)

    def add(self, values: FloatArray) -> None:
        absent = ~np.isfinite(values)
        if absent.any():
            self.missing += absent.sum(axis=0)
            self.total_missing = int(self.missing.sum())
            if self.first_missing is None:
                row, column = np.argwhere(absent)[0]
                self.first_missing = (self.rows + int(row) + 1, self.names[column])
        else:
            self.low = np.minimum(self.low, values.min(axis=0))
            self.high = np.maximum(self.high, values.max(axis=0))
        self.rows += len(values)

    def check(self, table: Table) -> None:
        if self.rows < 2:
            raise StagewiseError(
                f"{table.path} has {counted(self.rows, 'row')} of data; at least 2 are needed, and more than "
                "there are inputs for a forecast that means something."
            )
        if self.first_missing is not None:
            row, first = self.first_missing
            where = [self.names[place] for place in np.flatnonzero(self.missing)]
            raise StagewiseError(
                f"{table.path} holds {counted(self.total_missing, 'value')} missing or not finite, "
                f"the first in column {first} (row {row}); columns with some: {listed(where)}. "
                "Fill them or remove those rows or columns."
            )


def _matrix(batch: pa.RecordBatch, names: tuple[str, ...]) -> FloatArray:
    """Columns as numbers (rows, columns), NaN where missing."""
    values = np.empty((batch.num_rows, len(names)))
    for place, name in enumerate(names):
        column = batch.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        column = column.cast(pa.float64(), safe=False)
        values[:, place] = column.to_numpy(zero_copy_only=False)
    return values
