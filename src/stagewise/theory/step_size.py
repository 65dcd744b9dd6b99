"""What the step size does to an aligned mode a ← a + η(σ − λa²)a, with x = ησ."""

import numpy as np

from stagewise.arrays import FloatArray

OVERSHOOT_THRESHOLD = 0.5
"""A mode started below its target passes it for some start if and only if x > ½.

Derived: in units of the fixed point the map is f(a) = a(1 + x(1 − a²)), whose slope at the fixed
point is 1 − 2x; for x ≤ ½ f increases on (0, 1] up to f(1) = 1, for x > ½ it approaches 1 from
alternating sides. λ drops out with the unit.
"""

CONVERGENCE_THRESHOLD = 1.0
"""The fixed point is stable if and only if x ≤ 1; derived from the slope as above.

At x = 1 the slope is −1 and the next order decides: f's Schwarzian derivative is negative there, so
that the fixed point still attracts.
"""


def stable_step(sigma: FloatArray, lam: FloatArray, largest_eigenvalue: float = 0.0) -> float:
    """Largest step at which the balanced two-layer solution of commuting moments is stable.

    sigma, lam : (modes,), all modes. largest_eigenvalue : of sigma_x, if there are inputs outside the
    modes. Returns 2/max_{ij} λ_i(w_i + w_j) with w = σ/λ, and w_i = 0 for inputs outside.
    Source: derived. At the balanced solution a change of the entry (i, j) of the layers changes
    W_ij by dW₁_ij a_j + a_i dW₂_ij and meets the gradient λ_i dW_ij, so the Hessian's eigenvalue
    is λ_i(a_i² + a_j²) with a² = w. On the diagonal it is 2σ_i: the threshold ησ ≤ 1. Off the
    diagonal λ matters, and only a start without exact alignment sees it. Unbalanced solutions may
    be flatter, so beyond this step descent may still converge to one of those.
    """
    strength = sigma / lam
    inside = np.max(lam[:, None] * (strength[:, None] + strength[None, :]))
    return float(2 / max(inside, largest_eigenvalue * strength.max()))
