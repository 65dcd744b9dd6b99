"""The iteration at which each mode is learned, interpolated between records."""

from typing import Protocol

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.problems.problem import Modes, Problem


class Recorded(Protocol):
    """The part of one run that is read here; arrays (records, modes)."""

    @property
    def iterations(self) -> IntArray: ...
    @property
    def response_values(self) -> FloatArray: ...
    @property
    def mode_strengths(self) -> FloatArray: ...


def crossing_iteration(iterations: IntArray, share: FloatArray) -> FloatArray:
    """First iteration at which each curve reaches ½, interpolated; NaN if it never does.

    iterations : (records,). share : (records, …), learned share of a target, NaN after a run's end.
    Returns (…). Between records ln(s/(1−s)) is interpolated linearly, because a two-layer mode
    is a logistic curve in time and so is exact under it; where a record lies outside (0, 1) the
    interpolation is linear in s.
    """
    reached = share >= 0.5
    after = reached.argmax(axis=0)
    before = np.maximum(after - 1, 0)
    pick = np.take_along_axis
    high, low = (pick(share, index[None], axis=0)[0] for index in (after, before))
    with np.errstate(all="ignore"):
        logistic = -_logit(low) / (_logit(high) - _logit(low))
        linear = (0.5 - low) / (high - low)
    inside = (low > 0) & (high < 1)
    fraction = np.where(inside, logistic, linear)
    start, stop = iterations[before], iterations[after]
    with np.errstate(invalid="ignore"):
        found = np.where(after == 0, stop, start + fraction * (stop - start))
    return np.where(reached.any(axis=0), found, np.nan)


def learning_times(trajectory: Recorded, problem: Problem | Modes) -> tuple[FloatArray, FloatArray]:
    """`learning_iteration` and `mode_learning_iteration` of one run, each (modes,).

    trajectory : one run's records. problem : what was learned, or its modes.
    The first is when the k-th singular value of sigma_x·W reaches σ_k/2, the second when
    u_kᵀ W v_k reaches σ_k/(2λ_k). They agree when sigma_x and sigma_xy commute.
    """
    modes = problem.modes if isinstance(problem, Problem) else problem
    count = trajectory.mode_strengths.shape[-1]
    sigma, lam = modes.sigma[:count], modes.lam[:count]
    return (
        crossing_iteration(trajectory.iterations, trajectory.response_values / sigma),
        crossing_iteration(trajectory.iterations, trajectory.mode_strengths * lam / sigma),
    )


def _logit(share: FloatArray) -> FloatArray:
    return np.asarray(np.log(share) - np.log1p(-share))
