"""Stage 2: from moments to recorded trajectories, one shard of runs at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import pyarrow as pa

from stagewise.arrays import AnyArray, FloatArray, IntArray
from stagewise.config.models import Experiment
from stagewise.dynamics import training
from stagewise.dynamics.first_weights import initial_weights, orientation
from stagewise.dynamics.observables import OBSERVABLES, PER_MODE
from stagewise.dynamics.recording import Trajectory
from stagewise.planning.experiments import Run, record_iterations
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Completion, Problem
from stagewise.store.schemas import RUN_COLUMNS, TRAJECTORIES
from stagewise.theory import (
    completion_curvature,
    largest_curvature,
    leading_iteration,
    stable_step,
)


@dataclass(frozen=True)
class PreparedRun:
    """A run with everything that its simulation needs."""

    run: Run
    problem: Problem
    width: int
    modes: int
    step_size: float
    iterations: int
    weights: list[FloatArray]

    @property
    def shape(self) -> tuple[int | str, ...]:
        """Runs of equal shape and update rule are simulated as one batch."""
        sizes = (self.problem.dim_in, self.problem.dim_out, self.run.depth, self.width, self.modes)
        return (self.run.optimizer.label, *sizes)


def simulate(
    runs: Sequence[Run], experiment: Experiment, datasets: Mapping[str, Sequence[Moments]]
) -> pa.Table:
    """Train every run and return its records, a row per run, iteration and mode.

    runs : a shard of the experiment. datasets : draws of the moments by data set name; replicate r
    uses draw r modulo their number. Rows are sorted by run, iteration, mode.
    """
    tables = []
    for batch in prepare(runs, experiment, datasets):
        trajectory = train(batch, experiment, experiment.recorded)
        deviations = _deviations(batch, trajectory, experiment)
        tables.append(_table(batch, trajectory, deviations, experiment))
    if len(tables) == 1:
        return tables[0]  # sorted as it is; most shards are one batch
    return _sorted_by_run(pa.concat_tables(tables).unify_dictionaries().combine_chunks())


def prepare(
    runs: Sequence[Run], experiment: Experiment, datasets: Mapping[str, Sequence[Moments]]
) -> list[list[PreparedRun]]:
    """Runs with what their simulation needs, in batches of equal shape; arguments as `simulate`."""
    problems = {
        name: [draw.problem(experiment.centred) for draw in draws]
        for name, draws in datasets.items()
    }
    prepared = [
        _prepare(run, problems[run.dataset][run.replicate % len(problems[run.dataset])], experiment)
        for run in runs
    ]
    by_shape = sorted(prepared, key=lambda each: each.shape)
    return [list(batch) for _, batch in groupby(by_shape, key=lambda each: each.shape)]


def _prepare(run: Run, problem: Problem, experiment: Experiment) -> PreparedRun:
    width = run.width or min(problem.dim_in, problem.dim_out)
    available = len(problem.modes.sigma) if run.depth == 1 else min(len(problem.modes.sigma), width)
    modes = min(experiment.modes, available)
    step_size = absolute_step(run.step_size, run.step_size_unit, problem, run.depth)
    return PreparedRun(
        run=run,
        problem=problem,
        width=width,
        modes=modes,
        step_size=step_size,
        iterations=run_length(problem, experiment, run.depth, run.delta, step_size, modes),
        weights=initial_weights(
            problem, run.initialisation, run.depth, width, run.delta, run.generator()
        ),
    )


def run_length(
    problem: Problem,
    experiment: Experiment,
    depth: int,
    delta: float,
    step_size: float,
    modes: int,
) -> int:
    """Iterations that a run is asked for; modes : how many of them are followed."""
    last = min(experiment.horizon_mode or modes, modes)
    sigma = problem.observed_share * problem.modes.sigma[last - 1]
    slowest = leading_iteration(sigma, delta, step_size, depth)
    horizon = experiment.iterations or experiment.horizon * slowest
    return int(np.ceil(horizon + experiment.extra_iterations))


def absolute_step(step_size: float, unit: str, problem: Problem, depth: int = 2) -> float:
    """Step size of gradient descent from one in the unit of `Experiment.step_size_unit`."""
    strongest = float(problem.modes.sigma[0])
    if unit == "per_solution":
        scale = _solution_curvature(problem, strongest, depth)
    else:
        scale = {
            "absolute": 1.0,
            "per_sigma": strongest,
            "per_curvature": max(strongest, float(problem.eigenvalues[-1])),
        }[unit]
    return step_size / scale


def _solution_curvature(problem: Problem, strongest: float, depth: int) -> float:
    if isinstance(problem, Completion) and depth > 1 and not problem.observed.all():
        return completion_curvature(problem.sigma_xy, problem.observed, depth)
    if depth == 2 and not isinstance(problem, Completion):
        modes = problem.modes
        return 2 / stable_step(modes.sigma, modes.lam, float(problem.eigenvalues[-1]))
    return float(largest_curvature(strongest, depth))


def train(
    batch: list[PreparedRun],
    experiment: Experiment,
    observables: Sequence[str],
    keep_weights: bool = False,
) -> Trajectory:
    """Simulate one batch of `prepare`, with records where the experiment says."""
    records = record_iterations(
        experiment.records_per_decade, max(each.iterations for each in batch)
    )
    # A run ends at the first record at or past its horizon, whatever its batch records after.
    ends = records[np.searchsorted(records, [each.iterations for each in batch])]
    return training.train(
        [each.problem for each in batch],
        [np.stack(layers) for layers in zip(*(each.weights for each in batch), strict=True)],
        np.array([each.step_size for each in batch]),
        records,
        stop_at=ends,
        modes=batch[0].modes,
        keep_weights=keep_weights,
        rotate=experiment.rotate_hidden,
        keep_products=experiment.compare_commuting,
        refine=experiment.refine,
        keep_refined=True,
        observables=observables,
        optimizer=batch[0].run.optimizer,
        engine=experiment.engine,
    )


def _deviations(
    batch: list[PreparedRun], trajectory: Trajectory, experiment: Experiment
) -> FloatArray | None:
    """‖W − W'‖₂ to runs on the commuting part (runs, records), NaN at records of a run's own."""
    if not experiment.compare_commuting:
        return None
    commuting = [replace(each, problem=each.problem.commuting) for each in batch]
    other = train(commuting, experiment, observables=())  # its products are all that is read
    assert trajectory.products is not None
    assert other.products is not None
    deviation = np.full(trajectory.iterations.shape, np.nan)
    for run in range(len(batch)):
        mine, theirs = (
            np.flatnonzero((each.iterations[run] >= 0) & ~each.refined[run])
            for each in (trajectory, other)
        )
        count = min(len(mine), len(theirs))
        gap = trajectory.products[run, mine[:count]] - other.products[run, theirs[:count]]
        deviation[run, mine[:count]] = np.linalg.norm(gap, ord=2, axis=(1, 2))
    return deviation


def per_run_columns(
    prepared: PreparedRun, batch: Trajectory, position: int
) -> dict[str, str | float | bool]:
    """What every row about a run says: `schemas.RUN_COLUMNS`."""
    run = prepared.run
    return {
        "experiment": run.experiment,
        "dataset": run.dataset,
        "centred": run.centred,
        "depth": run.depth,
        "dim_in": prepared.problem.dim_in,
        "dim_out": prepared.problem.dim_out,
        "rank": len(prepared.problem.modes.sigma),
        "observed": prepared.problem.observed_share,
        "width": prepared.width,
        "initialisation": run.initialisation,
        "delta": run.delta,
        "relative_step_size": run.step_size,
        "optimizer": run.optimizer.label,
        "run": run.run,
        "seed": run.replicate,
        "step_size": prepared.step_size,
        "status": str(batch.status[position]),
        "orientation": orientation(prepared.problem, prepared.weights),
        "non_commuting": np.nan,
    }


def _table(
    batch: Sequence[PreparedRun],
    trajectory: Trajectory,
    deviations: FloatArray | None,
    experiment: Experiment,
) -> pa.Table:
    recorded = trajectory.iterations >= 0
    records, modes = recorded.sum(axis=1), batch[0].modes
    rows = records * modes
    spectra = [each.problem.modes for each in batch]
    per_run = [per_run_columns(each, trajectory, position) for position, each in enumerate(batch)]
    asked = set(experiment.recorded)
    per_record: dict[str, AnyArray] = {
        "iteration": trajectory.iterations,
        "refined": trajectory.refined,
    }
    per_record |= {name: getattr(trajectory, name) for name in OBSERVABLES if name in asked}
    per_mode = {
        name.removesuffix("s"): per_record.pop(name) for name in PER_MODE if name in per_record
    }
    if deviations is not None:
        per_record["deviation"] = deviations
    columns = {name: _repeated([each[name] for each in per_run], rows) for name in RUN_COLUMNS}
    if deviations is not None:
        columns["non_commuting"] = np.repeat([each.problem.non_commuting for each in batch], rows)
    columns |= {name: np.repeat(values[recorded], modes) for name, values in per_record.items()}
    columns |= {name: values[recorded].ravel() for name, values in per_mode.items()}
    columns["mode"] = np.tile(np.arange(1, modes + 1), records.sum())
    for name in ("sigma", "lam"):
        values = np.stack([getattr(each, name)[:modes] for each in spectra])
        columns[name] = np.repeat(values, records, axis=0).ravel()
    schema = pa.schema([field for field in TRAJECTORIES if field.name in columns])
    arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
    return pa.table(arrays, schema=schema)


def _sorted_by_run(table: pa.Table) -> pa.Table:
    """The same rows; those of a run lie together, so that they are moved as a piece."""
    runs = table["run"].to_numpy()
    starts = np.flatnonzero(np.diff(runs, prepend=-1))
    rows = np.diff(starts, append=len(runs))
    pieces = [table.slice(starts[run], rows[run]) for run in np.argsort(runs[starts])]
    return pa.concat_tables(pieces).combine_chunks()


def _repeated(values: Sequence[str | float | bool], rows: IntArray) -> AnyArray | pa.Array:
    """Each value as often as its run has rows; texts as codes and a dictionary."""
    if not isinstance(values[0], str):
        return np.repeat(np.array(values), rows)
    texts = list(dict.fromkeys(values))
    codes = [texts.index(value) for value in values]
    return pa.DictionaryArray.from_arrays(np.repeat(np.array(codes, dtype=np.int32), rows), texts)
