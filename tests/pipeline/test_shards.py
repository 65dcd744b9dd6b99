"""Trajectories are read block by block: same curves, and what was read before is let go."""

import numpy as np
import pyarrow as pa
import pytest

from stagewise.config.models import Experiment
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.aligned import AlignedData
from stagewise.data.kinds.random_modes import RandomModesData
from stagewise.pipeline.curves import summary_table
from stagewise.pipeline.learning_times import learning_times_table
from stagewise.pipeline.shards import Shards
from stagewise.pipeline.simulate import simulate, simulated
from stagewise.planning.experiments import shard, shard_count
from stagewise.store.parquet import canonical_hash

DATASETS = {
    "three": draw_moments("three", AlignedData(kind="aligned", sigma=[1.0, 0.6, 0.3]), None),
    "pairs": draw_moments("pairs", RandomModesData(kind="random_modes", draws=3), None),
}


def experiment(**changes):
    fields = {
        "datasets": ["three", "pairs"],
        "initialisation": ["gaussian"],
        "delta": [1.5, 2.0],
        "step_size": [0.1],
        "replicates": 4,
        "records_per_decade": 30,
        "runs_per_shard": 6,
    }
    return Experiment.model_validate(fields | changes)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """The shards of an experiment as files, in groups of few rows, and its learning times."""
    monkeypatch.setattr("stagewise.store.parquet.ROW_GROUP", 64)

    def write(each):
        from stagewise.store.parquet import write_table

        paths = [tmp_path / f"{index}.parquet" for index in range(shard_count(each))]
        for index, path in enumerate(paths):
            write_table(simulate(shard("trial", each, index), each, DATASETS), path)
        shards = Shards(paths)
        return shards, learning_times_table(shards.each())

    return write


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"depth": [1, 2]},
        # Pairs have two hidden units by themselves: two points of the grid with equal columns.
        {"width": [None, 3, 2]},
        {"delta": [0.1, 3.0], "step_size": [0.1, 4.0]},  # with runs that diverge
    ],
)
@pytest.mark.parametrize("share", [0, 0.6])
def test_curves_made_block_by_block_are_those_made_at_once(changes, share, written):
    shards, times = written(experiment(**changes))
    rows = sum(table.num_rows for table in shards.each())
    blocks = [list(tables) for tables in shards.by_points(times, share * rows)]
    assert len(blocks) > 1
    assert sum(table.num_rows for tables in blocks for table in tables) == rows
    assert canonical_hash(summary_table(blocks)) == canonical_hash(summary_table([shards.each()]))


def test_a_block_has_no_more_rows_than_asked_for_or_one_grid_point(written):
    shards, times = written(experiment(datasets=["three"], delta=[1.5, 1.6, 1.7, 1.8, 1.9, 2.0]))
    points = [
        sum(table.num_rows for table in tables) for tables in shards.by_points(times, most_rows=1)
    ]
    assert len(points) == 6
    two = 2.5 * sum(points) / 6
    blocks = [sum(table.num_rows for table in tables) for tables in shards.by_points(times, two)]
    assert len(blocks) == 3
    assert max(blocks) < two


def test_memory_does_not_grow_with_the_blocks_that_were_read(written):
    """At the start of a block nothing is held of those before but their curves."""
    shards, times = written(
        experiment(
            datasets=["three"], delta=[1.5 + 0.1 * point for point in range(8)], replicates=40
        )
    )
    held, sizes = [], []

    def watched():
        for tables in shards.by_points(times, most_rows=1):
            held.append(pa.total_allocated_bytes())
            block = list(tables)
            sizes.append(sum(table.nbytes for table in block))
            yield block

    summary_table(watched())
    assert len(held) == 8
    assert held[-1] - held[1] < sum(sizes[1:-1]) / 3


def test_parts_of_a_shard_in_the_order_of_runs_make_the_whole():
    """Also where runs of other shapes, that are trained apart, lie between."""
    each = experiment(depth=[1, 2], width=[2, 3])
    runs = shard("trial", each, 1)
    whole = simulate(runs, each, DATASETS)
    longest = np.bincount(whole["run"].to_numpy()).max()
    parts = list(simulated(runs, each, DATASETS, rows=2 * longest))
    assert len(parts) > 2
    assert all(part.num_rows <= 3 * longest for part in parts)
    assert canonical_hash(pa.concat_tables(parts).unify_dictionaries()) == canonical_hash(whole)
    assert whole["run"].to_pylist() == sorted(whole["run"].to_pylist())


@pytest.mark.parametrize("most_rows", [1, 500, 10**6])
def test_a_large_shard_is_read_in_parts_of_whole_runs(most_rows, written):
    shards, times = written(experiment(depth=[1, 2]))
    parts = list(shards.each(most_rows))
    runs = [set(part["run"].to_pylist()) for part in parts]
    assert sum(map(len, runs)) == len(set().union(*runs)) == len(times["run"].unique())
    longest = max(np.bincount(part["run"].to_numpy()).max() for part in parts)
    assert all(part.num_rows <= most_rows + longest for part in parts)
    assert canonical_hash(learning_times_table(parts)) == canonical_hash(times)
