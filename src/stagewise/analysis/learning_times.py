"""The iteration at which each mode is learned, interpolated between records."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.problems.learned import LEARNED_SHARE, crossing_fraction
from stagewise.problems.problem import Problem


class Recorded(Protocol):
    """The part of a trajectory that is read here; a batch has a leading axis of runs."""

    @property
    def iterations(self) -> IntArray: ...
    @property
    def response_values(self) -> FloatArray: ...
    @property
    def mode_strengths(self) -> FloatArray: ...


@dataclass(frozen=True)
class LearningTimes:
    """When each mode is learned, in iterations: (modes,) of one run, (runs, modes) of a batch.

    learning_iteration : when the k-th singular value of sigma_x·W first reaches σ_k/2.
    mode_learning_iteration : when u_kᵀ W v_k first reaches σ_k/(2λ_k). They agree when sigma_x and
    sigma_xy commute. NaN where a mode is never learned.
    """

    learning_iteration: FloatArray
    mode_learning_iteration: FloatArray


def crossing_iteration(iterations: IntArray, share: FloatArray) -> FloatArray:
    """First iteration at which each curve reaches `LEARNED_SHARE`; NaN if it never does.

    iterations : (…, records). share : (…, records, …), learned share of a target, NaN after a run's
    end. Returns the shape of share without the axis of records. Interpolated between records; see
    `crossing_fraction`.
    """
    axis = iterations.ndim - 1
    reached = share >= LEARNED_SHARE
    after = reached.argmax(axis=axis)
    before = np.maximum(after - 1, 0)

    def at(values: FloatArray | IntArray, record: IntArray) -> FloatArray:
        places = np.expand_dims(record, axis)
        return np.asarray(np.take_along_axis(values, places, axis=axis).squeeze(axis), np.float64)

    times = iterations.reshape(*iterations.shape, *[1] * (share.ndim - iterations.ndim))
    times = np.broadcast_to(times, share.shape)
    high, low, start, stop = (
        at(share, after),
        at(share, before),
        at(times, before),
        at(times, after),
    )
    with np.errstate(all="ignore"):
        on_the_way = start + crossing_fraction(low, high) * (stop - start)
        found = np.where(after == 0, stop, on_the_way)
    return np.where(reached.any(axis=axis), found, np.nan)


def learning_times(trajectory: Recorded, problem: Problem | Sequence[Problem]) -> LearningTimes:
    """When each mode of a run, or of every run of a batch, is learned.

    trajectory : records as training returns them. Where training itself has located the learning
    times between its records (the fields named as those of `LearningTimes`), these are returned.
    problem : what was learned; of a batch one for all runs, or one per run.
    """
    located = [getattr(trajectory, each.name, None) for each in fields(LearningTimes)]
    if isinstance(located[0], np.ndarray) and isinstance(located[1], np.ndarray):
        return LearningTimes(located[0], located[1])
    problems = [problem] if isinstance(problem, Problem) else list(problem)
    count = trajectory.mode_strengths.shape[-1]
    sigma, lam = (
        np.stack([getattr(each.modes, name)[:count] for each in problems])
        for name in ("sigma", "lam")
    )
    if trajectory.iterations.ndim == 1:
        sigma, lam = sigma[0], lam[0]
    else:
        sigma, lam = sigma[:, None], lam[:, None]
    return LearningTimes(
        crossing_iteration(trajectory.iterations, trajectory.response_values / sigma),
        crossing_iteration(trajectory.iterations, trajectory.mode_strengths * lam / sigma),
    )
