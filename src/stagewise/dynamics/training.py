"""Batched full-batch training of linear networks of any depth, recorded where asked."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.dynamics.batch import Batch
from stagewise.dynamics.course import take_course
from stagewise.dynamics.observables import OBSERVABLES, Engine
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.recording import Recorder, Trajectory
from stagewise.dynamics.update_rule import UpdateRule
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem

ROTATE_BELOW = 1e-13
"""Layers that start below this share of their end meet the rounding of it: from delta of about 30."""


def train(
    problem: Problem | Sequence[Problem],
    weights: Sequence[FloatArray],
    step_size: float | FloatArray,
    record_at: Sequence[int] | IntArray,
    *,
    refine: bool = False,
    optimizer: UpdateRule | None = None,
    stop_at: IntArray | None = None,
    modes: int | None = None,
    observables: Collection[str] = OBSERVABLES,
    keep_products: bool = False,
    keep_weights: bool = False,
    keep_refined: bool = False,
    rotate: bool | None = None,
    engine: Engine = "compiled",
) -> Trajectory:
    """Train a linear network on the loss ½‖Y − X W_1⋯W_L‖²/n.

    problem : one, or one per run (equal shapes). weights : `depth` arrays (rows, columns), or
    (runs, rows, columns). step_size : one, or (runs,). record_at : iterations to record, ascending,
    ≥ 0. refine : locate learning times, see `Trajectory`. optimizer : the update rule (default:
    gradient descent). stop_at : (runs,), each run ends at its own iteration (default: the last
    record). modes : how many to record (default: all of the first problem's). observables : what to
    record. keep_refined : keep the records that locate learning times, beside those asked for.
    rotate : keep the hidden directions of two layers apart at every record, see `hidden_rotation`;
    None: where rounding would matter, which is where layers start below `ROTATE_BELOW`.
    Raises StagewiseError for shapes or values that do not fit. A run that is no longer finite ends
    with status "diverged". Every run's result is the same whatever else is in the batch.
    """
    batched = weights[0].ndim == 3
    layers = [each if batched else each[None] for each in weights]
    runs = len(layers[0])
    problems = [problem] * runs if isinstance(problem, Problem) else list(problem)
    _check(problems, layers)
    steps = _checked_steps(step_size, runs)
    records = _checked_records(record_at)
    followed = len(problems[0].modes.sigma) if modes is None else modes
    rule = optimizer or GradientDescent()
    unknown = sorted(set(observables) - set(OBSERVABLES))
    if unknown:
        raise StagewiseError(
            f"{unknown[0]!r} is no observable; there are {', '.join(OBSERVABLES)}."
        )
    if rotate and (len(layers) != 2 or not rule.compiled):
        raise StagewiseError(
            f"rotate is for two layers under gradient descent; these are {len(layers)} under "
            f"{rule.label}. Leave it out."
        )
    batch = Batch.of(problems, len(layers), steps, followed, rule, observables, engine)
    ends = np.full(runs, records[-1]) if stop_at is None else np.asarray(stop_at)
    recorder = Recorder(batch, keep_products, keep_weights, keep_refined)
    turned = _to_rotate(rotate, batch, layers)
    take_course(batch, batch.rotated(layers), recorder, records, ends, turned, refine)
    trajectory = recorder.trajectory()
    return trajectory if batched else _alone(trajectory)


def gradient_descent(
    problem: Problem | Sequence[Problem],
    weights: Sequence[FloatArray],
    step_size: float | FloatArray,
    record_at: Sequence[int] | IntArray,
    *,
    refine: bool = False,
    stop_at: IntArray | None = None,
    modes: int | None = None,
    observables: Collection[str] = OBSERVABLES,
    keep_products: bool = False,
    keep_weights: bool = False,
    rotate: bool | None = None,
) -> Trajectory:
    """Train by gradient descent, all layers updated from the same point; arguments as `train`."""
    return train(
        problem,
        weights,
        step_size,
        record_at,
        refine=refine,
        stop_at=stop_at,
        modes=modes,
        observables=observables,
        keep_products=keep_products,
        keep_weights=keep_weights,
        rotate=rotate,
    )


def _to_rotate(rotate: bool | None, batch: Batch, layers: Sequence[FloatArray]) -> BoolArray:
    """Runs whose hidden directions are kept apart (runs,)."""
    if rotate is not None or len(layers) != 2 or not batch.rule.compiled:
        return np.full(len(batch.problems), bool(rotate))
    norms = [np.linalg.norm(each, axis=(1, 2)) for each in layers]
    ends = np.linalg.norm(batch.solution, axis=(1, 2))
    return np.asarray(norms[0] * norms[1] < ROTATE_BELOW**2 * ends)


def _alone(batch: Trajectory) -> Trajectory:
    """The only run of a batch, without the axis of runs."""
    values = {name: each[0] for name, each in vars(batch).items() if isinstance(each, np.ndarray)}
    return replace(batch, **values, weights=batch.weights and [each[0] for each in batch.weights])


def _checked_steps(step_size: float | FloatArray, runs: int) -> FloatArray:
    steps = np.asarray(step_size, dtype=np.float64)
    if steps.shape not in ((), (runs,)) or not (np.isfinite(steps) & (steps > 0)).all():
        raise StagewiseError(
            f"step_size is {step_size}; it must be one positive number, or one per run ({runs})."
        )
    return np.broadcast_to(steps, (runs,)).copy()


def _checked_records(record_at: Sequence[int] | IntArray) -> IntArray:
    given = np.asarray(record_at)
    records = given.astype(np.int64)
    whole = given.ndim == 1 and len(given) > 0 and bool((records == given).all())
    if not whole or records[0] < 0 or (np.diff(records) <= 0).any():
        raise StagewiseError("record_at must hold ascending iterations from 0 on, at least one.")
    return records


def _check(problems: Sequence[Problem], layers: Sequence[FloatArray]) -> None:
    shapes = [layer.shape[1:] for layer in layers]
    inner = all(left[1] == right[0] for left, right in pairwise(shapes))
    ends = (shapes[0][0], shapes[-1][1])
    if len(problems) != len(layers[0]):
        raise StagewiseError(
            f"There are {len(problems)} problems and {len(layers[0])} runs of weights; give one "
            "problem for all runs, or one per run."
        )
    if not inner or any((each.dim_in, each.dim_out) != ends for each in problems):
        raise StagewiseError(
            f"The layers have shapes {shapes}; their product must be (dim_in, dim_out) = "
            f"{(problems[0].dim_in, problems[0].dim_out)} for every problem."
        )
