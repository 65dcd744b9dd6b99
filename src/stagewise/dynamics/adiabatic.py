"""Gradient descent integrated coarsely: hundreds of steps where descent takes thousands.

Two layers. A step is a fixed share of an e-fold of the fastest growing direction, however many
iterations that is. Within a step the two layers move in turn (Strang splitting), each exactly for a
frozen partner, with rates corrected so that small directions grow by ln(1 + ησ) an iteration as
under descent, not by ησ as under the flow. Growth before anything is fitted is known and takes no steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from stagewise.arrays import BoolArray, FloatArray, IntArray
from stagewise.dynamics.hidden_rotation import rotate_hidden
from stagewise.problems.learned import LEARNED_SHARE
from stagewise.problems.problem import Problem

E_FOLDS = 0.3
"""Growth of the fastest direction in one step."""
FINE_ENOUGH = 0.005
"""Change of ln T from steps a third as large below which steps suffice."""
NOTHING_FITTED = 1e-4
"""Error of a log amplitude that may come from neglecting what is fitted so far."""


@dataclass(frozen=True)
class Integration:
    """Result of `quasi_adiabatic`.

    learning_iterations : (cases, stages), when the k-th singular value of sigma_x·W reaches
    σ_k/2; NaN if not within the limit. steps : integration steps taken. largest_curvature :
    (cases,), the maximum of η λ₁ ‖W₂W₂ᵀ‖₂ on the way; above 2, descent itself diverges.
    """

    learning_iterations: FloatArray
    steps: int
    largest_curvature: FloatArray


def quasi_adiabatic(
    problems: Problem | Sequence[Problem],
    log_amplitudes: FloatArray,
    step_size: FloatArray,
    last_iteration: FloatArray,
    stages: int | None = None,
    e_folds: float | FloatArray = E_FOLDS,
) -> Integration:
    """Integrate training from hidden directions along the singular vectors of sigma_xy.

    problems : one, or one per case, with equal numbers of inputs and outputs. log_amplitudes : (cases,
    stages), row j of [W₁ᵀ, W₂] starts as e^a [u_j; v_j]/√2. step_size, last_iteration : (cases,), in
    gradient descent's units. stages : how many learning times to wait for (default: one a hidden
    direction). e_folds : growth of the fastest direction in a step, or (cases,). A case's result does
    not depend on the others.
    Derived; the error of the splitting is of third order in `e_folds` a step, but where strong inputs
    are fitted long before weak ones it falls hardly faster than the step.
    """
    cases = len(step_size)
    each = [problems] * cases if isinstance(problems, Problem) else problems
    growth = np.broadcast_to(e_folds, cases)
    iteration, grown = _free_growth(each, log_amplitudes, step_size, last_iteration)
    state = _State.start(each, grown, step_size)
    wanted = log_amplitudes.shape[1] if stages is None else stages
    half = LEARNED_SHARE * np.stack([problem.modes.sigma[:wanted] for problem in each])
    times = np.full((cases, wanted), np.nan)
    curvature = np.zeros(cases)
    # Only unfinished cases move: near the end of training steps grow without bound.
    moving = np.arange(cases)
    before = state.response(wanted)
    steps = 0
    while len(moving):
        length = state.advance(growth)
        after = state.response(wanted)
        with np.errstate(all="ignore"):
            share = np.log(half / before) / np.log(after / before)
        crossed = np.isnan(times[moving]) & (before < half) & (after >= half)
        found = iteration[:, None] + share * length[:, None]
        times[moving] = np.where(crossed, found, times[moving])
        curvature[moving] = np.maximum(curvature[moving], state.curvature())
        iteration = iteration + length
        steps += 1
        going = np.isnan(times[moving]).any(axis=1) & (iteration < last_iteration[moving])
        before = after
        if not going.all():
            moving, iteration, before = moving[going], iteration[going], after[going]
            growth, half, state = growth[going], half[going], state.subset(going)
    return Integration(times, steps, curvature)


def fine_enough(
    integrate: Callable[[IntArray, FloatArray], Integration], cases: int
) -> tuple[Integration, FloatArray, FloatArray]:
    """An integration in steps as fine as each case takes, their e-folds, and what finer ones change.

    integrate : from some of the cases and their growth in a step to the result of `quasi_adiabatic`.
    The change of ln T, (cases, stages), is below `FINE_ENOUGH` unless steps of 1/27 of the usual ones
    do not suffice. The usual steps are coarse where inputs are of very different size: with one column
    times 100, later stages come up to 45 % late.
    """
    coarse, e_folds = np.arange(cases), np.full(cases, E_FOLDS)
    found = integrate(coarse, e_folds)
    change = np.zeros_like(found.learning_iterations)
    for _ in range(3):
        finer = integrate(coarse, e_folds[coarse] / 3)
        change[coarse] = distance(finer.learning_iterations, found.learning_iterations[coarse])
        still = change[coarse].max(axis=1) >= FINE_ENOUGH
        coarse = coarse[still]
        if not len(coarse):
            break
        e_folds[coarse] /= 3
        found.learning_iterations[coarse] = finer.learning_iterations[still]
        found.largest_curvature[coarse] = finer.largest_curvature[still]
    return found, e_folds, change


def distance(one: FloatArray, other: FloatArray) -> FloatArray:
    """|ln T₁ − ln T₂|; 0 where one is not there."""
    return np.nan_to_num(np.abs(np.log(one / other)))


def _free_growth(
    problems: Sequence[Problem],
    log_amplitudes: FloatArray,
    step_size: FloatArray,
    last_iteration: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Iterations (cases,) while nothing is fitted yet, and logarithms of the amplitudes after them.

    Until then sigma_x·W is negligible beside sigma_xy, and each direction stays along its singular
    vectors and grows by ln(1 + ησ_j) an iteration. One of amplitude e^a takes at most λ₁e^{2a}/2 off
    the rates; over its growth that adds up to λ₁e^{2a}/4σ_j in a logarithm, `NOTHING_FITTED` at most.
    """
    sigma = np.stack([each.modes.sigma[: log_amplitudes.shape[1]] for each in problems])
    largest = np.array([each.eigenvalues[-1] for each in problems])
    growth = np.log1p(step_size[:, None] * sigma)
    with np.errstate(divide="ignore"):  # a mode of strength 0 takes no part in the leap
        end = np.log(4 * NOTHING_FITTED * sigma / largest[:, None]) / 2
        wait = (end - log_amplitudes) / growth
    iterations = np.clip(np.where(sigma > 0, wait, np.inf).min(axis=1), 0, last_iteration)
    return iterations, log_amplitudes + iterations[:, None] * growth


@dataclass
class _State:
    """Weights of all cases in the eigenbasis of sigma_x: first (c, d, r), second (c, r, p).

    target : (c, d, p). lam : (c, d, 1). step_size : (c,). fitted : sigma_x·W (c, d, p).
    """

    first: FloatArray
    second: FloatArray
    target: FloatArray
    lam: FloatArray
    step_size: FloatArray
    fitted: FloatArray

    @classmethod
    def start(
        cls, problems: Sequence[Problem], log_amplitudes: FloatArray, step_size: FloatArray
    ) -> "_State":
        stages = log_amplitudes.shape[1]
        left = [each.eigenvectors.T @ each.modes.left[:, :stages] for each in problems]
        right = [each.modes.right[:, :stages].T for each in problems]
        scale = np.exp(log_amplitudes) / np.sqrt(2)
        first, second = np.stack(left) * scale[:, None, :], scale[:, :, None] * np.stack(right)
        target = np.stack([each.seen for each in problems])
        lam = np.stack([each.eigenvalues.clip(0)[:, None] for each in problems])
        return cls(first, second, target, lam, step_size, lam * (first @ second))

    def subset(self, cases: BoolArray) -> "_State":
        return _State(*(getattr(self, each.name)[cases] for each in fields(self)))

    def response(self, stages: int) -> FloatArray:
        """Leading singular values of sigma_x·W (cases, stages)."""
        return np.asarray(np.linalg.svd(self.fitted, compute_uv=False)[:, :stages])

    def curvature(self) -> FloatArray:
        largest = np.linalg.eigvalsh(self.second @ self.second.mT)[:, -1]
        return np.asarray(self.step_size * self.lam[:, -1, 0] * largest)

    def advance(self, e_folds: FloatArray) -> FloatArray:
        """One step of every case; returns its length in iterations."""
        residual = _Residual.of(self.target - self.fitted)
        iterations = e_folds / np.log1p(self.step_size * residual.sigma[:, -1])
        time = iterations * self.step_size
        self._move_second(time / 2, residual)
        self._move_first(time)
        self._move_second(time / 2, self._residual())
        self.first, self.second = rotate_hidden(self.first, self.second)
        self.fitted = self.lam * (self.first @ self.second)
        return np.asarray(iterations)

    def _residual(self) -> "_Residual":
        return _Residual.of(self.target - self.lam * (self.first @ self.second))

    def _move_second(self, time: FloatArray, residual: "_Residual") -> None:
        drive = residual.corrected(2 * time, self.step_size)
        across = self.first.mT
        values, basis = np.linalg.eigh(across @ (self.lam * self.first))
        damping = _phi(time[:, None, None] * values.clip(0)[:, :, None])
        moved = damping * (basis.mT @ (across @ drive))
        self.second = self.second + time[:, None, None] * (basis @ moved)

    def _move_first(self, time: FloatArray) -> None:
        drive = self._residual().corrected(time, self.step_size)
        across = self.second.mT
        values, basis = np.linalg.eigh(self.second @ across)
        damping = _phi(time[:, None, None] * self.lam * values.clip(0)[:, None, :])
        moved = (drive @ (across @ basis)) * damping
        self.first = self.first + time[:, None, None] * (moved @ basis.mT)


@dataclass(frozen=True)
class _Residual:
    """What is not fitted yet, matrix (c, d, p), its singular values (c, p), rising, and right vectors.

    Singular values are roots of eigenvalues of the square: exact for the largest.
    """

    matrix: FloatArray
    sigma: FloatArray
    right: FloatArray

    @classmethod
    def of(cls, matrix: FloatArray) -> "_Residual":
        squares, right = np.linalg.eigh(matrix.mT @ matrix)
        return cls(matrix, np.sqrt(squares.clip(0)), right)

    def corrected(self, time: FloatArray, step_size: FloatArray) -> FloatArray:
        """The residual with rates corrected from the flow's to descent's, G·C.

        C is a function of GᵀG alone; singular values that squaring loses have C = 1.
        """
        growth = np.log1p(step_size[:, None] * self.sigma) / step_size[:, None]
        flow = time[:, None] * self.sigma
        grown = 2 * np.sinh(time[:, None] * growth / 2)
        factor = np.divide(grown, flow, out=np.ones_like(flow), where=flow > 1e-12)
        return np.asarray(self.matrix @ ((self.right * factor[:, None, :]) @ self.right.mT))


def _phi(x: FloatArray) -> FloatArray:
    """(1 − e^−x)/x, 1 at 0."""
    return np.divide(-np.expm1(-x), x, out=np.ones_like(x), where=x >= 1e-12)
