"""Stage 3: curves over training, mean and band over seeds."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from stagewise.arrays import FloatArray, IntArray
from stagewise.pipeline.run_arrays import RecordedRuns, recorded_runs
from stagewise.store.schemas import GRID_COLUMNS, SUMMARY
from stagewise.theory import linear_flow, two_layer_flow

PER_MODE = (
    "mode_strength",
    "response_value",
    "alignment",
    "reduced_rank_distance",
    "reduced_rank_response_distance",
)
SCALARS = ("loss", "gradient_norm", "trace_norm", "test_error")


def summary_table(blocks: Iterable[Iterable[pa.Table]]) -> pa.Table:
    """`trajectory_summary.parquet` of one experiment: curves over training, mean and band over seeds.

    blocks : of whole grid points, one in memory at a time; each as tables with some of their runs.
    Rows are sorted by grid point, quantity, mode, iteration. A grid point's curves end with its
    shortest run; diverged runs are left out, and so are quantities that were not recorded.
    """
    curves: dict[tuple[object, ...], list[pa.Table]] = {}
    for tables in blocks:
        curves |= _of_block(tables)
    in_order = [curve for point in sorted(curves, key=str) for curve in curves[point]]
    every = pa.concat_tables([SUMMARY.empty_table(), *in_order])
    return every.unify_dictionaries().combine_chunks()


def _of_block(tables: Iterable[pa.Table]) -> dict[tuple[object, ...], list[pa.Table]]:
    """Curves of each grid point in a block."""
    points: dict[tuple[object, ...], list[RecordedRuns]] = {}
    for table in tables:
        for runs in recorded_runs(table, asked_only=True):
            for point, members in _by_point(runs).items():
                points.setdefault(point, []).append(members)
    return {
        point: _summaries(dict(zip(GRID_COLUMNS, point, strict=True)), parts)
        for point, parts in points.items()
    }


def _by_point(runs: RecordedRuns) -> dict[tuple[object, ...], RecordedRuns]:
    keys = zip(*(runs.runs[name].to_pylist() for name in GRID_COLUMNS), strict=True)
    members: dict[tuple[object, ...], list[int]] = {}
    for position, (key, status) in enumerate(zip(keys, runs.of_run("status"), strict=True)):
        if status == "ok":
            members.setdefault(key, []).append(position)
    return {key: runs.some(np.array(positions)) for key, positions in members.items()}


def _summaries(point: dict[str, object], parts: list[RecordedRuns]) -> list[pa.Table]:
    """Curves of one grid point, whose runs may lie in several shards and differ in length."""
    order = np.argsort(np.concatenate([part.of_run("run") for part in parts]))
    records = min(int(part.length.min()) for part in parts)

    def together(values: list[FloatArray]) -> FloatArray:
        return np.concatenate([each[:, :records] for each in values])[order]

    iterations = parts[0].iterations[0, :records]
    step_size = np.concatenate([part.of_run("step_size") for part in parts])[order]
    closed = _closed_form(parts, iterations) if point["depth"] in (1, 2) else {}
    tables = []
    for quantity in SCALARS:
        measured = together([part.scalar(quantity) for part in parts])
        if not np.isnan(measured).all():
            expected = together(closed[quantity]) if quantity in closed else None
            tables.append(_curve(point, quantity, 0, iterations, step_size, measured, expected))
    for quantity in PER_MODE:
        if not parts[0].has(quantity):
            continue
        values = together([part.per_mode(quantity) for part in parts])
        predicted = together(closed[quantity]) if quantity in closed else None
        for mode in range(values.shape[2]):
            expected = None if predicted is None else predicted[..., mode]
            measured = values[..., mode]
            tables.append(
                _curve(point, quantity, mode + 1, iterations, step_size, measured, expected)
            )
    return tables


def _closed_form(parts: list[RecordedRuns], iterations: IntArray) -> dict[str, list[FloatArray]]:
    """Curves of the aligned flow of one or two layers at each run's own times."""
    curves: dict[str, list[FloatArray]] = {"mode_strength": [], "trace_norm": [], "loss": []}
    for part in parts:
        sigma, lam = part.spectrum("sigma"), part.spectrum("lam")
        strengths = np.stack(
            [
                linear_flow(one_sigma, one_lam, np.exp(-delta), iterations * step)
                if depth == 1
                else two_layer_flow(one_sigma, one_lam, delta, iterations * step)
                for one_sigma, one_lam, depth, delta, step in zip(
                    *(sigma, lam, *map(part.of_run, ("depth", "delta", "step_size"))), strict=True
                )
            ]
        )
        gap = strengths - (sigma / lam)[:, None]
        curves["mode_strength"].append(strengths)
        curves["trace_norm"].append(strengths.sum(axis=2))
        curves["loss"].append(0.5 * (lam[:, None] * gap**2).sum(axis=2))
    return curves


def _curve(
    point: dict[str, object],
    quantity: str,
    mode: int,
    iterations: IntArray,
    step_size: FloatArray,
    measured: FloatArray,
    predicted: FloatArray | None,
) -> pa.Table:
    rows = len(iterations)
    with np.errstate(invalid="ignore"):  # the loss of a run that diverges ends at infinity
        low, high = np.quantile(measured, [0.05, 0.95], axis=0)
    missing = np.full(rows, np.nan)
    columns: dict[str, object] = {
        **point,
        "quantity": quantity,
        "mode": mode,
        "iteration": iterations,
        "flow_time": iterations * step_size.mean(),
        "mean": measured.mean(axis=0),
        "low": low,
        "high": high,
        "predicted": missing if predicted is None else predicted.mean(axis=0),
        "largest_deviation": (
            missing if predicted is None else np.abs(measured - predicted).max(axis=0)
        ),
        "seeds": len(measured),
    }
    arrays = [
        pa.array(
            column if isinstance(column, np.ndarray) else [column] * rows,
            type=field.type,
            from_pandas=True,
        )
        for field, column in ((field, columns[field.name]) for field in SUMMARY)
    ]
    return pa.table(arrays, schema=SUMMARY)
