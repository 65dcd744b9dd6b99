"""Classes or numbers: one rule for every container, and the outputs that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.intake.scan import FEW
from stagewise.intake.streamed_samples import Labels, Samples
from stagewise.intake.wording import counted

CLASSES_LIMIT = 1000
"""A class is an output of its own, so that many more could not be followed in any case."""
GUESSED_LIMIT = 200
"""So many are found without being asked for; most published sets of labels have fewer."""
ROWS_A_CLASS = 10
"""More of them only where they count 0, 1, 2, … and each comes about as often as this."""


@dataclass(frozen=True)
class Encoding:
    """How the outputs become numbers. names : one per output.

    classes : how many there are, 0 for numbers. codes : of each text, its class.
    """

    names: tuple[str, ...]
    classes: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    note: str | None = None

    @property
    def as_text(self) -> bool:
        """Whether it encodes text."""
        return bool(self.codes)

    def encode(self, outputs: Labels) -> FloatArray:
        """Outputs (rows, p) as numbers; a class is 1 in one column; NaN where missing."""
        if isinstance(outputs, np.ndarray):
            return outputs
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pc.index_in(outputs, value_set=pa.array(list(self.codes), pa.string()))
        places = found.fill_null(-1).to_numpy(zero_copy_only=False)
        codes = np.array([*self.codes.values(), self.classes])[places]
        rows = np.vstack([np.eye(self.classes), np.full(self.classes, np.nan)])
        return np.asarray(rows[codes])


def encoding(samples: Samples) -> Encoding:
    """Decide what the outputs are, in one pass over them where nobody has said it.

    Raises StagewiseError for a single class, for too many, and for text that should be numbers.
    """
    classes, numbers = samples.flags
    if len(samples.outputs) > 1 and samples.kind != "numbers" and _are_one_hot(samples):
        note = f"every row has a single 1, so that the outputs are taken as classes; else say {numbers}"
        return Encoding(samples.outputs, len(samples.outputs), note=note)
    if samples.kind == "classes":
        return _classes(samples)
    if samples.kind == "numbers" and samples.textual:
        raise StagewiseError(
            f"{samples.name}: the output {samples.outputs[0]!r} is text and cannot be a number to "
            f"predict. For classes say {classes}."
        )
    if samples.kind == "numbers" or len(samples.outputs) != 1:
        return Encoding(samples.outputs)
    if samples.textual:
        return _classes(samples)
    values, rows = _distinct_numbers(samples)
    if not are_classes(values, rows):
        return Encoding(samples.outputs, note=_doubt(samples, values, rows, classes))
    found = _classes(samples)
    note = (
        f"the whole numbers of {samples.outputs[0]!r} are taken as {found.classes} classes; if "
        f"they are a quantity to predict, say {numbers}"
    )
    return Encoding(found.names, found.classes, found.codes, note)


def are_classes(values: FloatArray, rows: int) -> bool:
    """Whether a column of these distinct values (ascending) holds classes, in so many rows.

    Whole numbers from −1 on, each twice or more on average; if more than `FEW` of them, they must
    also count on from 0 or 1 without a gap, each about `ROWS_A_CLASS` times. −1 stands for
    "the other class" and for outliers.
    """
    count = len(values)
    if count < 2 or count > GUESSED_LIMIT or not np.array_equal(values, np.round(values)):
        return False
    if count <= FEW:
        return bool(values[0] >= -1 and rows >= 2 * count)
    counting = values[0] in (0, 1) and values[-1] - values[0] == count - 1
    return bool(counting and rows >= ROWS_A_CLASS * count)


def _doubt(samples: Samples, values: FloatArray, rows: int, classes: str) -> str | None:
    """What is said of whole numbers that are taken as a quantity, though they repeat."""
    if len(values) < 2 or rows < 2 * len(values) or not np.array_equal(values, np.round(values)):
        return None
    if len(values) > CLASSES_LIMIT:
        return None
    return (
        f"the {len(values)} different whole numbers of {samples.outputs[0]!r} are taken as one "
        f"quantity to predict; if they are classes, say {classes}"
    )


def _distinct_numbers(samples: Samples) -> tuple[FloatArray, int]:
    """Distinct finite values (ascending) and rows, up to where they are too many for classes."""
    found, rows = np.zeros(0), 0
    for block in samples.labels(False):
        numbers = np.asarray(block, dtype=np.float64)[:, 0]
        rows += len(numbers)
        found = np.union1d(found, numbers[np.isfinite(numbers)])
        if len(found) > CLASSES_LIMIT or not np.array_equal(found, np.round(found)):
            break
    return found, rows


def _are_one_hot(samples: Samples) -> bool:
    """Whether every row of several outputs is 1 in one of them and 0 in the others."""
    return not samples.textual and all(
        (np.isin(block, (0.0, 1.0)).all() and (np.sum(block, axis=1) == 1.0).all())
        for block in samples.labels(False)
    )


def _classes(samples: Samples) -> Encoding:
    """Classes of the only output: by number where all are numbers, else by text."""
    import pyarrow.compute as pc

    column = samples.outputs[0]
    if len(samples.outputs) > 1:
        raise StagewiseError(
            f"{samples.name} has {len(samples.outputs)} outputs, but classes are told apart by one "
            "column, or by one for each class with a single 1 in every row. Give such ones, or leave "
            "the outputs as numbers."
        )
    found: set[str] = set()
    rows = 0
    for block in samples.labels(True):
        rows += len(block)
        found |= set(pc.unique(block).to_pylist()) - {None}
        if len(found) > CLASSES_LIMIT:
            break
    kinds = _by_number(found) or {text: text for text in found}
    names = sorted(set(kinds.values()), key=float if _by_number(found) else None)
    if len(names) > min(rows / 2, CLASSES_LIMIT) and rows >= 2:
        shown = ", ".join(map(repr, islice(names, 3)))
        how = "save it as numbers, not as text" if samples.textual else f"say {samples.flags[1]}"
        raise StagewiseError(
            f"{samples.name}: {column!r} has {len(names)} different values ({shown}, …) in the first "
            f"{counted(rows, 'row')}, too many for classes; up to {CLASSES_LIMIT} are followed, and "
            f"each should come more than once."
            + (f" Is it a number to predict? Then {how}." if _by_number(found) else "")
        )
    if len(names) == 1 and rows >= 2:
        raise StagewiseError(
            f"{samples.name}: {column!r} holds the single class {names[0]!r}; there is nothing to "
            "tell apart."
        )
    place = {name: code for code, name in enumerate(names)}
    codes = {text: place[kinds[text]] for text in sorted(found)}
    return Encoding(tuple(f"{column} = {name}" for name in names), len(names), codes)


def _by_number(texts: set[str] | Sequence[str]) -> dict[str, str]:
    """Texts of one number under one name ("1" for "1.0" and "01"); empty if one is no number."""
    try:
        values = {text: float(text) for text in texts}
    except ValueError:
        return {}
    if not all(np.isfinite(list(values.values()))):
        return {}
    return {
        text: f"{value:.17g}" if value.is_integer() else repr(value)
        for text, value in values.items()
    }
