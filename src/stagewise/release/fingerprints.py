"""A table in a few numbers per column: enough to say how far a rebuild is from it.

Rows, and the places of missing and infinite values, are kept as digests; of each column of numbers, in
each experiment (and quantity), the smallest, the largest, the mean magnitude and a mean weighted by
position, which also moves when values change places.
"""

import hashlib

import numpy as np
import pandas as pd

GROUPS = ("experiment", "quantity")
STATISTICS = ("rows", "low", "high", "magnitude", "weighted")
MEASURED = ("status", "outcome")
"""Labels that follow from numbers; all others say what a row is about."""
KEYS = ("table", *GROUPS, "column")


def summary(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """One row per column of numbers and group; columns `KEYS` and `STATISTICS`."""
    by = [each for each in GROUPS if each in table.columns]
    groups = table.groupby(by, observed=True, sort=True) if by else [((), table)]
    rows = []
    for key, group in groups:
        place = dict(zip(by, key, strict=True))
        for column in _numbers(table):
            values = group[column].to_numpy(np.float64)
            rows.append(
                {"table": name, **{each: place.get(each, "") for each in GROUPS}, "column": column}
                | dict(zip(STATISTICS, _statistics(values), strict=True))
            )
    return pd.DataFrame(rows, columns=[*KEYS, *STATISTICS])


def digest_of_rows(table: pd.DataFrame) -> str:
    """Digest of a table's columns and of what its rows are about; not of what was measured."""
    labels = table.drop(columns=[*_numbers(table), *(set(MEASURED) & set(table.columns))])
    digest = hashlib.sha256(f"{list(table.columns)} {len(table)}".encode())
    digest.update(_text(labels))
    return digest.hexdigest()


def digest_of_labels(table: pd.DataFrame) -> str:
    """Digest of the labels that follow from numbers, and of places of missing and infinite values.

    At the edge of a criterion, and where rounding decides when a mode starts to grow, these may differ
    between processors.
    """
    digest = hashlib.sha256(_text(table[[name for name in MEASURED if name in table.columns]]))
    values = table[_numbers(table)].to_numpy(np.float64)
    digest.update(np.where(np.isfinite(values), 0.0, values).tobytes())
    return digest.hexdigest()


def _text(labels: pd.DataFrame) -> bytes:
    text: str = labels.astype("str").fillna("").to_csv(index=False, lineterminator="\n")
    return text.encode()


def _numbers(table: pd.DataFrame) -> list[str]:
    return list(table.select_dtypes("number").columns)


def _statistics(values: np.ndarray) -> tuple[float, ...]:
    place = np.flatnonzero(np.isfinite(values))
    if not len(place):
        return (len(values), 0.0, 0.0, 0.0, 0.0)
    there = values[place]
    weighted = (there * (place + 1)).mean() / len(values)
    return (len(values), there.min(), there.max(), np.abs(there).mean(), weighted)
