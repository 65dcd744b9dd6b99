"""A user's own data set takes a section of the configuration and no code."""

import numpy as np
import pytest

from stagewise.store.parquet import read_table

from .working_copy import RESULTS, build, change_config, planned

OWN = {
    "datasets": {"own": {"kind": "npz", "path": "own data.npz"}},
    "experiments": {
        "own_experiment": {
            "datasets": ["own", "digits"],
            "delta": [3],
            "step_size": [0.25],
            "step_size_unit": "per_curvature",
            "replicates": 2,
            "modes": 2,
        }
    },
}


@pytest.fixture
def with_own_data(built):
    write_data(built, seed=1)
    change_config(built, OWN)
    return built


def write_data(copy, seed: int) -> None:
    generator = np.random.default_rng(seed)
    labels = np.arange(60) % 3
    inputs = generator.normal(size=(60, 4)) + 2 * np.eye(4)[labels]
    np.savez(copy / "own data.npz", X=inputs, y=labels)


def test_own_data_run_through_and_editing_the_file_reruns_what_reads_it(with_own_data):
    jobs = build(with_own_data).jobs
    assert [job for job in jobs if job.startswith(("Moments", "Training"))] == [
        "Moments of the data set own",
        "Training shard 0 of own_experiment",
    ]
    times = read_table(with_own_data / RESULTS / "learning_times.parquet").to_pandas()
    own = times[times["dataset"] == "own"]
    assert set(own["experiment"]) == {"own_experiment"}
    assert list(zip(own["seed"], own["mode"], strict=True)) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert set(own["dim_in"]) == {4}
    assert set(own["dim_out"]) == {3}
    assert own["learning_iteration"].notna().all()

    assert planned(with_own_data) == []
    write_data(with_own_data, seed=2)
    assert [job for job in planned(with_own_data) if job.startswith(("Moments", "Training"))] == [
        "Moments of the data set own",
        "Training shard 0 of own_experiment",
    ]
