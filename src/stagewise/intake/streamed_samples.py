"""The one form that every container is brought into: named columns, streamed in blocks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from stagewise.arrays import FloatArray
from stagewise.intake.columns import Outputs

if TYPE_CHECKING:
    import pyarrow as pa

Labels = Union[FloatArray, "pa.StringArray"]
"""Outputs as numbers (rows, p), NaN where missing, or as text (rows,), null where missing."""


@dataclass(frozen=True)
class Samples:
    """Rows of a file by role.

    inputs, outputs : names of columns. kind : "auto" where nobody has said what the outputs are.
    textual : the outputs are text or truth values, so that only classes can be meant.
    blocks : streams (inputs, outputs) from the start each time it is called, inputs (rows, d) with
    NaN where missing; its argument says whether outputs are wanted as text. labels : the outputs
    alone. flags : how a person says that outputs are classes, and that they are numbers. rows :
    about how many there are.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    kind: Outputs
    textual: bool
    blocks: Callable[[bool], Iterator[tuple[FloatArray, Labels]]]
    labels: Callable[[bool], Iterator[Labels]]
    flags: tuple[str, str]
    rows: int
    notes: tuple[str, ...] = ()
