"""The ends of each column's values, and what stands there for a missing value: -999, 1e20, …"""

import re
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.intake.wording import counted, listed

_LARGE = 1e20
"""From here on a value is no measurement, if all others of its column are far smaller."""
_INTEGERS = (2.0**15, 2.0**31, 2.0**63)
_APART = 10.0
"""So many ranges of the other values lie between them and a value that looks like any other."""
_SHARE = 0.005
"""Of the rows; fewer of such a value are outliers, and saturated pixels at the edge of images."""


@dataclass
class Extreme:
    """One end of each column. end : np.minimum or np.maximum.

    value : (columns,). count : (columns,), in how many rows. following : (columns,), the next value
    inwards, infinite where there is none.
    """

    end: np.ufunc
    value: FloatArray
    count: IntArray
    following: FloatArray

    @classmethod
    def of(cls, end: np.ufunc, columns: int) -> "Extreme":
        """Before the first row."""
        nothing = np.full(columns, np.inf if end is np.minimum else -np.inf)
        return cls(end, nothing, np.zeros(columns, dtype=np.int64), nothing)

    def add(self, values: FloatArray) -> None:
        """Take in a block of finite numbers (rows, columns), at least one row."""
        nothing = np.inf if self.end is np.minimum else -np.inf
        value = self.end.reduce(values, axis=0)
        others = values != value
        count = len(values) - np.count_nonzero(others, axis=0)
        following = self.end.reduce(values, axis=0, where=others, initial=nothing)
        outer = self.end(self.value, value)
        self.count = np.where(self.value == outer, self.count, 0) + np.where(
            value == outer, count, 0
        )
        inner = np.stack([self.value, self.following, value, following])
        self.following = self.end.reduce(np.where(inner == outer, nothing, inner), axis=0)
        self.value = outer


def stand_ins(low: Extreme, high: Extreme, names: tuple[str, ...], rows: int) -> list[str]:
    """Sentences on values that seem to stand for missing ones, one a value."""
    found = [
        (float(end.value[column]), names[column], int(end.count[column]))
        for end, other in ((low, high), (high, low))
        for column in np.flatnonzero(_far(end, other, rows))
    ]
    sentences = []
    for value, columns in groupby(sorted(found), key=lambda each: each[0]):
        _, where, counts = zip(*columns, strict=True)
        sentences.append(
            f"{value:.7g} lies far from all other values of {listed(where)} "
            f"({counted(sum(counts), 'value')}); if it stands for missing ones, fill them or remove "
            "those rows"
        )
    return sentences


def _far(end: Extreme, other: Extreme, rows: int) -> BoolArray:
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.abs(end.following - end.value)
        others = np.abs(other.value - end.following)
        apart = np.isfinite(end.following) & (gap > others)
        usual = (gap > _APART * others) & (others > 0) & (end.count >= max(3, _SHARE * rows))
    places = np.flatnonzero(apart)
    coded = np.zeros(len(apart), dtype=bool)
    coded[places] = [_is_code(end.value[place], end.count[place]) for place in places]
    return np.asarray(apart & (usual | coded))


def _is_code(value: float, count: int) -> bool:
    """Whether a number is one that people and programs write for a missing value."""
    size = abs(value)
    nines = re.fullmatch(r"9{2,}(\.9+)?", f"{size:.7g}") is not None
    common = size < 100 and value > 0  # a pixel may have the value 99
    return bool(
        (nines and (count > 2 or not common)) or size >= _LARGE or size + (value > 0) in _INTEGERS
    )
