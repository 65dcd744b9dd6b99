"""Where decayed training of two layers ends: regression with a nuclear-norm penalty."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.problems.problem import Problem

_STEPS = 50_000
_ENOUGH = 1e-13


def nuclear_norm_regression(problem: Problem, penalty: float) -> FloatArray:
    """The W (dim_in, dim_out) that minimises ½ tr(Wᵀ sigma_x W) − tr(sigma_xyᵀ W) + penalty·‖W‖_*.

    penalty : > 0. Accelerated proximal gradient with restarts. The end of training two layers under
    L2 decay: stationarity gives W₁ᵀW₁ = W₂W₂ᵀ, and a stationary point that is no strict saddle
    (width above its rank) satisfies ‖sigma_xy − sigma_x W‖₂ ≤ μ with equality on the support, which
    are the optimality conditions of this problem. Derived; with commuting moments the rank is the
    number of σ_k > μ, in general it is not.
    """
    rate = 1 / float(problem.eigenvalues[-1])
    best = np.zeros_like(problem.sigma_xy)
    ahead, weight = best, 1.0
    for _ in range(_STEPS):
        moved = ahead + rate * (problem.sigma_xy - problem.sigma_x @ ahead)
        left, values, right = np.linalg.svd(moved, full_matrices=False)
        after = (left * np.maximum(values - rate * penalty, 0)) @ right
        if np.sum((ahead - after) * (after - best)) > 0:
            weight = 1.0
        following = (1 + np.sqrt(1 + 4 * weight**2)) / 2
        ahead = after + (weight - 1) / following * (after - best)
        change, scale = float(np.linalg.norm(after - best)), float(np.linalg.norm(after))
        best, weight = after, following
        if change <= _ENOUGH * scale:
            break
    return best
