"""Stage 3: from trajectories to learning times, one row per run and mode."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from stagewise.analysis import crossing_iteration, outcomes, separation
from stagewise.arrays import AnyArray, FloatArray
from stagewise.pipeline.run_arrays import RecordedRuns, recorded_runs
from stagewise.store.schemas import LEARNING_TIMES
from stagewise.theory import flow_learning_iteration, learning_iteration


def learning_times_table(shards: Iterable[pa.Table]) -> pa.Table:
    """`learning_times.parquet` of one experiment: a row per run and mode, sorted by run, mode.

    shards : trajectory tables; only one is needed at a time. What was not recorded is missing.
    """
    tables = [LEARNING_TIMES.empty_table()]
    tables += [_learning_times(runs) for shard in shards for runs in recorded_runs(shard)]
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    order = np.lexsort((table["mode"].to_numpy(), table["run"].to_numpy()))
    return table.take(order).combine_chunks()


def _learning_times(runs: RecordedRuns) -> pa.Table:
    count, modes = len(runs.length), runs.modes
    repeated = runs.runs.take(np.repeat(np.arange(count), modes))
    per_mode = _of_modes(runs)
    columns: dict[str, object] = {name: repeated[name] for name in repeated.column_names}
    columns |= {name: np.repeat(values, modes) for name, values in _of_runs(runs).items()}
    columns |= {name: values.ravel() for name, values in per_mode.items()}
    columns["mode"] = np.tile(np.arange(1, modes + 1), count)
    columns["status"] = _words(_status(runs, per_mode))
    columns["outcome"] = _outcomes(runs)
    return pa.table(
        [_column(columns.get(field.name), field, count * modes) for field in LEARNING_TIMES],
        schema=LEARNING_TIMES,
    )


def _status(runs: RecordedRuns, per_mode: dict[str, FloatArray]) -> AnyArray:
    """What became of each mode, by the first criterion that was recorded; None if none was."""
    status = np.full((len(runs.length), runs.modes), None, dtype=object)
    for observable, criterion in (
        ("mode_strength", "mode_learning_iteration"),
        ("response_value", "learning_iteration"),
    ):
        if runs.has(observable):
            status = np.where(np.isnan(per_mode[criterion]), "not_reached", "ok").astype(object)
    status[runs.of_run("status") == "diverged"] = "diverged"
    return status


def _of_modes(runs: RecordedRuns) -> dict[str, FloatArray]:
    """Statistics (runs, modes), NaN where there is none."""
    sigma, lam = runs.spectrum("sigma"), runs.spectrum("lam")
    strengths = runs.per_mode("mode_strength")
    share = strengths * (lam / sigma)[:, None]
    responses = runs.per_mode("response_value") / sigma[:, None]
    delta, step = (runs.of_run(name)[:, None] for name in ("delta", "step_size"))
    two_layers = (runs.of_run("depth") == 2) & (runs.of_run("optimizer") == "gradient_descent")
    found = {
        "sigma": sigma,
        "lam": lam,
        "learning_iteration": crossing_iteration(runs.iterations, responses),
        "mode_learning_iteration": crossing_iteration(runs.iterations, share),
        "final_strength": runs.last(strengths),
        "next_overlap": _with_last(separation(share)),
        "next_value_overlap": _with_last(separation(responses)),
    }
    for name, law in (
        ("predicted_flow", flow_learning_iteration),
        ("predicted_discrete", learning_iteration),
    ):
        found[name] = np.where(two_layers[:, None], law(sigma, delta, step), np.nan)
    for name in ("reduced_rank", "reduced_rank_response"):
        found[f"nearest_{name}"] = _smallest(runs.per_mode(f"{name}_distance"))
    return found


def _of_runs(runs: RecordedRuns) -> dict[str, FloatArray]:
    """Statistics of whole runs (runs,), NaN where there is none."""
    error, deviation = runs.scalar("test_error"), runs.scalar("deviation")
    compared = np.isfinite(deviation)
    largest = np.where(compared, deviation, -np.inf).argmax(axis=1)[:, None]
    last = deviation.shape[1] - 1 - compared[:, ::-1].argmax(axis=1)[:, None]

    def at(values: AnyArray, record: AnyArray) -> FloatArray:
        picked = np.take_along_axis(values, record, axis=1)[:, 0]
        return np.where(compared.any(axis=1), picked, np.nan)

    return {
        "final_imbalance": runs.last(runs.scalar("imbalance")),
        "best_test_error": _smallest(error),
        "final_test_error": runs.last(error),
        "largest_deviation": at(deviation, largest),
        "largest_deviation_iteration": at(runs.iterations, largest),
        "final_deviation": at(deviation, last),
    }


def _outcomes(runs: RecordedRuns) -> pa.Array | None:
    if not runs.has("mode_strength"):
        return None
    share = (
        runs.per_mode("mode_strength") * (runs.spectrum("lam") / runs.spectrum("sigma"))[:, None]
    )
    return _words(outcomes(share, runs.length, runs.of_run("status") == "diverged"))


def _with_last(overlap: FloatArray) -> FloatArray:
    """Overlaps with the next mode, and NaN for the last mode, which has no next."""
    return np.pad(overlap, ((0, 0), (0, 1)), constant_values=np.nan)


def _smallest(values: FloatArray) -> FloatArray:
    """Smallest recorded value of each run; NaN where nothing is recorded."""
    lowest = np.where(np.isnan(values), np.inf, values).min(axis=1)
    return np.where(np.isfinite(lowest), lowest, np.nan)


def _words(values: AnyArray) -> pa.Array:
    return pa.array(values.ravel(), type=pa.string()).dictionary_encode()


def _column(values: object, field: pa.Field, rows: int) -> pa.Array | pa.ChunkedArray:
    """A column of the field's type; NaN and what is not given are missing."""
    if values is None:
        return pa.nulls(rows, type=field.type)
    if pa.types.is_floating(field.type):
        values = np.asarray(values)
    if isinstance(values, np.ndarray):
        return pa.array(values, type=field.type, from_pandas=True)
    return values.cast(field.type)  # type: ignore[attr-defined]
