"""When an aligned mode of a network with L layers is learned: a ← a + η(σ − λa^L)a^(L−1)."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.theory.learning_times import learning_iteration


def leading_iteration(
    sigma: FloatArray, delta: float | FloatArray, step_size: float | FloatArray, depth: int
) -> FloatArray:
    """Iterations until a mode is learned, to leading order in the initial scale.

    depth ≤ 2: δ/ln(1 + ησ). depth ≥ 3: e^(δ(L−2)) / ((L−2)ησ). Arguments broadcast.
    Source: derived. While a^L is small a' = σa^(L−1), so 1/a^(L−2) falls from e^(δ(L−2)) at the rate
    (L−2)σ; the growth per step, ησa^(L−2), is smallest where most time is spent, which is why the
    step-size correction of two layers is absent.
    """
    if depth <= 2:
        return learning_iteration(sigma, delta, step_size)
    return np.asarray(
        np.exp(np.multiply(delta, depth - 2)) / ((depth - 2) * step_size * np.asarray(sigma))
    )


def flow_time(
    sigma: FloatArray, lam: FloatArray, delta: float | FloatArray, depth: int, share: float = 0.5
) -> FloatArray:
    """Time at which the flow a' = (σ − λa^L)a^(L−1) brings a mode to `share` of σ/λ.

    sigma, lam, delta : broadcast together, > 0. depth ≥ 2. share : in (0, 1), above the start's.
    Source: derived. In u = (λ/σ)^(1/L) a the time is (λ/σ)^((L−2)/L)/σ · ∫ du/(u^(L−1)(1 − u^L));
    writing 1/(1 − u^L) = 1 + u^L/(1 − u^L), the first term is a power (a logarithm at L = 2), the
    second F(u) = u²/2 · ₂F₁(1, 2/L; 1 + 2/L; u^L).
    """
    sigma, lam = np.asarray(sigma, dtype=np.float64), np.asarray(lam, dtype=np.float64)
    start = (lam / sigma) ** (1 / depth) * np.exp(-np.asarray(delta, dtype=np.float64))
    stop = share ** (1 / depth)
    if depth == 2:
        climb = np.log(stop / start)
    else:
        climb = (start ** -(depth - 2.0) - stop ** -(depth - 2.0)) / (depth - 2)
    rest = _saturation(np.asarray(stop), depth) - _saturation(start, depth)
    return np.asarray((lam / sigma) ** ((depth - 2) / depth) / sigma * (climb + rest))


def _saturation(amplitude: FloatArray, depth: int) -> FloatArray:
    from scipy.special import hyp2f1  # few jobs need it

    power = 2 / depth
    return np.asarray(amplitude**2 / 2 * hyp2f1(1, power, 1 + power, amplitude**depth))


def descent_iteration(
    sigma: FloatArray,
    lam: FloatArray,
    delta: float | FloatArray,
    step_size: float | FloatArray,
    depth: int,
) -> FloatArray:
    """Iterations until descent brings an aligned mode to half of σ/λ, for depth ≥ 3.

    Arguments broadcast. Source: derived. A step of size η follows the flow of the modified field
    f·(1 − ηf'/2) to second order in η, whose time to a is t/η + ½ ln[f(a)/f(a₀)] in iterations, with
    f = (σ − λa^L)a^(L−1).
    """
    sigma, lam = np.asarray(sigma, dtype=np.float64), np.asarray(lam, dtype=np.float64)
    start = np.exp(-np.asarray(delta, dtype=np.float64))
    stop = (0.5 * sigma / lam) ** (1 / depth)

    def field(amplitude: FloatArray) -> FloatArray:
        return np.asarray((sigma - lam * amplitude**depth) * amplitude ** (depth - 1))

    time = flow_time(sigma, lam, delta, depth)
    return np.asarray(time / step_size + np.log(field(stop) / field(start)) / 2)


def strength_left(
    sigma: FloatArray, strongest: FloatArray, product_scale: FloatArray, depth: FloatArray
) -> FloatArray:
    """Strength of a weaker mode when the strongest is learned, three layers on, aligned start.

    sigma, strongest : singular values of the weaker and of the strongest mode; depth >= 3. All of
    one shape. Returns ε(1 − σ₂/σ₁)^(−L/(L−2)), the strength of sigma_x = I.
    Source: derived, for the flow as ε → 0. u = a^−(L−2) falls at the rate (L − 2)σ for each mode,
    so that u₀(1 − σ₂/σ₁) of the weaker one is left when that of the strongest is spent, and the
    strength is u^(−L/(L−2)).
    """
    return np.asarray(product_scale * (1 - sigma / strongest) ** (-depth / (depth - 2)))
