"""Stage 3: stages of escape from saddles, counted in recorded runs."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from stagewise.analysis import plateaus
from stagewise.arrays import AnyArray
from stagewise.pipeline.run_arrays import RecordedRuns, recorded_runs
from stagewise.store.schemas import STAGES
from stagewise.theory import plateau_loss


def stages_table(shards: Iterable[pa.Table]) -> pa.Table:
    """`stages.parquet` of one experiment: a row per run and plateau, the last where the run ended.

    shards : trajectory tables, one in memory at a time. Rows are sorted by run, stage. Stage k is
    the one that ends plateau k, so a run has one row more than stages.
    """
    tables = [STAGES.empty_table()]
    for shard in shards:
        for runs in recorded_runs(shard, asked_only=True):
            tables.append(pa.Table.from_pylist(_rows(runs), schema=STAGES))
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    order = np.lexsort((table["stage"].to_numpy(), table["run"].to_numpy()))
    return table.take(order).combine_chunks()


def _rows(runs: RecordedRuns) -> list[dict[str, object]]:
    names = ("gradient_norm", "loss")
    curves: list[AnyArray] = [runs.iterations, *(runs.scalar(name) for name in names)]
    curves += [runs.per_mode("response_value"), runs.per_mode("reduced_rank_distance")[:, :, -1]]
    spectra = runs.spectrum("sigma")
    rows = []
    for position, (shared, length) in enumerate(
        zip(runs.runs.to_pylist(), runs.length.tolist(), strict=True)
    ):
        iterations, gradient_norm, loss, values, distance = (
            np.asarray(each[position, :length]) for each in curves
        )
        sigma = spectra[position]
        ratio = float((sigma[1:] / sigma[:-1]).max()) if len(sigma) > 1 else None
        found = plateaus(gradient_norm, values, sigma)
        rows += [
            shared
            | {
                "stage": stage + 1,
                "stages": len(found) - 1,
                "learned": each.learned,
                "sigma_ratio": ratio,
                "rises": each.rises,
                "iteration": int(iterations[each.record]),
                "gradient_norm": float(gradient_norm[each.record]),
                "loss": float(loss[each.record]),
                "predicted_loss": (
                    plateau_loss(sigma, each.learned) if shared["observed"] == 1 else None
                ),
                "peak_iteration": None if each.peak is None else int(iterations[each.peak]),
                "peak_gradient_norm": None
                if each.peak is None
                else float(gradient_norm[each.peak]),
                "distance": float(distance[each.record]),
            }
            for stage, each in enumerate(found)
        ]
    return rows
