"""One growth function per update rule: how fast a mode grows while the network is near a saddle.

Two layers. Near a point of rank k with residual G = sigma_xy − sigma_x W the small hidden directions,
rows of Z = [W₁ᵀ, W₂], follow Z ← Z(I + ηM) with M = [[0, G], [Gᵀ, 0]] under gradient descent, and
under any other rule that is linear in the weights near 0 a recursion that M alone determines. M has
the eigenvalues ±σ of G, so a rule acts on the laws of this package through one function: the growth
g(σ) of the logarithm of an amplitude per iteration, the largest root of the rule's characteristic
polynomial at x = ησ. The laws replace ln(1 + ησ) by it. Once a direction is learned, what matters is
how fast the learned weights relax: as under gradient descent with the step `speed`.

Source: derived; the linear phase is exact, and each root is tested against the eigenvalues of the
recursion's matrix.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stagewise.arrays import FloatArray

Numbers = float | FloatArray
_NEWTON_STEPS = 60
"""More than a monotone Newton iteration from above needs for any step and any delay below 100."""


class GrowthRule(Protocol):
    """An update rule as the laws see it. Steps and sigma broadcast."""

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """Log-growth of an amplitude per iteration; negative where a mode dies."""

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """dg/dx at x = ησ: what a perturbation of the step's matrix adds to the growth."""

    def speed(self, step_size: Numbers) -> FloatArray:
        """Step of the gradient descent that relaxes learned weights as fast."""

    def penalty(self, step_size: Numbers) -> Numbers:
        """The μ of a penalty (μ/2)Σ‖W_l‖² in the loss at whose stationary points the rule ends."""

    def end(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """Singular value of sigma_x W where commuting moments end (0 where nothing is learned)."""


@dataclass(frozen=True)
class DescentGrowth:
    """Gradient descent: g = ln(1 + x). Clipping ‖gradient‖ leaves it unchanged.

    Near a saddle the gradient is far below any fixed threshold, so that clipping acts only on the
    steps between plateaus, a number of iterations that does not grow with delta.
    """

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """ln(1 + ησ)."""
        return np.log1p(np.multiply(step_size, sigma))

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """1/(1 + ησ)."""
        return np.asarray(1 / (1 + np.multiply(step_size, sigma)))

    def speed(self, step_size: Numbers) -> FloatArray:
        """The step itself."""
        return np.asarray(step_size, dtype=np.float64)

    def penalty(self, step_size: Numbers) -> Numbers:
        """None."""
        return 0.0

    def end(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """σ less the penalty."""
        left = np.subtract(sigma, self.penalty(step_size))
        return np.broadcast_arrays(np.maximum(left, 0), step_size)[0]


@dataclass(frozen=True)
class HeavyBallGrowth(DescentGrowth):
    """W ← W + βΔW + ηD: the larger root of z² − (1 + β + x)z + β, g = ln z.

    η/(1 − β) is the slope of z at x = 0 and right only for x ≪ (1 − β)². momentum : β in [0, 1).
    """

    momentum: float

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """ln z."""
        x = np.multiply(step_size, sigma)
        return _log_root(1 - self.momentum - x, x)

    def speed(self, step_size: Numbers) -> FloatArray:
        """η/(1 − β)."""
        return np.asarray(np.divide(step_size, 1 - self.momentum))

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """1/(z − β/z)."""
        z = np.exp(self.growth(step_size, sigma))
        return np.asarray(1 / (z - self.momentum / z))


@dataclass(frozen=True)
class NesterovGrowth(HeavyBallGrowth):
    """Heavy ball with the gradient at W + βΔW: z² − (1 + β)(1 + x)z + β(1 + x), g = ln z."""

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """ln z."""
        x = np.multiply(step_size, sigma)
        return _log_root(1 - self.momentum - x * (1 + self.momentum), x)

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """((1 + β)z − β)/(z(2z − (1 + β)(1 + x))), by the implicit function theorem."""
        z, beta = np.exp(self.growth(step_size, sigma)), self.momentum
        x = np.multiply(step_size, sigma)
        change = ((1 + beta) * z - beta) / (2 * z - (1 + beta) * (1 + x))
        return np.asarray(change / z)


@dataclass(frozen=True)
class L2DecayGrowth(DescentGrowth):
    """The penalty (μ/2)Σ‖W_l‖² in the loss: g = ln(1 + η(σ − μ)); sigma_x W ends at σ − μ.

    decay : μ ≥ 0.
    """

    decay: float

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """ln(1 + η(σ − μ))."""
        return np.log1p(np.multiply(step_size, np.subtract(sigma, self.decay)))

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """1/(1 + η(σ − μ))."""
        return np.asarray(1 / (1 + np.multiply(step_size, np.subtract(sigma, self.decay))))

    def penalty(self, step_size: Numbers) -> Numbers:
        """μ: amplitudes stop at σ − μ."""
        return self.decay


@dataclass(frozen=True)
class DecoupledDecayGrowth(L2DecayGrowth):
    """A step, then weights shrink: W ← (1 − ημ)(W + ηD), g = ln((1 − ημ)(1 + x)).

    A stationary point has ηD = Wημ/(1 − ημ): the penalty of `L2DecayGrowth` with μ/(1 − ημ).
    Shrinking the weights before the gradient is added is `L2DecayGrowth` itself.
    """

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """ln(1 − ημ) + ln(1 + ησ)."""
        shrink = np.log1p(-np.multiply(step_size, self.decay))
        return np.asarray(shrink + np.log1p(np.multiply(step_size, sigma)))

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """1/(1 + ησ)."""
        return np.asarray(1 / (1 + np.multiply(step_size, sigma)))

    def penalty(self, step_size: Numbers) -> Numbers:
        """μ/(1 − ημ)."""
        return np.asarray(self.decay / (1 - np.multiply(step_size, self.decay)))


@dataclass(frozen=True)
class LayersInTurnGrowth(DescentGrowth):
    """W₂ first, then W₁ with the new gradient: g = 2 asinh(x/2) per iteration of both.

    The recursion [[1 + x², x], [x, 1]] has determinant 1 and trace 2 + x² = 2 cosh g.
    """

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """2 asinh(ησ/2)."""
        return np.asarray(2 * np.arcsinh(np.multiply(step_size, sigma) / 2))

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """1/√(1 + x²/4)."""
        return np.asarray(1 / np.sqrt(1 + np.multiply(step_size, sigma) ** 2 / 4))


@dataclass(frozen=True)
class StaleGradientGrowth(DescentGrowth):
    """Gradients of `delay` iterations ago: z^(D+1) = z^D + x, g = ln z.

    Learned weights ring once 2ησ > 2 sin(π/(2(2D + 1))), and the laws end there.
    """

    delay: int

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """ln(1 + y) with (1 + y)^D y = x, by Newton's method from above."""
        x = np.multiply(step_size, sigma).astype(np.float64)
        y = np.minimum(x, x ** (1 / (self.delay + 1)))
        for _ in range(_NEWTON_STEPS):
            power = (1 + y) ** self.delay
            slope = power * (1 + self.delay * y / (1 + y))
            y = y - (power * y - x) / slope
        return np.log1p(y)

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """1/((D + 1)z^(D+1) − Dz^D)."""
        z = np.exp(self.growth(step_size, sigma))
        return np.asarray(1 / (z**self.delay * ((self.delay + 1) * z - self.delay)))


@dataclass(frozen=True)
class DecayedGrowth(DescentGrowth):
    """Another rule with L2 decay μ in its gradient: its growth at σ − μ, as M − μI is in place of M.

    rule : one whose recursion is a polynomial in the gradient's matrix alone, so not `LayersInTurnGrowth`,
    in which decay acts twice. decay : μ ≥ 0.
    """

    rule: DescentGrowth
    decay: float

    def growth(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """g(σ − μ)."""
        return self.rule.growth(step_size, np.subtract(sigma, self.decay))

    def sensitivity(self, step_size: Numbers, sigma: Numbers) -> FloatArray:
        """That of the rule at σ − μ; at 0 for learned directions, whose residual is μ itself."""
        return self.rule.sensitivity(step_size, np.maximum(np.subtract(sigma, self.decay), 0))

    def speed(self, step_size: Numbers) -> FloatArray:
        """That of the rule."""
        return self.rule.speed(step_size)

    def penalty(self, step_size: Numbers) -> Numbers:
        """μ: amplitudes stop at σ − μ."""
        return self.decay


DESCENT = DescentGrowth()
GROWTH_RULES: dict[str, type[DescentGrowth]] = {
    "gradient_descent": DescentGrowth,
    "clipped": DescentGrowth,
    "scheduled": DescentGrowth,
    "heavy_ball": HeavyBallGrowth,
    "nesterov": NesterovGrowth,
    "l2_decay": L2DecayGrowth,
    "decoupled_decay": DecoupledDecayGrowth,
    "layers_in_turn": LayersInTurnGrowth,
    "stale_gradient": StaleGradientGrowth,
}
"""Rules that are linear near a saddle, by the names that they have in `dynamics`."""


def schedule_learning_iteration(
    sigma: FloatArray, delta: float | FloatArray, step_sizes: FloatArray
) -> FloatArray:
    """Iterations until a mode is learned under a schedule of steps: Σ_t ln(1 + η_t σ) = δ.

    sigma, delta : broadcast. step_sizes : (iterations,), the step of each. Interpolated within an
    iteration; infinite where the schedule is too short. Source: derived, the factors I + η_t M
    commute, so that log-growths add.
    """
    wanted, sigma = np.broadcast_arrays(np.asarray(delta, dtype=np.float64), sigma)
    times = np.full(wanted.shape, np.inf)
    for place in np.ndindex(wanted.shape):
        grown = np.concatenate([[0.0], np.cumsum(np.log1p(step_sizes * sigma[place]))])
        if grown[-1] >= wanted[place]:
            times[place] = np.interp(wanted[place], grown, np.arange(len(grown)))
    return times


def _log_root(b: FloatArray, c: FloatArray) -> FloatArray:
    """ln|z| of the larger root z = 1 + y of the quadratics above, y² + by − c, without cancellation.

    Under decay c may be so negative that the roots are complex: |z|² is then their product.
    """
    square = b**2 + 4 * c
    root = np.sqrt(np.maximum(square, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        real = np.log1p(np.where(b > 0, 2 * c / (b + root), (root - b) / 2))
        return np.where(square >= 0, real, np.log(np.maximum(1 - b - c, 0)) / 2)
