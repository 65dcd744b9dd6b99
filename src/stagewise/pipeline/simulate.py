"""Stage 2: from moments to recorded trajectories, one shard of runs at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa

from stagewise.arrays import FloatArray
from stagewise.config import Experiment
from stagewise.dynamics import Trajectory, gradient_descent
from stagewise.experiments import Run, record_iterations
from stagewise.networks import initial_weights, orientation
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Problem
from stagewise.schemas import TRAJECTORIES
from stagewise.theory import learning_iteration


@dataclass(frozen=True)
class _Prepared:
    """A run with everything that its simulation needs."""

    run: Run
    problem: Problem
    width: int
    modes: int
    step_size: float
    iterations: int
    weights: list[FloatArray]

    @property
    def shape(self) -> tuple[int, ...]:
        """Runs of equal shape are simulated as one batch."""
        return (self.problem.dim_in, self.problem.dim_out, self.run.depth, self.width, self.modes)


def simulate(
    runs: Sequence[Run], experiment: Experiment, datasets: Mapping[str, Sequence[Moments]]
) -> pa.Table:
    """Train every run and return its records, a row per run, iteration and mode.

    runs : a shard of the experiment. datasets : draws of the moments by data set name; replicate r
    uses draw r modulo their number. Rows are sorted by run, iteration, mode.
    """
    problems = {
        name: [draw.problem(experiment.centred) for draw in draws]
        for name, draws in datasets.items()
    }
    prepared = [
        _prepare(run, problems[run.dataset][run.replicate % len(problems[run.dataset])], experiment)
        for run in runs
    ]
    tables = []
    by_shape = sorted(prepared, key=lambda each: each.shape)
    for _, batch in groupby(by_shape, key=lambda each: each.shape):
        tables += _train(list(batch), experiment)
    tables.sort(key=lambda table: table["run"][0].as_py())
    return pa.concat_tables(tables).unify_dictionaries()


def _prepare(run: Run, problem: Problem, experiment: Experiment) -> _Prepared:
    width = run.width or min(problem.dim_in, problem.dim_out)
    available = len(problem.modes.sigma) if run.depth == 1 else min(len(problem.modes.sigma), width)
    modes = min(experiment.modes, available)
    step_size = absolute_step(run.step_size, run.step_size_unit, problem)
    return _Prepared(
        run=run,
        problem=problem,
        width=width,
        modes=modes,
        step_size=step_size,
        iterations=run_length(problem, experiment, run.delta, step_size, modes),
        weights=initial_weights(
            problem, run.initialisation, run.depth, width, run.delta, run.generator()
        ),
    )


def run_length(
    problem: Problem, experiment: Experiment, delta: float, step_size: float, modes: int
) -> int:
    """Iterations that a run is asked for; modes : how many of them are followed."""
    last = min(experiment.horizon_mode or modes, modes)
    slowest = learning_iteration(problem.modes.sigma[last - 1], delta, step_size)
    return int(np.ceil(experiment.horizon * slowest + experiment.extra_iterations))


def absolute_step(step_size: float, unit: str, problem: Problem) -> float:
    """Step size of gradient descent from one in the unit of `Experiment.step_size_unit`."""
    strongest = problem.modes.sigma[0]
    scales = {
        "absolute": 1.0,
        "per_sigma": strongest,
        "per_curvature": max(strongest, problem.eigenvalues[-1]),
    }
    return float(step_size / scales[unit])


def _train(batch: list[_Prepared], experiment: Experiment) -> list[pa.Table]:
    trajectory = _descend(batch, [each.problem for each in batch], experiment)
    if not experiment.compare_commuting:
        return [_table(each, trajectory, position) for position, each in enumerate(batch)]
    commuting = _descend(batch, [each.problem.commuting for each in batch], experiment)
    return [
        _table(each, trajectory, position, _deviation(trajectory, commuting, position))
        for position, each in enumerate(batch)
    ]


def _descend(batch: list[_Prepared], problems: list[Problem], experiment: Experiment) -> Trajectory:
    records = record_iterations(
        experiment.records_per_decade, max(each.iterations for each in batch)
    )
    # A run ends at the first record at or past its horizon, whatever its batch records after.
    ends = records[np.searchsorted(records, [each.iterations for each in batch])]
    return gradient_descent(
        problems,
        [np.stack(layers) for layers in zip(*(each.weights for each in batch), strict=True)],
        np.array([each.step_size for each in batch]),
        records,
        stop_at=ends,
        modes=batch[0].modes,
        rotate=experiment.rotate_hidden,
        keep_products=experiment.compare_commuting,
    )


def _deviation(batch: Trajectory, other: Trajectory, run: int) -> FloatArray:
    """‖W − W'‖₂ of a run in two batches (records,), NaN at records of its own."""
    deviation = np.full(batch.iterations.shape[1], np.nan)
    if batch.products is not None and other.products is not None:
        mine, theirs = (
            np.flatnonzero((each.iterations[run] >= 0) & ~each.refined[run])
            for each in (batch, other)
        )
        count = min(len(mine), len(theirs))
        gap = batch.products[run, mine[:count]] - other.products[run, theirs[:count]]
        deviation[mine[:count]] = np.linalg.norm(gap, ord=2, axis=(1, 2))
    return deviation


def _table(
    prepared: _Prepared, batch: Trajectory, position: int, deviation: FloatArray | None = None
) -> pa.Table:
    recorded = np.flatnonzero(batch.iterations[position] >= 0)
    rows, modes = len(recorded), prepared.modes
    run, spectrum = prepared.run, prepared.problem.modes
    per_run: dict[str, str | float | bool] = {
        "experiment": run.experiment,
        "dataset": run.dataset,
        "centred": run.centred,
        "depth": run.depth,
        "dim_in": prepared.problem.dim_in,
        "dim_out": prepared.problem.dim_out,
        "width": prepared.width,
        "initialisation": run.initialisation,
        "delta": run.delta,
        "relative_step_size": run.step_size,
        "optimizer": "gradient_descent",
        "run": run.run,
        "seed": run.replicate,
        "step_size": prepared.step_size,
        "status": str(batch.status[position]),
        "orientation": orientation(prepared.problem, prepared.weights),
        "non_commuting": np.nan if deviation is None else prepared.problem.non_commuting,
    }
    missing = np.full(batch.iterations.shape[1], np.nan)
    per_record = {
        "iteration": batch.iterations[position],
        "refined": batch.refined[position],
        "loss": batch.loss[position],
        "gradient_norm": batch.gradient_norm[position],
        "trace_norm": batch.trace_norm[position],
        "effective_rank": batch.effective_rank[position],
        "imbalance": batch.imbalance[position],
        "test_error": batch.test_error[position],
        "deviation": missing if deviation is None else deviation,
    }
    per_mode = {
        "singular_value": batch.singular_values[position],
        "response_value": batch.response_values[position],
        "mode_strength": batch.mode_strengths[position],
        "reduced_rank_distance": batch.reduced_rank_distance[position],
        "reduced_rank_response_distance": batch.reduced_rank_response_distance[position],
    }
    columns = {name: _repeated(value, rows * modes) for name, value in per_run.items()}
    columns |= {name: np.repeat(values[recorded], modes) for name, values in per_record.items()}
    columns |= {name: values[recorded].ravel() for name, values in per_mode.items()}
    columns["mode"] = np.tile(np.arange(1, modes + 1), rows)
    columns["sigma"] = np.tile(spectrum.sigma[:modes], rows)
    columns["lam"] = np.tile(spectrum.lam[:modes], rows)
    return pa.table(
        [pa.array(columns[field.name], type=field.type) for field in TRAJECTORIES],
        schema=TRAJECTORIES,
    )


def _repeated(value: str | float | bool, rows: int) -> pa.Array:
    if isinstance(value, str):
        return pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int32), [value])
    return pa.array(np.full(rows, value))
