"""Three and more layers: weight decay makes a threshold of the start, momentum only rescales time."""

import numpy as np

from stagewise.arrays import FloatArray


def decay_threshold(sigma: FloatArray, decay: float | FloatArray, depth: int) -> FloatArray:
    """Largest δ from which a mode is learned under L2 decay: δ_c = ln(σ/μ)/(L − 2), L ≥ 3.

    Arguments broadcast. Source: derived. An aligned amplitude follows a' = σa^(L−1) − μa while it
    is small, which grows iff a^(L−2) > μ/σ; from below, all layers die. For L = 2 there is no
    threshold of the start: a mode is learned iff σ > μ.
    """
    return np.log(np.divide(sigma, decay)) / (depth - 2)


def decayed_learning_iteration(
    sigma: FloatArray,
    delta: float | FloatArray,
    step_size: float | FloatArray,
    decay: float | FloatArray,
    depth: int,
) -> FloatArray:
    """Iterations until a mode is learned under L2 decay, to leading order, L ≥ 3; else infinite.

    Arguments broadcast. Source: derived. u = 1/a^(L−2) obeys u' = −(L−2)(σ − μu), which reaches 0
    from u₀ = e^(δ(L−2)) at −ln(1 − u₀μ/σ)/(μ(L−2)) if u₀ < σ/μ.
    """
    share = np.exp(np.multiply(delta, depth - 2)) * np.divide(decay, sigma)
    with np.errstate(divide="ignore", invalid="ignore"):
        time = -np.log1p(-share) / (np.multiply(step_size, decay) * (depth - 2))
    return np.where(share < 1, time, np.inf)


def momentum_learning_iteration(
    sigma: FloatArray,
    delta: float | FloatArray,
    step_size: float | FloatArray,
    momentum: float | FloatArray,
    depth: int,
) -> FloatArray:
    """Iterations until heavy ball learns a mode, to order δ, for L ≥ 3.

    (1−β)e^(δ(L−2))/((L−2)ησ) + ½(L−1)(1+β)/(1−β)·δ. Arguments broadcast. Source: derived. On the
    slow path a(t) of a₊ = a + β(a − a₋) + xa^(L−1), x = ησ, a' = ca^(L−1) − c²(L−1)κa^(2L−3) with
    c = x/(1−β) and κ = ½(1+β)/(1−β); the second term delays by κ(L−1)∫da/a. Needs
    x e^(−δ(L−2)) ≪ (1−β)²; the constants left out are O(1), so that two δ are compared.
    """
    rest = np.subtract(1.0, momentum)
    flow = rest * np.exp(np.multiply(delta, depth - 2))
    flow = flow / ((depth - 2) * np.multiply(step_size, sigma))
    return np.asarray(flow + (depth - 1) / 2 * np.add(1.0, momentum) / rest * delta)
