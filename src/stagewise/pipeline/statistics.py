"""Stage 3: from trajectories to tidy aggregates, learning times and curves over training."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stagewise.analysis import learning_times, outcome, separation
from stagewise.arrays import AnyArray, FloatArray, IntArray
from stagewise.problems.problem import Modes
from stagewise.store.schemas import GRID_COLUMNS, LEARNING_TIMES, RUN_COLUMNS, SUMMARY
from stagewise.theory import (
    flow_learning_iteration,
    learning_iteration,
    linear_flow,
    two_layer_flow,
)

PER_MODE = (
    "mode_strength",
    "response_value",
    "alignment",
    "reduced_rank_distance",
    "reduced_rank_response_distance",
)
SCALARS = ("loss", "gradient_norm", "trace_norm", "effective_rank", "test_error")


@dataclass(frozen=True)
class RecordedRun:
    """Records of one run; a view of rows that are sorted by iteration and mode."""

    table: pa.Table

    def first(self, name: str) -> object:
        """Value of a column that is constant over the run."""
        return self.table[name][0].as_py()

    @cached_property
    def count(self) -> int:
        """Number of modes followed."""
        return int(pc.max(self.table["mode"]).as_py())

    def on_common_grid(self) -> "RecordedRun":
        """The run without the records that locate its own learning times."""
        return RecordedRun(self.table.filter(pc.invert(self.table["refined"])))

    def scalar(self, name: str) -> AnyArray:
        """A column with one value a record (records,)."""
        return np.asarray(self.table[name].to_numpy()[:: self.count])

    def per_mode(self, name: str) -> FloatArray:
        """A column with one value a record and mode (records, modes).

        "alignment" is λ_k u_kᵀ W v_k over the k-th singular value of sigma_x·W: 1 where its k-th
        singular vectors are those of sigma_xy, if the two commute.
        """
        if name == "alignment":
            with np.errstate(divide="ignore", invalid="ignore"):
                strengths = self.per_mode("lam") * self.per_mode("mode_strength")
                return np.asarray(strengths / self.per_mode("response_value"))
        return np.asarray(self.table[name].to_numpy().reshape(-1, self.count))

    @property
    def iterations(self) -> IntArray:
        return self.scalar("iteration")

    @property
    def response_values(self) -> FloatArray:
        return self.per_mode("response_value")

    @property
    def mode_strengths(self) -> FloatArray:
        return self.per_mode("mode_strength")

    @property
    def modes(self) -> Modes:
        """Spectrum of the run's problem; the singular vectors are not recorded."""
        missing = np.empty((0, self.count))
        return Modes(missing, self.per_mode("sigma")[0], missing, self.per_mode("lam")[0])


def recorded_runs(trajectories: pa.Table) -> Iterator[RecordedRun]:
    """The runs of one experiment's table, in its order."""
    runs = trajectories["run"].to_numpy()
    starts = np.flatnonzero(np.diff(runs, prepend=runs[0] - 1))
    ends = np.append(starts[1:], len(runs))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield RecordedRun(trajectories.slice(start, end - start))


def learning_times_table(shards: Iterable[pa.Table]) -> pa.Table:
    """`learning_times.parquet` of one experiment: a row a run and mode, sorted by run, mode.

    shards : trajectory tables; only one is needed at a time.
    """
    rows = [
        row for shard in shards for run in recorded_runs(shard) for row in _learning_time_rows(run)
    ]
    rows.sort(key=lambda row: (row["run"], row["mode"]))
    return pa.Table.from_pylist(rows, schema=LEARNING_TIMES)


def _learning_time_rows(run: RecordedRun) -> list[dict[str, object]]:
    modes = run.modes
    singular, projected = learning_times(run, modes)
    share = run.mode_strengths * modes.lam / modes.sigma
    diverged = run.first("status") == "diverged"
    if diverged:
        share = np.vstack([share, np.full(run.count, np.nan)])
    overlap = np.append(separation(share), np.nan)
    value_overlap = np.append(separation(run.response_values / modes.sigma), np.nan)
    scale, step = (float(run.first(name)) for name in ("delta", "step_size"))  # type: ignore[arg-type]
    flow = flow_learning_iteration(modes.sigma, scale, step)
    discrete = learning_iteration(modes.sigma, scale, step)
    shared = {name: run.first(name) for name in RUN_COLUMNS}
    of_run = _run_statistics(run)
    nearest, nearest_response = (
        run.per_mode(name).min(axis=0)
        for name in ("reduced_rank_distance", "reduced_rank_response_distance")
    )
    two_layers = run.first("depth") == 2 and run.first("optimizer") == "gradient_descent"
    rows = []
    for mode in range(run.count):
        reached = np.isfinite(singular[mode])
        status = "diverged" if diverged else "ok" if reached else "not_reached"
        rows.append(
            shared
            | {
                "mode": mode + 1,
                "sigma": float(modes.sigma[mode]),
                "lam": float(modes.lam[mode]),
                "status": status,
                "learning_iteration": _present(singular[mode]),
                "mode_learning_iteration": _present(projected[mode]),
                "predicted_flow": float(flow[mode]) if two_layers else None,
                "predicted_discrete": float(discrete[mode]) if two_layers else None,
                "predicted_reduced_rank": None,
                "predicted_staged": None,
                "predicted_integrated": None,
                "nearest_reduced_rank": float(nearest[mode]),
                "nearest_reduced_rank_response": float(nearest_response[mode]),
                "final_strength": float(run.mode_strengths[-1, mode]),
                "outcome": outcome(share[:, mode]),
                "next_overlap": _present(overlap[mode]),
                "next_value_overlap": _present(value_overlap[mode]),
            }
            | of_run
        )
    return rows


def _run_statistics(run: RecordedRun) -> dict[str, float | None]:
    """What belongs to the run as a whole, None where it was not recorded."""
    statistics: dict[str, float | None] = {
        "orientation": _present(float(run.scalar("orientation")[0])),
        "non_commuting": _present(float(run.scalar("non_commuting")[0])),
        "final_imbalance": float(run.scalar("imbalance")[-1]),
    }
    error = run.scalar("test_error")
    if np.isfinite(error).any():
        statistics |= {
            "best_test_error": float(np.nanmin(error)),
            "final_test_error": float(error[-1]),
        }
    deviation = run.scalar("deviation")
    compared = np.flatnonzero(np.isfinite(deviation))
    if len(compared):
        largest = compared[np.argmax(deviation[compared])]
        statistics |= {
            "largest_deviation": float(deviation[largest]),
            "largest_deviation_iteration": float(run.iterations[largest]),
            "final_deviation": float(deviation[compared[-1]]),
        }
    return statistics


def _present(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def summary_table(shards: Iterable[pa.Table]) -> pa.Table:
    """`trajectory_summary.parquet` of one experiment: curves over training, mean and band over seeds.

    Rows are sorted by grid point, quantity, mode, iteration. A grid point's curves end with its
    shortest run; diverged runs are left out.
    """
    runs = sorted(
        (run for shard in shards for run in recorded_runs(shard)),
        key=lambda run: run.first("run"),  # type: ignore[arg-type, return-value]
    )
    points: dict[tuple[object, ...], list[RecordedRun]] = {}
    for run in runs:
        if run.first("status") == "ok":
            point = tuple(run.first(name) for name in GRID_COLUMNS)
            points.setdefault(point, []).append(run)
    tables = [SUMMARY.empty_table()]
    for point, members in sorted(points.items(), key=lambda item: str(item[0])):
        tables += _summaries(dict(zip(GRID_COLUMNS, point, strict=True)), members)
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _summaries(point: dict[str, object], runs: list[RecordedRun]) -> list[pa.Table]:
    runs = [run.on_common_grid() for run in runs]
    records = min(len(run.iterations) for run in runs)
    modes = min(run.count for run in runs)
    iterations = runs[0].iterations[:records]
    step_size = np.array([run.first("step_size") for run in runs], dtype=np.float64)
    closed = [_closed_form(run, iterations) for run in runs]
    tables = []
    for quantity in SCALARS:
        measured = np.stack([run.scalar(quantity)[:records] for run in runs])
        if np.isnan(measured).all():
            continue
        predicted = _stacked(closed, quantity)
        tables.append(_curve(point, quantity, 0, iterations, step_size, measured, predicted))
    for quantity in PER_MODE:
        values = np.stack([run.per_mode(quantity)[:records, :modes] for run in runs])
        predicted = _stacked(closed, quantity)
        for mode in range(modes):
            expected = None if predicted is None else predicted[:, :, mode]
            tables.append(
                _curve(
                    point, quantity, mode + 1, iterations, step_size, values[:, :, mode], expected
                )
            )
    return tables


def _closed_form(run: RecordedRun, iterations: IntArray) -> dict[str, FloatArray]:
    """Curves of the aligned flow at the run's own times, empty for depths without closed form."""
    modes, delta = run.modes, float(run.first("delta"))  # type: ignore[arg-type]
    time = iterations * float(run.first("step_size"))  # type: ignore[arg-type]
    match run.first("depth"):
        case 1:
            strength = linear_flow(modes.sigma, modes.lam, np.exp(-delta), time)
        case 2:
            strength = two_layer_flow(modes.sigma, modes.lam, delta, time)
        case _:
            return {}
    gap = strength - modes.sigma / modes.lam
    return {
        "mode_strength": strength,
        "trace_norm": strength.sum(axis=1),
        "loss": 0.5 * (modes.lam * gap**2).sum(axis=1),
    }


def _stacked(curves: list[dict[str, FloatArray]], quantity: str) -> FloatArray | None:
    if any(quantity not in each for each in curves):
        return None
    modes = min(each["mode_strength"].shape[1] for each in curves)
    picked = [each[quantity] for each in curves]
    return np.stack([each[:, :modes] if each.ndim == 2 else each for each in picked])


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
