"""Saddles and minima of deep matrix factorisation, f = ½‖W_1⋯W_L − M‖², in closed form."""

import numpy as np

from stagewise.arrays import FloatArray

POWER_ITERATIONS = 1000
POWER_TOLERANCE = 1e-8
"""Power iteration ends when a step raises the eigenvalue by less than this share."""

SEPARATING_GAP = {2: 2.31, 3: 1.99, 4: 1.64}
"""Gap between the learning times of two nearly equal modes, times σ^(2−2/L), from which the gradient
falls to 1/1.5 of its peaks in between, by depth. Source: the flow a' = (1 − a^L)a^(L−1) of one mode,
g(t) its speed: the smallest Δ with min √(g(t)² + g(t − Δ)²) = max g/1.5, by numbers."""


def plateau_loss(sigma: FloatArray, rank: int) -> float:
    """Loss at the saddle where the product is the best map of a rank: ½Σ_{k>r} σ_k².

    sigma : (modes,), descending, of a fully observed target. Source: Eckart and Young.
    """
    return float(0.5 * np.sum(np.asarray(sigma)[rank:] ** 2))


def saddle_curvature(
    sigma: float | FloatArray, product_scale: float | FloatArray, depth: int
) -> FloatArray:
    """Smallest Hessian eigenvalue at the balanced start: −(L−1)σ₁ε^((L−2)/L).

    sigma : the largest singular value of M. product_scale : ε = a^L, all layers having the modes a.
    Source: derived. Changes of the L layers along the strongest mode meet the matrix
    −(σ − a^L)a^(L−2) (J − I) + a^(2L−2) J, with J all ones; its smallest eigenvalue is
    −(L−1)(σ − a^L)a^(L−2) + L a^(2L−2), here to leading order in a. At two layers this is −σ
    whatever ε is; from three on it vanishes with ε.
    """
    return np.asarray(-(depth - 1) * sigma * np.power(product_scale, (depth - 2) / depth))


def largest_curvature(sigma: float | FloatArray, depth: int) -> FloatArray:
    """Largest Hessian eigenvalue at the balanced solution: Lσ₁^(2−2/L).

    sigma : the largest singular value of M. Source: derived; along the strongest mode the product
    changes by a^(L−1) for each of L layers, so that the Hessian is a^(2L−2) J with a^L = σ.
    """
    return np.asarray(depth * np.power(sigma, 2 - 2 / depth))


def completion_curvature(target: FloatArray, observed: FloatArray, depth: int) -> float:
    """Largest Hessian eigenvalue of ½‖observed ∘ (W_1⋯W_L − M)‖² at the balanced solution W = M.

    target : M, (dim_in, dim_out). observed : zeros and ones of its shape. depth ≥ 2.
    Source: derived. Without a residual the Hessian is JᵀJ, with the eigenvalues of JJᵀ, which takes
    a matrix E to observed ∘ Σ_l (MMᵀ)^((l−1)/L) (observed ∘ E) (MᵀM)^((L−l)/L). Found by power
    iteration from the strongest mode; with all observed it is `largest_curvature`.
    """
    left, values, right = np.linalg.svd(target, full_matrices=False)
    powers = [values ** (2 * layer / depth) for layer in range(depth)]
    inner = sum(np.outer(powers[at], powers[-1 - at]) for at in range(1, depth - 1))
    error, largest = observed * np.outer(left[:, 0], right[0]), 0.0
    for _ in range(POWER_ITERATIONS):
        error = error / np.linalg.norm(error)
        to_right = error @ right.T
        core = inner * (left.T @ to_right)
        change = (to_right * powers[-1] + left @ core) @ right
        change += left @ (powers[-1][:, None] * (left.T @ error))
        error, before, largest = observed * change, largest, float(np.sum(error * change))
        if largest - before <= POWER_TOLERANCE * largest:
            break
    return largest


def largest_stable_step(sigma: float | FloatArray, depth: int) -> FloatArray:
    """Step beyond which descent cannot settle at the balanced solution: 2/(Lσ₁^(2−2/L))."""
    return np.asarray(2 / largest_curvature(sigma, depth))


def separating_scale(ratio: float | FloatArray, depth: int) -> FloatArray:
    """Product scale below which the stages of two neighbouring modes separate, aligned start.

    ratio : r = σ₂/σ₁ < 1. depth : 2, 3 or 4. The scale is in units of σ₂: e^(−2C/(1−r)) at two layers,
    ((1−r)/((L−2)C))^(L/(L−2)) from three on, with C of `SEPARATING_GAP`.
    Source: derived. The laws of growth put ln(1/ε)(1/σ₂ − 1/σ₁)/2 between the two learning times, or
    ε^(−(L−2)/L)(1/σ₂ − 1/σ₁)/(L−2), to leading order in ε, and C/σ₂^(2−2/L) is what it takes.
    """
    gap, apart = SEPARATING_GAP[depth], 1 - np.asarray(ratio, dtype=np.float64)
    if depth == 2:
        return np.asarray(np.exp(-2 * gap / apart))
    return np.asarray((apart / ((depth - 2) * gap)) ** (depth / (depth - 2)))
