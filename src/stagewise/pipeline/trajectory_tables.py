"""Batches of trained runs as tables, a row per run, record and mode: a part of the runs at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stagewise.arrays import AnyArray, FloatArray, IntArray
from stagewise.store.schemas import RUN_COLUMNS, TRAJECTORIES

Value = str | float | bool


@dataclass(frozen=True)
class Trained:
    """A batch of runs with what is known of them.

    per_run : what every row about a run says, run by run: `schemas.RUN_COLUMNS`. sigma, lam : (runs,
    modes). iterations : of records (runs, records), -1 where there is none. per_record : columns
    (runs, records), those with a value per mode (runs, records, modes).
    """

    per_run: Sequence[Mapping[str, Value]]
    sigma: FloatArray
    lam: FloatArray
    iterations: IntArray
    per_record: Mapping[str, AnyArray]

    @property
    def modes(self) -> int:
        """Number of modes followed."""
        return int(self.sigma.shape[1])

    @property
    def rows(self) -> IntArray:
        """How many rows each run has (runs,)."""
        return np.asarray((self.iterations >= 0).sum(axis=1) * self.modes)

    def some(self, runs: IntArray) -> "Trained":
        """A part of the runs, by their positions."""
        return Trained(
            per_run=[self.per_run[run] for run in runs],
            sigma=self.sigma[runs],
            lam=self.lam[runs],
            iterations=self.iterations[runs],
            per_record={name: each[runs] for name, each in self.per_record.items()},
        )


def trajectory_tables(batches: Sequence[Trained], most_rows: int) -> Iterator[pa.Table]:
    """Tables of some runs each, in the order of runs; rows sorted by run, iteration, mode.

    most_rows : of a table, but for those of one run.
    """
    sizes = [len(one.per_run) for one in batches]
    batch = np.repeat(np.arange(len(batches)), sizes)
    position = np.concatenate([np.arange(size) for size in sizes])
    order = np.argsort([run["run"] for one in batches for run in one.per_run])
    rows = np.concatenate([one.rows for one in batches])
    part = np.cumsum(rows[order]) // most_rows
    for runs in np.split(order, np.flatnonzero(np.diff(part)) + 1):
        tables = [
            _table(batches[at].some(position[runs[batch[runs] == at]]))
            for at in np.unique(batch[runs])
        ]
        yield tables[0] if len(tables) == 1 else _sorted_by_run(tables)


def _table(trained: Trained) -> pa.Table:
    rows, modes, recorded = trained.rows, trained.modes, trained.iterations >= 0
    columns = {
        name: _repeated([each[name] for each in trained.per_run], rows) for name in RUN_COLUMNS
    }
    columns["iteration"] = np.repeat(trained.iterations[recorded], modes)
    columns["mode"] = np.tile(np.arange(1, modes + 1), recorded.sum())
    for name, values in trained.per_record.items():
        found = values[recorded]
        columns[name] = found.ravel() if found.ndim == 2 else np.repeat(found, modes)
    for name, values in (("sigma", trained.sigma), ("lam", trained.lam)):
        columns[name] = np.repeat(values, rows // modes, axis=0).ravel()
    schema = pa.schema([field for field in TRAJECTORIES if field.name in columns])
    arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
    return pa.table(arrays, schema=schema)


def _repeated(values: Sequence[Value], rows: IntArray) -> AnyArray | pa.Array:
    """Each value as often as its run has rows; texts as codes and a dictionary."""
    if not isinstance(values[0], str):
        return np.repeat(np.array(values), rows)
    texts = list(dict.fromkeys(values))
    codes = [texts.index(value) for value in values]
    return pa.DictionaryArray.from_arrays(np.repeat(np.array(codes, dtype=np.int32), rows), texts)


def _sorted_by_run(tables: Sequence[pa.Table]) -> pa.Table:
    """All rows; those of a run lie together, so that they are moved as a piece."""
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    runs = table["run"].to_numpy()
    starts = np.flatnonzero(np.diff(runs, prepend=-1))
    rows = np.diff(starts, append=len(runs))
    pieces = [table.slice(starts[run], rows[run]) for run in np.argsort(runs[starts])]
    return pa.concat_tables(pieces).combine_chunks()
