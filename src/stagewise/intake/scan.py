"""What one pass over the numbers notices: missing values, constants, columns of row numbers."""

from dataclasses import dataclass, field

import numpy as np

from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.errors import StagewiseError
from stagewise.intake.wording import counted, listed

_ROUNDING = 4
"""Units in the last place by which values of a constant may differ."""


@dataclass
class Scan:
    """Fed block by block with the numbers of all columns, NaN where missing.

    low, high : (columns,), the range of values. numbering : (columns,), whether values have been
    0, 1, 2, … or 1, 2, 3, … down to here.
    """

    file: str
    names: tuple[str, ...]
    rows: int = 0
    total_missing: int = 0
    first_missing: tuple[int, str, float] | None = None
    low: FloatArray = field(init=False)
    high: FloatArray = field(init=False)
    missing: IntArray = field(init=False)
    numbering: BoolArray = field(init=False)
    _first: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        columns = len(self.names)
        self.low, self.high = np.full(columns, np.inf), np.full(columns, -np.inf)
        self.missing = np.zeros(columns, dtype=np.int64)
        self.numbering = np.ones(columns, dtype=bool)
        self._first = np.zeros(columns)

    def add(self, values: FloatArray) -> None:
        """Notice what a block (rows, columns) holds."""
        if not len(values):
            return
        finite = np.isfinite(values)
        if not finite.all():
            self.missing += (~finite).sum(axis=0)
            self.total_missing = int(self.missing.sum())
            if self.first_missing is None:
                row, column = np.argwhere(~finite)[0]
                value = float(values[row, column])
                self.first_missing = (self.rows + int(row) + 1, self.names[column], value)
        else:
            self.low = np.minimum(self.low, values.min(axis=0))
            self.high = np.maximum(self.high, values.max(axis=0))
            self._follow_numbering(values)
        self.rows += len(values)

    def _follow_numbering(self, values: FloatArray) -> None:
        if self.rows == 0:
            self._first = values[0]
            self.numbering = np.isin(self._first, (0.0, 1.0))
        counted_on = self.rows + self._first[self.numbering] + np.arange(len(values))[:, None]
        self.numbering[self.numbering] = (values[:, self.numbering] == counted_on).all(axis=0)

    def check(self) -> None:
        """Refuse missing values and fewer than two rows."""
        if self.rows < 2:
            raise StagewiseError(
                f"{self.file} has {counted(self.rows, 'row')} of data; at least 2 are needed, and "
                "more than there are inputs for a forecast that means something."
            )
        if self.first_missing is not None:
            row, first, value = self.first_missing
            where = [self.names[place] for place in np.flatnonzero(self.missing)]
            infinite = "" if np.isnan(value) else f", {value}"
            raise StagewiseError(
                f"{self.file} holds {counted(self.total_missing, 'value')} missing or not finite, "
                f"the first in column {first!r} (row {row}{infinite}); columns with some: "
                f"{listed(where)}. Fill them or remove those rows or columns."
            )

    @property
    def constant(self) -> BoolArray:
        """Whether each column holds one value, up to rounding (columns,)."""
        size = np.maximum(np.abs(self.low), np.abs(self.high))
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(self.high - self.low <= _ROUNDING * np.spacing(size))
