"""Stage 2: from moments to recorded trajectories, one shard of runs at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby

import numpy as np
import pyarrow as pa

from stagewise.arrays import AnyArray, FloatArray
from stagewise.config.models import Experiment
from stagewise.dynamics import training
from stagewise.dynamics.first_weights import initial_weights, orientation
from stagewise.dynamics.observables import PER_MODE
from stagewise.dynamics.recording import Trajectory
from stagewise.pipeline.trajectory_tables import Trained, trajectory_tables
from stagewise.planning.experiments import Run, record_iterations
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Completion, Problem
from stagewise.store.parquet import ROW_GROUP
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
    parts = simulated(runs, experiment, datasets)
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def simulated(
    runs: Sequence[Run],
    experiment: Experiment,
    datasets: Mapping[str, Sequence[Moments]],
    rows: int = ROW_GROUP // 2,
) -> Iterator[pa.Table]:
    """The same in parts of about so many rows, which take less memory and time one after the other."""
    batches = prepare(runs, experiment, datasets)
    return trajectory_tables([_trained(each, experiment) for each in batches], rows)


def prepare(
    runs: Sequence[Run], experiment: Experiment, datasets: Mapping[str, Sequence[Moments]]
) -> list[list[PreparedRun]]:
    """Runs with what their simulation needs, in batches of equal shape; arguments as `simulate`."""

    @cache
    def problem(dataset: str, draw: int) -> Problem:
        return datasets[dataset][draw].problem(experiment.centred)

    prepared = [
        _prepare(run, problem(run.dataset, run.replicate % len(datasets[run.dataset])), experiment)
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


def _trained(batch: list[PreparedRun], experiment: Experiment) -> Trained:
    trajectory = train(batch, experiment, experiment.recorded)
    per_run = [per_run_columns(each, trajectory, position) for position, each in enumerate(batch)]
    per_record: dict[str, AnyArray] = {"refined": trajectory.refined}
    for name in experiment.recorded:
        column = name.removesuffix("s") if name in PER_MODE else name
        per_record[column] = getattr(trajectory, name)
    if experiment.compare_commuting:
        per_record["deviation"] = _deviations(batch, trajectory, experiment)
        for each, columns in zip(batch, per_run, strict=True):
            columns["non_commuting"] = each.problem.non_commuting
    spectra = [each.problem.modes for each in batch]
    sigma, lam = (
        np.stack([getattr(each, name)[: batch[0].modes] for each in spectra])
        for name in ("sigma", "lam")
    )
    return Trained(per_run, sigma, lam, trajectory.iterations, per_record)


def _deviations(
    batch: list[PreparedRun], trajectory: Trajectory, experiment: Experiment
) -> FloatArray:
    """‖W − W'‖₂ to runs on the commuting part (runs, records), NaN at records of a run's own."""
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
