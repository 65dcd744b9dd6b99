"""Trajectory tables as arrays: all runs of a table with equally many modes at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from stagewise.arrays import AnyArray, BoolArray, FloatArray, IntArray
from stagewise.store.schemas import RUN_COLUMNS


@dataclass(frozen=True)
class RecordedRuns:
    """Runs as arrays (runs, records, modes), padded where a run has fewer records.

    table : a row per run, record and mode, the other columns. runs : a row per run, the columns
    `RUN_COLUMNS`. length : (runs,), how many records each has.
    places : (runs, records, modes), rows in the table they come from.
    """

    table: pa.Table
    runs: pa.Table
    length: IntArray
    places: IntArray

    @property
    def valid(self) -> BoolArray:
        """(runs, records), false where padded."""
        return np.asarray(np.arange(self.places.shape[1]) < self.length[:, None])

    @property
    def modes(self) -> int:
        """Number of modes followed."""
        return int(self.places.shape[2])

    def of_run(self, name: str) -> AnyArray:
        """A column with one value per run (runs,)."""
        return np.asarray(self.runs[name].to_numpy())

    def has(self, name: str) -> bool:
        """Whether this observable was recorded; "alignment" is made of two."""
        needs = ("response_value", "mode_strength") if name == "alignment" else (name,)
        return set(needs) <= set(self.table.column_names)

    def per_mode(self, name: str) -> FloatArray:
        """An observable (runs, records, modes), NaN where padded or not recorded.

        "alignment" is λ_k u_kᵀ W v_k over the k-th singular value of sigma_x·W: 1 where its k-th
        singular vectors are those of sigma_xy, if the two commute.
        """
        if name == "alignment":
            with np.errstate(divide="ignore", invalid="ignore"):
                strengths = self.per_mode("lam") * self.per_mode("mode_strength")
                return np.asarray(strengths / self.per_mode("response_value"))
        if not self.has(name):
            return np.broadcast_to(np.nan, self.places.shape)
        return np.where(self.valid[:, :, None], self.table[name].to_numpy()[self.places], np.nan)

    def scalar(self, name: str) -> FloatArray:
        """An observable with one value per record (runs, records), NaN where padded or missing."""
        if not self.has(name):
            return np.broadcast_to(np.nan, self.places.shape[:2])
        values = self.table[name].to_numpy()[self.places[:, :, 0]]
        return np.where(self.valid, values, np.nan)

    @property
    def iterations(self) -> IntArray:
        """(runs, records), −1 where padded."""
        return np.where(self.valid, self.table["iteration"].to_numpy()[self.places[:, :, 0]], -1)

    def spectrum(self, name: str) -> FloatArray:
        """`sigma` or `lam` of the modes followed (runs, modes)."""
        return np.asarray(self.table[name].to_numpy()[self.places[:, 0]])

    def some(self, positions: IntArray) -> "RecordedRuns":
        """A part of the runs, by their positions."""
        length = self.length[positions]
        places = self.places[positions, : length.max()]
        return RecordedRuns(self.table, self.runs.take(positions), length, places)

    def last(self, values: FloatArray) -> FloatArray:
        """The last record of every run, of values (runs, records, …)."""
        return np.asarray(values[np.arange(len(self.length)), self.length - 1])


def recorded_runs(trajectories: pa.Table, asked_only: bool = False) -> Iterator[RecordedRuns]:
    """The runs of a table that is sorted by run, iteration and mode, by their number of modes.

    asked_only : without the records that locate learning times.
    """
    table = trajectories.combine_chunks()
    if asked_only:
        table = table.filter(pa.compute.invert(table["refined"]))
    _, starts, rows = np.unique(table["run"], return_index=True, return_counts=True)
    modes = np.maximum.reduceat(table["mode"].to_numpy(), starts)
    # What every row repeats about its run is three quarters of a table, and not kept with the rest.
    of_runs, of_records = table.select(RUN_COLUMNS), table.drop_columns(RUN_COLUMNS)
    for count in np.unique(modes):
        mine = np.flatnonzero(modes == count)
        length = rows[mine] // count
        record = np.minimum(np.arange(length.max()), length[:, None] - 1)
        places = (starts[mine, None] + record * count)[:, :, None] + np.arange(count)
        yield RecordedRuns(of_records, of_runs.take(starts[mine]), length, places)
