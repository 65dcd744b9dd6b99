"""What a result says of where it came from."""

import pyarrow as pa

from stagewise.release.provenance import provenance
from stagewise.store.parquet import write_table


def test_tables_of_one_experiment_are_told_apart_by_their_kind(tmp_path):
    paths = [tmp_path / kind / "trial.parquet" for kind in ("learning_times", "stages")]
    for number, path in enumerate(paths):
        write_table(pa.table({"value": [number]}), path)
    hashes = provenance({}, paths)["aggregates"]
    assert list(hashes) == ["learning_times/trial.parquet", "stages/trial.parquet"]
    assert len(set(hashes.values())) == 2
