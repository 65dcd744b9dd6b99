"""Batched full-batch training of linear networks of any depth, recorded on a grid.

The grid is refined by itself where a mode crosses half of its target, as an integrator of
differential equations locates events: the interval is run again with records inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from stagewise.arrays import AnyArray, BoolArray, FloatArray, IntArray
from stagewise.dynamics.batch import OBSERVABLES, Batch, Layers
from stagewise.dynamics.hidden_rotation import rotate_hidden
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.update_rule import UpdateRule
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem

SUBDIVISIONS = 4
REFINEMENT = 2e-3
"""A learning time is located between records that are closer than this share of it."""


@dataclass(frozen=True)
class Trajectory:
    """What was recorded of a batch of runs, a row of records each, in ascending iterations.

    Everything has a leading axis of runs, unless one run was given without it; unused places at
    the end of a run's row hold NaN (iterations: -1).
    iterations : (runs, records). refined : (runs, records), records added to those asked for,
    to locate learning times. loss : (runs, records), above the least-squares minimum.
    gradient_norm : (runs, records), Frobenius norm over all layers. singular_values : (runs,
    records, modes) of the end-to-end map W. response_values : (runs, records, modes), singular
    values of sigma_x·W. mode_strengths : (runs, records, modes), u_iᵀ W v_i in the singular
    vectors of sigma_xy. trace_norm : (runs, records), sum of all singular values of W.
    effective_rank : (runs, records), exp of the entropy of the normalised singular values.
    imbalance : (runs, records), relative difference of W_lᵀW_l and W_{l+1}W_{l+1}ᵀ, 0 to 1.
    reduced_rank_distance, reduced_rank_response_distance : (runs, records, modes), ‖W − W^k‖/‖W^k‖
    with W^k reduced-rank regression of rank k = 1, 2, …, and the same of sigma_x·W.
    test_error : (runs, records), see `HeldOut.error`; NaN for problems without held-out data.
    status : (runs,), "ok" or "diverged". products : (runs, records, dim_in, dim_out), W itself,
    or None unless asked for. weights : `depth` arrays (runs, records, rows, columns), or None.
    """

    iterations: IntArray
    refined: BoolArray
    loss: FloatArray
    gradient_norm: FloatArray
    singular_values: FloatArray
    response_values: FloatArray
    mode_strengths: FloatArray
    trace_norm: FloatArray
    effective_rank: FloatArray
    imbalance: FloatArray
    reduced_rank_distance: FloatArray
    reduced_rank_response_distance: FloatArray
    test_error: FloatArray
    status: AnyArray
    products: FloatArray | None = None
    weights: list[FloatArray] | None = None


def train(
    problem: Problem | Sequence[Problem],
    weights: Sequence[FloatArray],
    step_size: float | FloatArray,
    record_at: Sequence[int] | IntArray,
    *,
    stop_at: IntArray | None = None,
    modes: int | None = None,
    keep_products: bool = False,
    keep_weights: bool = False,
    rotate: bool = False,
    refine: bool = True,
    optimizer: UpdateRule | None = None,
) -> Trajectory:
    """Train a linear network on the loss ½‖Y − X W_1⋯W_L‖²/n.

    problem : one, or one per run (equal shapes). weights : `depth` arrays (rows, columns), or
    (runs, rows, columns). step_size : one, or (runs,). record_at : iterations to record, ascending,
    ≥ 0. stop_at : (runs,), each run ends at its own iteration (default: the last record).
    modes : how many modes to record (default: all of the first problem's). rotate : keep the hidden
    directions of two layers apart at every record, see `hidden_rotation`.
    refine : add records that locate learning times. optimizer : the update rule (default: gradient
    descent).
    Raises StagewiseError for shapes that do not fit. A run that is no longer finite ends with
    status "diverged". Every run's result is the same whatever else is in the batch.
    """
    batched = weights[0].ndim == 3
    layers = [each if batched else each[None] for each in weights]
    runs = len(layers[0])
    problems = [problem] * runs if isinstance(problem, Problem) else list(problem)
    _check(problems, layers)
    steps = np.broadcast_to(np.asarray(step_size, dtype=np.float64), (runs,)).copy()
    records = np.asarray(record_at, dtype=np.int64)
    if len(records) == 0 or records[0] < 0 or (np.diff(records) <= 0).any():
        raise StagewiseError("record_at must hold ascending iterations from 0 on, at least one.")
    followed = len(problems[0].modes.sigma) if modes is None else modes
    rule = optimizer or GradientDescent()
    batch = Batch.of(problems, len(layers), steps, followed, rule)
    ends = np.full(runs, records[-1]) if stop_at is None else np.asarray(stop_at)
    recorder = _Recorder(batch, keep_products, keep_weights)
    if rotate and len(layers) != 2:
        raise StagewiseError(f"rotate is for two layers; these are {len(layers)}. Leave it out.")
    if rotate and not rule.compiled:
        raise StagewiseError(f"rotate is for gradient descent; this is {rule.label}. Leave it out.")
    _run(batch, batch.rotated(layers), recorder, records, ends, rotate, refine)
    return recorder.trajectory(batched)


def gradient_descent(
    problem: Problem | Sequence[Problem],
    weights: Sequence[FloatArray],
    step_size: float | FloatArray,
    record_at: Sequence[int] | IntArray,
    *,
    stop_at: IntArray | None = None,
    modes: int | None = None,
    keep_products: bool = False,
    keep_weights: bool = False,
    rotate: bool = False,
    refine: bool = True,
) -> Trajectory:
    """Train by gradient descent, all layers updated from the same point; see `train`."""
    return train(
        problem,
        weights,
        step_size,
        record_at,
        stop_at=stop_at,
        modes=modes,
        keep_products=keep_products,
        keep_weights=keep_weights,
        rotate=rotate,
        refine=refine,
    )


def _run(
    batch: Batch,
    layers: Layers,
    recorder: "_Recorder",
    records: IntArray,
    ends: IntArray,
    rotate: bool,
    refine: bool,
) -> None:
    runs = np.arange(len(ends))
    learned = np.zeros((len(ends), batch.full_value.shape[1]), dtype=bool)
    done = 0
    for iteration in records.tolist():
        runs = runs[ends[runs] >= iteration]
        if len(runs) == 0:
            break
        before = [layer.copy() for layer in layers] if refine else []
        batch.advance(layers, runs, iteration - done, done)
        measured = batch.measure(layers, runs)
        if refine:
            crossing = runs[_crosses(measured, learned[runs])]
            _refine(batch, before, recorder, crossing, learned, done, iteration)
        finite = measured["finite"]
        recorder.add(
            runs[finite], iteration, {name: each[finite] for name, each in measured.items()}
        )
        recorder.diverged[runs[~finite]] = True
        learned[runs] |= measured["learned_share"] >= 0.5
        runs = runs[finite]
        if rotate:
            layers[0][runs], layers[1][runs] = rotate_hidden(layers[0][runs], layers[1][runs])
        done = iteration


def _refine(
    batch: Batch,
    layers: Layers,
    recorder: "_Recorder",
    runs: IntArray,
    learned: BoolArray,
    start: int,
    stop: int,
) -> None:
    """Add records between `start` and `stop`, densest around the runs' learning iterations.

    layers : of all runs of the batch, at `start`. learned : (all runs, shares), by then.
    """
    if len(runs) == 0 or stop - start <= max(1, REFINEMENT * stop):
        return
    grid = np.unique(np.linspace(start, stop, SUBDIVISIONS + 1).round().astype(np.int64))
    learned = learned.copy()
    for left, right in zip(grid[:-1].tolist(), grid[1:].tolist(), strict=True):
        before = [layer.copy() for layer in layers]
        batch.advance(layers, runs, right - left, left)
        measured = batch.measure(layers, runs)
        crossing = runs[_crosses(measured, learned[runs])]
        _refine(batch, before, recorder, crossing, learned, left, right)
        learned[runs] |= measured["learned_share"] >= 0.5
        if right < stop:
            recorder.add(runs, right, measured, refined=True)


def _crosses(measured: dict[str, AnyArray], learned: BoolArray) -> BoolArray:
    """Runs that have learned some mode by half now and had not before."""
    reached: BoolArray = (measured["learned_share"] >= 0.5) & ~learned
    return reached.any(axis=1) & measured["finite"]


class _Recorder:
    """Collects records of runs that end at different times, and pads them to one array."""

    def __init__(self, batch: Batch, keep_products: bool, keep_weights: bool) -> None:
        self.batch = batch
        self.diverged = np.zeros(len(batch.problems), dtype=bool)
        self.weights = [f"weights_{layer}" for layer in range(batch.depth * keep_weights)]
        self.fields = (*OBSERVABLES, *["product"] * keep_products, *self.weights)
        self.parts: list[dict[str, AnyArray]] = []

    def add(
        self, runs: IntArray, iteration: int, measured: dict[str, AnyArray], refined: bool = False
    ) -> None:
        self.parts.append(
            {
                "run": runs,
                "iterations": np.full(len(runs), iteration),
                "refined": np.full(len(runs), refined),
                **{name: measured[name] for name in self.fields},
            }
        )

    def trajectory(self, batched: bool) -> Trajectory:
        joined = {
            name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]
        }
        order = np.lexsort((joined["iterations"], joined["run"]))
        run = joined.pop("run")[order]
        counts = np.bincount(run, minlength=len(self.diverged))
        place = np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts, counts)
        arrays = {"status": np.where(self.diverged, "diverged", "ok")}
        for name, values in joined.items():
            fill = {"iterations": -1, "refined": False}.get(name, np.nan)
            shape = (len(counts), counts.max(), *values.shape[1:])
            arrays[name] = np.full(shape, fill, dtype=values.dtype)
            arrays[name][run, place] = values[order]
        if "product" in arrays:
            arrays["products"] = self.batch.unrotated(arrays.pop("product"))
        weights = [arrays.pop(name) for name in self.weights]
        if weights:
            weights[0] = self.batch.unrotated(weights[0])
        own = {name: each if batched else each[0] for name, each in arrays.items()}
        mine = [each if batched else each[0] for each in weights]
        return Trajectory(**own, weights=mine or None)


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
