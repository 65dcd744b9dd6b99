"""When each rank is learned, from second moments alone, whether or not they commute.

Two layers, gradient descent, a Gaussian start of scale e^-delta. While the network waits near a
point of rank k with residual R_k = sigma_xy − sigma_x W, its small hidden directions follow a
linear recursion: the logarithm of the j-th amplitude grows by ln(1 + η σ_{j−k}(R_k)) a step, and
stage k + 1 comes when the next amplitude is of order one. The laws differ in what R_k is taken to
be. Everything happens in the output space: with sigma_x = Q diag(λ) Qᵀ and S = Qᵀ sigma_xy, pooled
into B_b = Σ_{i in bin b} S_iᵀ S_i, a stage costs algebra on (dim_out, dim_out) matrices.

Results of this project, derived by the argument above to leading order in delta. The law that
follows the residual between stages is in `staged_forecast`; docs/forecast.md has the derivations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem
from stagewise.theory.growth import DESCENT, GrowthRule

BIN_WIDTH = 0.1
"""Eigenvalues of sigma_x within this relative distance are pooled; a tenth of that changes a
forecast by less than the laws' own error."""

PATIENCE = 3.0
"""Whoever waits for a stage may give up at this multiple of the plain law's time for it."""


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
        parts = np.split(np.arange(len(label)), np.flatnonzero(np.diff(label)) + 1)
        return cls(
            eigenvalues=np.array([eigenvalues[part].mean() for part in parts]),
            blocks=np.stack([rotated[part].T @ rotated[part] for part in parts]),
            stages=len(problem.modes.sigma),
            dim_in=problem.dim_in,
        )

    @cached_property
    def total(self) -> FloatArray:
        """sigma_xyᵀ sigma_xy (dim_out, dim_out)."""
        return np.asarray(self.blocks.sum(axis=0))

    def weighted(self, weights: FloatArray) -> FloatArray:
        """Σ_b weights_b B_b: weights (bins,) → (dim_out, dim_out)."""
        return np.asarray(np.tensordot(weights, self.blocks, axes=1))


def initial_amplitudes(delta: FloatArray, dim_in: int, width: int, stages: int) -> FloatArray:
    """Mean log-amplitudes of the hidden directions at a Gaussian start, (cases, stages).

    delta : (cases,). Layer standard deviations e^-delta/√dim_in and e^-delta/√width. Derived: an
    amplitude is the norm of [W₁ᵀu, W₂v]/√2, and of the directions still free at stage j + 1 the
    largest component along the growing one has the mean logarithm of a chi variable with
    width − j degrees of freedom.
    """
    from scipy.special import digamma  # few jobs need it

    position = np.arange(stages)
    spread = 0.5 * (digamma((width - position) / 2) + np.log(2 / width))
    return np.asarray(-delta[:, None] + 0.5 * np.log((1 + width / dim_in) / 2) + spread)


def plain_forecast(
    pooled: PooledMoments,
    step_size: FloatArray,
    delta: FloatArray,
    width: int,
    rule: GrowthRule = DESCENT,
) -> FloatArray:
    """δ/g(σ_k) with σ of sigma_xy (cases, stages): exact for commuting moments, δ → ∞.

    g(σ) is the rule's growth per iteration, ln(1 + ησ) under gradient descent.

    As δ → ∞ an upper bound for all moments: σ_{j−k}(S − A) ≥ σ_j(S) for any A of rank k (Weyl).
    """
    stages = min(pooled.stages, width)
    strength = np.sqrt(np.linalg.eigvalsh(pooled.total)[::-1][:stages].clip(0))
    with np.errstate(divide="ignore"):  # a mode below rounding is never learned
        return np.asarray(delta[:, None] / rule.growth(step_size[:, None], strength))


def reduced_rank_forecast(
    pooled: PooledMoments,
    step_size: FloatArray,
    delta: FloatArray,
    width: int,
    rule: GrowthRule = DESCENT,
) -> FloatArray:
    """Stages with R_k = sigma_xy(I − P_k), P_k from reduced-rank regression; (cases, stages).

    Argued, not proved, to be the limit δ → ∞ for generic moments. A stage ends when the amplitude
    reaches ½ln(2σ/λ), λ the curvature uᵀ sigma_x u along the growing direction u: derived for
    commuting moments.
    """
    amplitudes = initial_amplitudes(delta, pooled.dim_in, width, min(pooled.stages, width))
    curved = pooled.weighted(pooled.eigenvalues)

    def target(sigma: FloatArray, right: FloatArray) -> float:
        return float(0.5 * np.log(2 * sigma[0] / (right @ curved @ right / sigma[0] ** 2)))

    return _regression_stages(
        pooled, amplitudes, lambda sigma: rule.growth(step_size[:, None], sigma), target
    )


def vanishing_flow_forecast(
    pooled: PooledMoments, step_size: FloatArray, delta: FloatArray, width: int
) -> FloatArray:
    """The reduced-rank staged law of the gradient flow from a vanishing start; (cases, stages).

    Amplitudes climb from −δ to 0 at the rates ησ of R_k. To our reading the forecast of Alternating
    Gradient Flows for linear networks whose dormant directions are orthogonal.
    Source: Kunin et al. 2025, arXiv 2506.06489.
    """
    amplitudes = np.repeat(-delta[:, None], min(pooled.stages, width), axis=1)
    return _regression_stages(
        pooled, amplitudes, lambda sigma: step_size[:, None] * sigma, lambda sigma, right: 0.0
    )


def _regression_stages(
    pooled: PooledMoments,
    amplitudes: FloatArray,
    growth_at: Callable[[FloatArray], FloatArray],
    target: Callable[[FloatArray, FloatArray], float],
) -> FloatArray:
    """When each log-amplitude (cases, stages) reaches its target between points of regression."""
    amplitudes = amplitudes.copy()
    stages = amplitudes.shape[1]
    seen = pooled.eigenvalues > 0
    inverse = np.divide(1.0, pooled.eigenvalues, out=np.zeros_like(pooled.eigenvalues), where=seen)
    best = np.linalg.eigh(pooled.weighted(inverse))[1][:, ::-1]
    elapsed, times = np.zeros(len(amplitudes)), np.empty_like(amplitudes)
    for stage in range(stages):
        sigma, right = free_modes(pooled, best[:, :stage])
        growth = growth_at(sigma[: stages - stage])
        spent = np.maximum(target(sigma, right) - amplitudes[:, stage], 0) / growth[:, 0]
        amplitudes[:, stage:] += growth * spent[:, None]
        elapsed = elapsed + spent
        times[:, stage] = elapsed
    return times


def free_modes(pooled: PooledMoments, directions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of S(I − VVᵀ): singular values, descending, and the first right singular vector.

    directions : V (dim_out, k), orthonormal columns.
    """
    free = np.eye(len(directions)) - directions @ directions.T
    values, vectors = np.linalg.eigh(free @ pooled.total @ free)
    return np.sqrt(values[::-1].clip(0)), vectors[:, -1]


def check_width(width: int) -> None:
    """Refuse widths that no network has."""
    if width < 1:
        raise StagewiseError(f"width is {width}; a network has at least 1 hidden unit.")
