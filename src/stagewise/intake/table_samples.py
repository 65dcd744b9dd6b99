"""A table's rows as inputs and outputs."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from stagewise.arrays import FloatArray
from stagewise.intake.columns import Columns, Outputs
from stagewise.intake.roles import Roles, as_text
from stagewise.intake.streamed_samples import Labels, Samples
from stagewise.intake.tables import Table
from stagewise.intake.wording import pasted


def table_samples(table: Table, columns: Columns) -> Samples:
    """Inputs and outputs of a table as named columns.

    Raises StagewiseError in sentences for columns that do not fit their roles.
    """
    roles = Roles.of(table, columns)
    outputs = roles.targets if roles.label is None else (roles.label,)

    one = len(outputs) == 1
    kind: Outputs = "classes" if roles.label is not None else "numbers" if one else columns.outputs
    flags = (f"--label {pasted(outputs[:1])}", f"--targets {pasted(outputs[:1])}")

    def read(names: tuple[str, ...], text: bool) -> Iterator[pa.RecordBatch]:
        return table.batches(list(names) + list(outputs), text=outputs if text else ())

    def output(batch: pa.RecordBatch, text: bool) -> Labels:
        if text:
            return as_text(batch.column(outputs[0]), outputs[0])
        return _matrix(batch, outputs)

    return Samples(
        name=str(table.path),
        inputs=roles.inputs,
        outputs=outputs,
        kind=kind,
        textual=False,
        blocks=lambda text: (
            (_matrix(batch, roles.inputs), output(batch, text))
            for batch in read(roles.inputs, text)
            if batch.num_rows
        ),
        labels=lambda text: (output(batch, text) for batch in read((), text) if batch.num_rows),
        flags=flags if one else ("--classes", "--numbers"),
        rows=table.rows,
        notes=(*table.notes, *roles.notes),
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
