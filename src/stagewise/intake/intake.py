"""From a file to statistics: the one path for every container."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.intake.columns import Columns
from stagewise.intake.outputs import Encoding, are_classes, encoding
from stagewise.intake.scan import FEW, Scan
from stagewise.intake.streamed_moments import Statistics, check_range, statistics_of
from stagewise.intake.streamed_samples import Samples
from stagewise.intake.wording import listed, pasted


@dataclass(frozen=True)
class Intake:
    """A file's statistics, and what was understood and left out on the way.

    inputs, outputs : names of the columns. classes : how many, 0 where the outputs are numbers.
    constant_inputs, constant_outputs : places of columns that hold one value.
    """

    name: str
    statistics: Statistics
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    classes: int
    constant_inputs: tuple[int, ...]
    constant_outputs: tuple[int, ...]
    notes: tuple[str, ...]


def take_in(samples: Samples, droppable: bool) -> Intake:
    """Read the samples once, or twice where classes have to be found first.

    droppable : whether a column can be left out by name, for the advice.
    Raises StagewiseError for missing values, fewer than two rows, and outputs of neither kind.
    """
    outputs = encoding(samples)
    scan = Scan(samples.name, (*samples.inputs, *samples.outputs))
    found = statistics_of(_blocks(samples, outputs, scan))
    check_range(found)
    split = len(samples.inputs)
    numbers = outputs.classes == 0
    constant = np.flatnonzero(scan.constant)
    notes = list(samples.notes)
    if outputs.note is not None:
        notes.append(outputs.note)
    elif (
        numbers
        and len(samples.outputs) == 1
        and len(scan.last_values) <= FEW
        and are_classes(scan.last_values, scan.rows)
    ):
        notes.append(
            f"the {len(scan.last_values)} different whole numbers of {samples.outputs[0]!r} are "
            f"taken as a quantity to predict; if they are classes, say {samples.flags[0]}"
        )
    notes += scan.stand_ins
    notes += _row_numbers(samples, scan, found) if droppable else []
    return Intake(
        name=samples.name,
        statistics=found,
        inputs=samples.inputs,
        outputs=outputs.names,
        classes=outputs.classes,
        constant_inputs=tuple(constant[constant < split].tolist()),
        constant_outputs=tuple((constant[constant >= split] - split).tolist()) if numbers else (),
        notes=tuple(notes),
    )


def open_samples(path: Path, columns: Columns) -> Samples:
    """A table as samples; `.npz` archives have `arrays.array_samples`."""
    from stagewise.intake.table_samples import table_samples
    from stagewise.intake.tables import Table

    return table_samples(Table.open(path, header=columns.header), columns)


def _blocks(
    samples: Samples, outputs: Encoding, scan: Scan
) -> Iterator[tuple[FloatArray, FloatArray]]:
    for inputs, raw in samples.blocks(outputs.as_text):
        encoded = outputs.encode(raw)
        shown = encoded.sum(axis=1, keepdims=True) if outputs.as_text else encoded
        scan.add(np.hstack([inputs, shown]))
        if not scan.total_missing:  # else go on counting, for the sentence
            yield inputs, encoded
    scan.check()


def _row_numbers(samples: Samples, scan: Scan, statistics: Statistics) -> list[str]:
    if scan.rows < 3:
        return []
    places = np.flatnonzero(scan.numbering[: len(samples.inputs)]).tolist()
    found = [samples.inputs[place] for place in places]
    together = _counting_together(scan, statistics) if not found else 0
    found = found or list(samples.inputs[:together])
    if not found:
        return []
    verb, it_is = ("counts", "it is") if len(found) == 1 else ("count", "they are")
    return [
        f"{listed(found)} {verb} the rows{' together' * (together > 0)}; if {it_is} no input, say "
        f"--drop {pasted(found)}"
    ]


def _counting_together(scan: Scan, statistics: Statistics) -> int:
    """How many of the first inputs hold every combination of whole numbers from 0 or 1 once.

    So do the levels of a saved table's index, and settings of an experiment. 0 if they do not.
    """
    low, high = scan.low.value, scan.high.value
    levels = high - low + 1
    counting = scan.whole & np.isin(low, (0.0, 1.0)) & (levels > 1)
    for columns in (2, 3):
        first = slice(columns)
        if columns >= len(statistics.mean_x) or not counting[first].all():
            return 0
        if np.prod(levels[first]) == scan.rows and statistics.xx is not None:
            scale = statistics.scale_x[first]
            grid = np.diag((levels[first] ** 2 - 1) / 12)
            if np.allclose(statistics.xx[first, first] * np.outer(scale, scale), grid, rtol=1e-9):
                return columns
    return 0


def refuse_all_constant(intake: Intake) -> None:
    """Raise StagewiseError where nothing would be left without the constant columns."""
    for kind, names, constant in (
        ("input", intake.inputs, intake.constant_inputs),
        ("output", intake.outputs, intake.constant_outputs),
    ):
        if len(constant) == len(names):
            raise StagewiseError(
                f"Every {kind} of {intake.name} is constant; nothing can be learned."
            )
