"""Stage 2c: runs whose weights are kept, looked at where training rests: curvature, nearest map."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from stagewise.analysis import extreme_curvatures, numerical_rank, plateaus
from stagewise.arrays import FloatArray
from stagewise.config.models import Experiment
from stagewise.dynamics.recording import Trajectory
from stagewise.pipeline.simulate import PreparedRun, per_run_columns, prepare, train
from stagewise.planning.experiments import expand
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Completion, Problem
from stagewise.store.schemas import PLATEAUS
from stagewise.theory import greedy_completions, plateau_loss

OBSERVED = ("loss", "gradient_norm", "singular_values")
"""What tells where training rests."""
RANK_SHARE = 0.01
"""Singular values of the product above this share of the largest one count towards its rank."""


def plateaus_table(
    name: str, experiment: Experiment, datasets: Mapping[str, Sequence[Moments]]
) -> pa.Table:
    """`plateaus.parquet` of one experiment: a row a run and plateau, the last where the run ended.

    experiment : trained here and nowhere else, because weights are not written to disk. datasets :
    draws of the moments by data set name, all with sigma_x = I. Rows are sorted by run and stage.
    """
    rows = []
    batches = prepare(expand(name, experiment), experiment, datasets)
    # Runs that differ in depth or scale share their problem, and with it the maps to compare with.
    problems = {id(each.problem): each.problem for batch in batches for each in batch}
    greedy = {key: _greedy(problem) for key, problem in problems.items()}
    for batch in batches:
        trajectory = train(batch, experiment, OBSERVED, keep_weights=True)
        for position, each in enumerate(batch):
            maps = greedy[id(each.problem)]
            rows += _rows(each, trajectory, position, maps, experiment.curvature)
    rows.sort(key=lambda row: (row["run"], row["stage"]))
    return pa.Table.from_pylist(rows, schema=PLATEAUS)


def _greedy(problem: Problem) -> list[FloatArray]:
    return greedy_completions(problem.sigma_xy, _observed(problem), len(problem.modes.sigma))


def _observed(problem: Problem) -> FloatArray:
    every = np.ones_like(problem.sigma_xy)
    return problem.observed if isinstance(problem, Completion) else every


def _rows(
    prepared: PreparedRun,
    batch: Trajectory,
    position: int,
    greedy: list[FloatArray],
    curvature: bool,
) -> list[dict[str, object]]:
    recorded = np.flatnonzero((batch.iterations[position] >= 0) & ~batch.refined[position])
    problem = prepared.problem
    target, sigma, observed = problem.sigma_xy, problem.modes.sigma, _observed(problem)
    gradient_norm = batch.gradient_norm[position][recorded]
    values = batch.singular_values[position][recorded]
    shared: dict[str, object] = {**per_run_columns(prepared, batch, position)}
    rows = []
    found = plateaus(gradient_norm, values, sigma[: prepared.modes])
    for stage, each in enumerate(found):
        record = recorded[each.record]
        layers = [layer[position, record] for layer in batch.weights or []]
        extremes = extreme_curvatures(layers, target, observed) if curvature else (None, None)
        nearest = greedy[each.learned]
        rows.append(
            shared
            | {
                "stage": stage + 1,
                "stages": len(found) - 1,
                "learned": each.learned,
                "at_end": each.peak is None,
                "iteration": int(batch.iterations[position, record]),
                "gradient_norm": float(batch.gradient_norm[position, record]),
                "loss": float(batch.loss[position, record]),
                "predicted_loss": (
                    plateau_loss(sigma, each.learned) if problem.observed_share == 1 else None
                ),
                "smallest_curvature": extremes[0],
                "largest_curvature": extremes[1],
                "product_rank": numerical_rank(layers, RANK_SHARE),
                "greedy_loss": _loss(nearest, target, observed),
                "greedy_distance": _distance(layers, nearest, target),
                "target_distance": _distance(layers, target, target),
            }
        )
    return rows


def _loss(product: FloatArray, target: FloatArray, observed: FloatArray) -> float:
    return float(0.5 * np.sum(observed * (product - target) ** 2))


def _distance(layers: list[FloatArray], other: FloatArray, target: FloatArray) -> float:
    """Frobenius distance of the product from a map, over the norm of the target."""
    product = np.linalg.multi_dot(layers)
    return float(np.linalg.norm(product - other) / np.linalg.norm(target))
