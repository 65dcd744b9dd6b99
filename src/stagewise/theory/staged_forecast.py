"""The staged law: when each rank is learned, with the learned directions followed as they turn.

Between two stages a few numbers tell what the network has learned: the output directions V
(dim_out, k) and the exposure X (k,) of each, the strength of its second layer integrated over
time. This module marches them from stage to stage. It never sees an input: the moments enter as the
blocks B_b of `PooledMoments`, and a step costs algebra on (dim_out, dim_out) matrices.
"""

from dataclasses import dataclass, replace

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.theory.forecast_laws import PooledMoments, free_modes, initial_amplitudes
from stagewise.theory.growth import DESCENT, GrowthRule
from stagewise.theory.schedules import CONSTANT, Schedule

EXPOSURE_STEP = 0.3
"""Largest relative growth of an exposure in one step: a numerical choice that has an effect.

A coarse step delays the turning of the directions a little, as the second layer's finite rate does. On
the problems of docs/forecast.md a third of it raises the error at δ = 16 from .014 to .021, twice of it
gives .013. The first value tried; not tuned.
"""

_GRID_STEP = 0.2
_GRID_START, _GRID_STOP = 1e-3, 1e3
"""Of ln X, and of λX at the largest and the smallest eigenvalue."""
_UNSEEN = 1e-60
"""Share of the largest eigenvalue below which another might as well be zero."""

_HALVINGS = 50
_DYING = 1e-9
"""Of a direction that is weaker than decay: its excess over the penalty counts as this share."""


def staged_forecast(
    pooled: PooledMoments,
    step_size: FloatArray,
    delta: FloatArray,
    width: int,
    rule: GrowthRule = DESCENT,
    schedule: Schedule = CONSTANT,
) -> FloatArray:
    """The staged law with R_k = sigma_xy(I − VVᵀ), V turning between stages; (cases, stages).

    Derived, for a network that learned k ranks and has balanced layers (descent conserves
    W₁ᵀW₁ − W₂W₂ᵀ to first order in the step):

    1. The rows of W₂ are b_j v_jᵀ with slowly varying b_j² = s_j, the strengths of W. The first layer
       relaxes in their field, dW₁/dt = (S − ΛW₁W₂)W₂ᵀ, so its j-th column is f_j S v_j / b_j with
       f_j = (1 − e^{−ΛX_j})/Λ and the exposure X_j = η∫s_j dt. Hence s_j = ‖f_j(Λ) S v_j‖.
    2. The second layer turns until W₁ᵀ S (I − VVᵀ) = 0. With one exposure for all, V would be the top
       eigenvectors of Sᵀ f S; in general it is a maximum of Σ_j v_jᵀ Sᵀ f_j S v_j, the part of the
       outputs fitted so far. A polar factor climbs there, and stays where moments commute.
    3. Small hidden directions grow by g(σ_j(S(I − VVᵀ))) an iteration, ln(1 + ησ) under gradient
       descent; another rule brings its own g, and relaxes as fast as descent with its `speed`.
    4. The next rank counts as learned when the (k+1)-th singular value of sigma_x W, the new
       direction u with exposure X* included, is σ_{k+1}/2. X* is effective: step 1 gives half of one
       mode of eigenvalue λ at X* = ln2/λ (the mode itself, whose layers both grow, is there at
       ln2/(2λ)), and its linear growth has the amplitude ½ln(2σ/λ) then. So the target is
       ½ln(2σ X*/ln2), which is exact for one eigenvalue and not where u mixes strong and weak inputs.

    Approximations: W₂ is slaved (step 2) and changes of b_j within a relaxation are left out (step
    1); a stage begins where the one before it counts as learned.
    """
    cases = zip(step_size, delta, strict=True)
    return np.stack([_march(pooled, step, scale, width, rule, schedule) for step, scale in cases])


def _march(
    pooled: PooledMoments,
    step_size: float,
    delta: float,
    width: int,
    rule: GrowthRule,
    schedule: Schedule,
) -> FloatArray:
    stages = min(pooled.stages, width)
    amplitudes = initial_amplitudes(np.array([delta]), pooled.dim_in, width, stages)[0]
    penalty = float(rule.penalty(step_size))
    network = _Learned.along(pooled, np.empty((len(pooled.total), 0)), np.empty(0), penalty)
    grid = _Grid.of(pooled.eigenvalues)
    strongest = np.sqrt(np.linalg.eigvalsh(pooled.total)[::-1][:stages].clip(0))
    ends = rule.end(step_size, strongest)
    times, elapsed = np.empty(stages), 0.0
    for stage in range(stages):
        while True:
            sigma, new = free_modes(pooled, network.directions)
            factor, lasting = schedule.piece(elapsed)
            speed = float(rule.speed(factor * step_size))
            growth = rule.growth(factor * step_size, sigma[: stages - stage])
            if growth[0] <= 0:  # lost to rounding: too weak to be learned
                times[stage:] = np.inf
                return times
            half = network.half_exposure(new, ends[stage] / 2, grid)
            target = 0.5 * np.log(2 * sigma[0] * half / np.log(2))
            left = max(target - amplitudes[stage], 0.0) / growth[0]
            spent = min(left, network.patience / speed, lasting)
            amplitudes[stage:] += growth * spent
            elapsed += spent
            network = network.exposed(speed * spent)
            if spent == left:
                break
        times[stage] = elapsed
        network = network.with_direction(new, half)
    return times


@dataclass(frozen=True)
class _Learned:
    """Directions V (dim_out, k) in the columns, their exposures (k,), and what follows from them.

    penalty : weight decay μ. seen : (bins, dim_out, k), B_b V. overlaps : (bins, k, k), VᵀB_b V.
    slowing : (bins, k), λ_b + u_j. strengths : (k,), s_j.
    """

    pooled: PooledMoments
    directions: FloatArray
    exposures: FloatArray
    penalty: float
    seen: FloatArray
    overlaps: FloatArray
    slowing: FloatArray
    strengths: FloatArray

    @classmethod
    def along(
        cls,
        pooled: PooledMoments,
        directions: FloatArray,
        exposures: FloatArray,
        penalty: float = 0.0,
    ) -> "_Learned":
        """A network with these directions, strengths still unknown."""
        seen = np.tensordot(pooled.blocks, directions, axes=1)
        overlaps = directions.T @ seen
        own = np.diagonal(overlaps, axis1=1, axis2=2)
        slowing = pooled.eigenvalues[:, None] + _shrinkage(pooled.eigenvalues, own, penalty)
        unknown = np.full(len(exposures), np.nan)
        return cls(pooled, directions, exposures, penalty, seen, overlaps, slowing, unknown)

    def turned(self, exposures: FloatArray) -> "_Learned":
        """Other exposures, with the directions one step of ascent closer to their maximum."""
        fitted = np.broadcast_to(exposures, self.slowing.shape).copy()
        relaxed = -np.expm1(-self.slowing * exposures)
        np.divide(relaxed, self.slowing, out=fitted, where=self.slowing > 0)
        gradient = np.einsum("bik,bk->ik", self.seen, fitted)
        left, _, right = np.linalg.svd(gradient, full_matrices=False)
        turned = self.along(self.pooled, left @ right, exposures, self.penalty)
        squares = np.einsum("bkk,bk->k", turned.overlaps, fitted**2)
        return replace(turned, strengths=np.sqrt(np.clip(squares, 0, None)))

    @property
    def patience(self) -> float:
        """Time for which the exposures may be taken as fixed."""
        return float(np.min(EXPOSURE_STEP * self.exposures / self.strengths, initial=np.inf))

    def exposed(self, time: float) -> "_Learned":
        """The same network after some time."""
        if not len(self.exposures):
            return self
        return self.turned(self.exposures + time * self.strengths)

    def with_direction(self, new: FloatArray, exposure: float) -> "_Learned":
        """One more direction learned: new (dim_out,), orthogonal to the others."""
        exposures = np.append(self.exposures, exposure)
        directions = np.column_stack([self.directions, new])
        return self.along(self.pooled, directions, exposures, self.penalty).turned(exposures)

    def half_exposure(self, new: FloatArray, half: float, grid: "_Grid") -> float:
        """Exposure of a new direction at which the last singular value of sigma_x W is `half`.

        With g = λf, 1 − e^{−λX} without decay, sigma_x W = Σ_j g_j(Λ) S v_j v_jᵀ. Its last singular value is `half`
        where the Schur complement of the old directions in its Gram matrix less half² vanishes.
        While an old direction itself is below `half` no exposure suffices: the largest is returned.
        """
        lam = self.pooled.eigenvalues
        reached = _response(lam, self.slowing, self.exposures)
        gram = np.einsum("bk,bkl,bl->kl", reached, self.overlaps, reached)
        values, vectors = np.linalg.eigh(gram - half**2 * np.eye(len(gram)))
        if (values <= 0).any():
            return float(grid.exposures[-1])
        squares = np.tensordot(self.pooled.blocks, new, axes=1) @ new
        slowing = lam[:, None] + _shrinkage(lam, squares[:, None], self.penalty)
        also = _response(lam, slowing, grid.exposures).T
        own = also**2 @ squares
        cross = also @ (((new @ self.seen) * reached) @ vectors)
        return grid.root(own - half**2 - (cross**2 / values).sum(axis=1))


def _shrinkage(lam: FloatArray, squares: FloatArray, penalty: float) -> FloatArray:
    """The u_j (k,) at which Σ_b squares_bj (u/(λ_b + u))² is penalty², 0 without a penalty.

    lam : (bins,). squares : (bins, k), v_jᵀB_b v_j. The sum rises with u; by bisection.
    """
    size: FloatArray = np.sqrt(squares.sum(axis=0))
    low: FloatArray = np.zeros_like(size)
    if not penalty:
        return low
    high = lam[-1] * penalty / np.maximum(size - penalty, _DYING * penalty)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = (squares * (middle / (lam[:, None] + middle)) ** 2).sum(axis=0) < penalty**2
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(high)


def _response(lam: FloatArray, slowing: FloatArray, exposures: FloatArray) -> FloatArray:
    """λf(λ) of directions with their slowing (bins, k or 1) after exposures (k,): (bins, k)."""
    share = np.divide(lam[:, None], slowing, out=np.zeros_like(slowing), where=slowing > 0)
    return np.asarray(-share * np.expm1(-slowing * exposures))


@dataclass(frozen=True)
class _Grid:
    """Exposures to read a root from, (points,)."""

    exposures: FloatArray

    @classmethod
    def of(cls, eigenvalues: FloatArray) -> "_Grid":
        seen = eigenvalues[eigenvalues > _UNSEEN * eigenvalues[-1]]
        first, last = _GRID_START / eigenvalues[-1], _GRID_STOP / seen[0]
        return cls(np.exp(np.arange(np.log(first), np.log(last) + _GRID_STEP, _GRID_STEP)))

    def root(self, excess: FloatArray) -> float:
        """Where the first change of sign is, to second order in the step; else the last point."""
        above = np.flatnonzero(excess > 0)
        if not len(above) or above[0] == 0:
            return float(self.exposures[above[0] if len(above) else -1])
        low, high = excess[above[0] - 1], excess[above[0]]
        return float(self.exposures[above[0] - 1] * np.exp(_GRID_STEP * low / (low - high)))
