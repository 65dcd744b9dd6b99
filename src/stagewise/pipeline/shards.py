"""Trajectories of an experiment, read so that few of them are in memory at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from stagewise.store.parquet import count_rows, read_table
from stagewise.store.schemas import GRID_COLUMNS

MOST_ROWS = 600_000
"""Rows of trajectories in memory, some 300 MB, unless the runs of one grid point have more."""


@dataclass(frozen=True)
class Shards:
    """The files of one experiment; every grid point has runs in any of them."""

    paths: Sequence[Path]

    def each(self, most_rows: int = MOST_ROWS) -> Iterator[pa.Table]:
        """One shard after the other, a large one in parts; whole runs."""
        for path in self.paths:
            if count_rows(path) <= most_rows:
                yield read_table(path)
                continue
            runs = read_table(path, ["run"])["run"].to_numpy()
            ends = runs[most_rows - 1 :: most_rows]  # where these fall within a run, it goes before
            edges = [runs[0] - 1, *ends.tolist(), runs[-1]]
            for before, last in pairwise(edges):
                if last > before:
                    yield read_table(path, runs=(before + 1, last))

    def by_points(
        self, times: pa.Table, most_rows: float = MOST_ROWS
    ) -> Iterator[Iterator[pa.Table]]:
        """Block after block of whole grid points: of each, the runs that a shard has, shard by shard.

        times : learning times of all runs, which say what grid points there are.
        """
        rows = sum(map(count_rows, self.paths))
        for block in _blocks(times, most_rows / max(rows, 1)):
            yield self._of_runs(block)

    def _of_runs(self, runs: tuple[int, int]) -> Iterator[pa.Table]:
        for path in self.paths:
            table = read_table(path, runs=runs)
            if table.num_rows:
                yield table


def _blocks(times: pa.Table, share: float) -> list[tuple[int, int]]:
    """First and last run of blocks with at most this share of the runs, or one grid point.

    Runs are numbered grid point by grid point. Points with equal columns are one point, even where
    their runs lie apart; what lies between is then in their block.
    """
    found = times.group_by(GRID_COLUMNS).aggregate([("run", "min"), ("run", "max")])
    first, last = (found[f"run_{end}"].to_numpy() for end in ("min", "max"))
    order = np.argsort(first)
    most = share * (last.max(initial=-1) + 1)
    blocks: list[tuple[int, int]] = []
    for start, end in zip(first[order].tolist(), last[order].tolist(), strict=True):
        together = blocks and (start <= blocks[-1][1] or end - blocks[-1][0] < most)
        if together:
            blocks[-1] = blocks[-1][0], max(end, blocks[-1][1])
        else:
            blocks.append((start, end))
    return blocks
