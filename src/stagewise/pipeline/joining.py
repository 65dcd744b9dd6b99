"""Stage 3b: forecasts beside learning times, and the tables of single experiments as one."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from stagewise.store.parquet import read_table
from stagewise.store.schemas import (
    FORECASTS,
    LEARNING_TIMES,
    PLATEAUS,
    REFERENCES,
    STAGES,
    SUMMARY,
    TEACHERS,
)
from stagewise.store.training_schema import TRAINING

SCHEMAS = {
    "learning_times": LEARNING_TIMES,
    "trajectory_summary": SUMMARY,
    "forecasts": FORECASTS,
    "references": REFERENCES,
    "teachers": TEACHERS,
    "stages": STAGES,
    "plateaus": PLATEAUS,
    "training": TRAINING,
}
_ROWS = 10_000
"""Learning times that are turned into Python objects at a time."""


def joined(name: str, paths: Iterable[Path]) -> pa.Table:
    """The tables of one kind, a key of `SCHEMAS`, one after the other; empty if there are none."""
    tables = [SCHEMAS[name].empty_table(), *(read_table(path) for path in paths)]
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def with_forecasts(times: pa.Table, forecasts: pa.Table) -> pa.Table:
    """Learning times with the forecasts of their grid points filled in; order and schema kept."""
    predicted = [name for name in FORECASTS.names if name.startswith("predicted_")]
    keys = ("experiment", "dataset", "draw", "width", "delta", "relative_step_size", "mode")
    by_point, draws = {}, dict[tuple[str, str], int]()
    for row in forecasts.to_pylist():
        by_point[tuple(row[key] for key in keys)] = row
        dataset = row["experiment"], row["dataset"]
        draws[dataset] = max(draws.get(dataset, 0), row["draw"] + 1)
    assert len(by_point) == forecasts.num_rows  # one forecast a point
    found: list[dict[str, float | None]] = []
    nothing: dict[str, float | None] = {}
    read = [*(key for key in keys if key != "draw"), "seed", "depth", "initialisation"]
    for some in times.select(read).to_batches(max_chunksize=_ROWS):
        for row in some.to_pylist():
            row["draw"] = row["seed"] % draws.get((row["experiment"], row["dataset"]), 1)
            # The forecasts are for two layers that start with independent Gaussian entries.
            fits = row["depth"] == 2 and row["initialisation"] == "gaussian"
            found.append(
                by_point.get(tuple(row[key] for key in keys), nothing) if fits else nothing
            )
    for name in predicted:
        field = times.schema.field(name)
        column = pa.array([row.get(name) for row in found], type=field.type, from_pandas=True)
        times = times.set_column(times.schema.get_field_index(name), field, column)
    return times
