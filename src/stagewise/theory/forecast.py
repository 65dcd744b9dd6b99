"""When each rank is learned, from second moments alone, whether or not they commute.

Two layers, gradient descent, a Gaussian start of scale e^-delta. While the network waits near a
point of rank k with residual R_k = sigma_xy − sigma_x W, its small hidden directions follow a
linear recursion: the logarithm of the j-th amplitude grows by ln(1 + η σ_{j−k}(R_k)) a step, and
stage k + 1 comes when the next amplitude is of order one. The laws differ in what R_k is taken to
be. Everything happens in the output space: with sigma_x = Q diag(λ) Qᵀ and S = Qᵀ sigma_xy, pooled
into B_b = Σ_{i in bin b} S_iᵀ S_i, a stage costs algebra on (dim_out, dim_out) matrices.

Results of this project; derived by the argument above, to leading order in delta, except for what
`staged_forecast` calls heuristic.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem

BIN_WIDTH = 0.1
"""Eigenvalues of sigma_x within this relative distance are pooled; a tenth of that changes a
forecast by less than the laws' own error."""

PATIENCE = 3.0
"""Whoever waits for a stage may give up at this multiple of the plain law's time for it."""

_BISECTIONS = 24
_EXPOSURES = (1e-6, 1e6)


@dataclass(frozen=True)
class PooledMoments:
    """What the laws need of a problem.

    eigenvalues : (bins,), mean of each bin, ascending. blocks : (bins, dim_out, dim_out), B_b.
    stages : how many ranks can be learned. dim_in : input dimension.
    """

    eigenvalues: FloatArray
    blocks: FloatArray
    stages: int
    dim_in: int

    @classmethod
    def of(cls, problem: Problem) -> "PooledMoments":
        """Pool a problem's moments; directions that sigma_x does not see are a bin of their own."""
        eigenvalues = np.clip(problem.eigenvalues, 0, None)
        rotated = problem.eigenvectors.T @ problem.sigma_xy
        floor = 1e-12 * eigenvalues[-1]
        position = np.log(np.maximum(eigenvalues, floor) / floor) / np.log1p(BIN_WIDTH)
        label = np.where(eigenvalues > floor, np.floor(position), -1)
        starts = np.flatnonzero(np.diff(label, prepend=label[0] - 1))
        parts = np.split(np.arange(len(label)), starts[1:])
        return cls(
            eigenvalues=np.array([eigenvalues[part].mean() for part in parts]),
            blocks=np.stack([rotated[part].T @ rotated[part] for part in parts]),
            stages=len(problem.modes.sigma),
            dim_in=problem.dim_in,
        )

    def weighted(self, weights: FloatArray) -> FloatArray:
        """Σ_b weights_b B_b: weights (cases, bins) → (cases, dim_out, dim_out)."""
        return np.asarray(np.tensordot(weights, self.blocks, axes=1))


def initial_amplitudes(delta: FloatArray, dim_in: int, width: int, stages: int) -> FloatArray:
    """Mean log-amplitudes of the hidden directions at a Gaussian start, (cases, stages).

    delta : (cases,). Layer standard deviations e^-delta/√dim_in and e^-delta/√width. Derived: an
    amplitude is the norm of [W₁ᵀu, W₂v]/√2, and of the directions still free at stage j + 1 the
    largest component along the growing one has the mean logarithm of a chi variable with
    width − j degrees of freedom.
    """
    position = np.arange(stages)
    spread = 0.5 * (digamma((width - position) / 2) + np.log(2 / width))
    return np.asarray(-delta[:, None] + 0.5 * np.log((1 + width / dim_in) / 2) + spread)


def plain_forecast(
    pooled: PooledMoments, step_size: FloatArray, delta: FloatArray, width: int
) -> FloatArray:
    """δ/ln(1 + ησ_k) with σ of sigma_xy (cases, stages): exact for commuting moments, δ → ∞.

    As δ → ∞ an upper bound for all moments: σ_{j−k}(S − A) ≥ σ_j(S) for any A of rank k (Weyl).
    """
    stages = min(pooled.stages, width)
    strongest = np.linalg.eigvalsh(pooled.blocks.sum(axis=0))[::-1][:stages]
    return np.asarray(delta[:, None] / np.log1p(step_size[:, None] * np.sqrt(strongest)))


def reduced_rank_forecast(
    pooled: PooledMoments, step_size: FloatArray, delta: FloatArray, width: int
) -> FloatArray:
    """The staged law with R_k = sigma_xy(I − P_k), P_k from reduced-rank regression.

    Argued, not proved, to be the limit δ → ∞ for generic moments. Returns (cases, stages).
    """
    seen = pooled.eigenvalues > 0
    inverse = np.divide(1.0, pooled.eigenvalues, out=np.zeros_like(pooled.eigenvalues), where=seen)
    limit = pooled.weighted(inverse[None])

    def projector(stage: int, _: Callable[[FloatArray], FloatArray]) -> FloatArray:
        return np.repeat(_projector(limit, stage), len(delta), axis=0)

    return _stages(pooled, step_size, delta, width, projector)


def staged_forecast(
    pooled: PooledMoments, step_size: FloatArray, delta: FloatArray, width: int
) -> FloatArray:
    """The staged law with P_k from regression that is stopped early, (cases, stages).

    A direction of eigenvalue λ has been fitted to the share f = 1 − e^{−λX} at the rank-k point,
    where X is the output amplitude integrated over the time spent there, taken as
    X = ½ η s_k Δt with s_k the weakest strength of the k learned directions. Heuristic: the
    factor ½, as the amplitude's mean over the stage. X → 0 gives the plain law's subspace, X → ∞
    reduced-rank regression's.
    """

    def projector(stage: int, duration: Callable[[FloatArray], FloatArray]) -> FloatArray:
        return _early_stopped(pooled, step_size, stage, duration)

    return _stages(pooled, step_size, delta, width, projector)


FORECASTS = {
    "plain": plain_forecast,
    "reduced_rank": reduced_rank_forecast,
    "staged": staged_forecast,
}


def _stages(
    pooled: PooledMoments,
    step_size: FloatArray,
    delta: FloatArray,
    width: int,
    projector: Callable[[int, Callable[[FloatArray], FloatArray]], FloatArray],
) -> FloatArray:
    """Add up the stages' durations; `projector(stage, duration)` says which subspace is learned."""
    stages = min(pooled.stages, width)
    amplitudes = initial_amplitudes(delta, pooled.dim_in, width, stages)
    total = pooled.blocks.sum(axis=0)
    curved = pooled.weighted(pooled.eigenvalues[None])[0]
    elapsed, times = np.zeros(len(delta)), np.empty((len(delta), stages))

    def spectrum(learned: FloatArray) -> tuple[FloatArray, FloatArray]:
        free = np.eye(len(total)) - learned
        values, vectors = np.linalg.eigh(free @ total @ free)
        return np.sqrt(np.clip(values[:, ::-1], 0, None)), vectors[:, :, -1]

    for stage in range(stages):

        def duration(learned: FloatArray, stage: int = stage) -> FloatArray:
            sigma, right = spectrum(learned)
            curvature = np.einsum("ci,ij,cj->c", right, curved, right) / sigma[:, 0] ** 2
            target = 0.5 * np.log(2 * sigma[:, 0] / curvature)
            growth = np.log1p(step_size * sigma[:, 0])
            return np.asarray(np.maximum(target - amplitudes[:, stage], 0) / growth)

        learned = projector(stage, duration)
        spent = duration(learned)
        sigma, _ = spectrum(learned)
        growth = np.log1p(step_size[:, None] * sigma[:, : stages - stage])
        amplitudes[:, stage:] += growth * spent[:, None]
        elapsed = elapsed + spent
        times[:, stage] = elapsed
    return times


def _early_stopped(
    pooled: PooledMoments,
    step_size: FloatArray,
    stage: int,
    duration: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    cases = len(step_size)
    if stage == 0:
        return np.zeros((cases, *pooled.blocks.shape[1:]))
    lam, largest = pooled.eigenvalues, pooled.eigenvalues[-1]

    def excess(log_exposure: FloatArray) -> tuple[FloatArray, FloatArray]:
        exposure = np.exp(log_exposure)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            fitted = np.where(lam > 0, -np.expm1(-lam * exposure) / lam, exposure)
        learned = _projector(pooled.weighted(fitted), stage)
        inside = learned @ pooled.weighted(fitted**2) @ learned
        strength = np.sqrt(np.clip(np.linalg.eigvalsh(inside)[:, -stage], 0, None))
        return 0.5 * step_size * strength * duration(learned) - exposure[:, 0], learned

    low, high = (np.full(cases, np.log(bound / largest)) for bound in _EXPOSURES)
    first, _ = excess(low)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        beyond = excess(middle)[0] > 0
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    _, root = excess(high)
    # Zero exposure always solves the equation; where nothing else does, the limit is the plain
    # law's subspace.
    plain = _projector(pooled.blocks.sum(axis=0)[None], stage)
    return np.where((first > 0)[:, None, None], root, plain)


def _projector(matrices: FloatArray, rank: int) -> FloatArray:
    """Projectors onto the top eigenvectors: (cases, n, n) → (cases, n, n)."""
    top = np.linalg.eigh(matrices)[1][:, :, matrices.shape[1] - rank :]
    return np.asarray(top @ top.transpose(0, 2, 1))


def check_width(width: int) -> None:
    """Refuse widths that no network has."""
    if width < 1:
        raise StagewiseError(f"width is {width}; a network has at least 1 hidden unit.")
