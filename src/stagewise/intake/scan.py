"""What one pass over the numbers notices: missing values, constants, columns of row numbers."""

from dataclasses import dataclass, field

import numpy as np

from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.errors import StagewiseError
from stagewise.intake.extremes import Extreme, stand_ins
from stagewise.intake.wording import counted, listed

FEW = 20
"""As many whole numbers are taken for classes, where nobody says what they are."""
_ROUNDING = 4
"""Units in the last place by which values of a constant may differ."""


@dataclass
class Scan:
    """Fed block by block with the numbers of all columns, NaN where missing.

    low, high : the ends of the range of values. whole : (columns,), whether all have been whole
    numbers down to here.
    """

    file: str
    names: tuple[str, ...]
    rows: int = 0
    total_missing: int = 0
    first_missing: tuple[int, str, float] | None = None
    low: Extreme = field(init=False)
    high: Extreme = field(init=False)
    missing: IntArray = field(init=False)
    whole: BoolArray = field(init=False)
    _sums: FloatArray = field(init=False)
    last_values: FloatArray = field(init=False)
    """Distinct values of the last column, up to `FEW` and one more."""

    def __post_init__(self) -> None:
        columns = len(self.names)
        self.low, self.high = Extreme.of(np.minimum, columns), Extreme.of(np.maximum, columns)
        self.missing = np.zeros(columns, dtype=np.int64)
        self.whole = np.ones(columns, dtype=bool)
        self._sums = np.zeros((2, columns))
        self.last_values = np.zeros(0)

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
            self.low.add(values)
            self.high.add(values)
            self._follow_whole(values)
            if len(self.last_values) <= FEW:
                self.last_values = np.union1d(self.last_values, values[:, -1])[: FEW + 1]
        self.rows += len(values)

    def _follow_whole(self, values: FloatArray) -> None:
        whole = values[:, self.whole]
        kept = (whole == np.round(whole)).all(axis=0)
        self.whole[self.whole] = kept
        whole = whole[:, kept]
        with np.errstate(over="ignore"):  # of numbers that count no rows
            self._sums[:, self.whole] += [whole.sum(axis=0), (whole**2).sum(axis=0)]

    @property
    def numbering(self) -> BoolArray:
        """Whether each column holds 0, 1, 2, … or 1, 2, 3, … in whatever order (columns,)."""
        count = float(self.rows)
        low, high = self.low.value, self.high.value
        first = np.clip(low, 0, 1)
        sums = count * (count - 1) / 2 + first * count
        squares = (count - 1) * count * (2 * count - 1) / 6 + first * (2 * sums - first * count)
        ranges = (low == first) & (high - low == count - 1)
        return np.asarray(
            self.whole & ranges & np.isclose(self._sums, [sums, squares], rtol=1e-12).all(axis=0)
        )

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
        low, high = self.low.value, self.high.value
        size = np.maximum(np.abs(low), np.abs(high))
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(high - low <= _ROUNDING * np.spacing(size))

    @property
    def stand_ins(self) -> list[str]:
        """Sentences on values that seem to stand for missing ones."""
        return stand_ins(self.low, self.high, self.names, self.rows)
