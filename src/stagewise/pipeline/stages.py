"""Stage 3: stages of escape from saddles, counted in recorded runs."""

from collections.abc import Iterable

import pyarrow as pa

from stagewise.analysis import plateaus
from stagewise.pipeline.statistics import RecordedRun, recorded_runs
from stagewise.store.schemas import RUN_COLUMNS, STAGES
from stagewise.theory import plateau_loss


def stages_table(shards: Iterable[pa.Table]) -> pa.Table:
    """`stages.parquet` of one experiment: a row a run and plateau, the last where the run ended.

    shards : trajectory tables. Rows are sorted by run, stage. Stage k is the one that
    ends plateau k, so a run has one row more than stages.
    """
    rows = [row for shard in shards for run in recorded_runs(shard) for row in _rows(run)]
    rows.sort(key=lambda row: (row["run"], row["stage"]))
    return pa.Table.from_pylist(rows, schema=STAGES)


def _rows(run: RecordedRun) -> list[dict[str, object]]:
    run = run.on_common_grid()
    sigma = run.modes.sigma
    gradient_norm, values = run.scalar("gradient_norm"), run.response_values
    beyond = run.scalar("trace_norm") - run.per_mode("singular_value").sum(axis=1)
    distance = run.per_mode("reduced_rank_distance")[:, -1]
    found = plateaus(gradient_norm, values, sigma)
    shared = {name: run.first(name) for name in RUN_COLUMNS}
    return [
        shared
        | {
            "stage": position + 1,
            "stages": len(found) - 1,
            "learned": each.learned,
            "rises": each.rises,
            "iteration": int(run.iterations[each.record]),
            "gradient_norm": float(gradient_norm[each.record]),
            "loss": float(run.scalar("loss")[each.record]),
            "predicted_loss": (
                plateau_loss(sigma, each.learned) if run.first("observed") == 1 else None
            ),
            "peak_iteration": None if each.peak is None else int(run.iterations[each.peak]),
            "peak_gradient_norm": None if each.peak is None else float(gradient_norm[each.peak]),
            "distance": float(distance[each.record]),
            "beyond": float(beyond[each.record] / sigma[-1]),
        }
        for position, each in enumerate(found)
    ]
