"""Stage 3b: the tables of single experiments as one."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from stagewise.files import read_table
from stagewise.schemas import (
    FORECASTS,
    LEARNING_TIMES,
    PLATEAUS,
    REFERENCES,
    STAGES,
    SUMMARY,
    TEACHERS,
)

SCHEMAS = {
    "learning_times": LEARNING_TIMES,
    "trajectory_summary": SUMMARY,
    "forecasts": FORECASTS,
    "references": REFERENCES,
    "teachers": TEACHERS,
    "stages": STAGES,
    "plateaus": PLATEAUS,
}


def joined(name: str, paths: Iterable[Path]) -> pa.Table:
    """The tables of one kind, a key of `SCHEMAS`, one after the other; empty if there are none."""
    tables = [SCHEMAS[name].empty_table(), *(read_table(path) for path in paths)]
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()
