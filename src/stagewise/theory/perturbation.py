"""How a small part of sigma_x that does not commute grows while two layers wait for a mode."""

import numpy as np

from stagewise.arrays import FloatArray


def waiting_growth(sigma: FloatArray, lam: FloatArray) -> FloatArray:
    """Rate at which the learned stronger of two modes turns towards the weaker one; per time.

    sigma, lam : (…, 2), the modes, stronger first. Returns (…), ≥ 0: growth exponent of the
    distance to the commuting path per unit of the flow's time between the two learning times.

    Derived. While mode 1 is learned (a₁² = σ₁/λ₁ per layer) and mode 2 is not, let p and s be the
    components of its hidden direction along u₂ in the first layer and v₂ in the second. With the
    off-diagonal part b of sigma_x as source, dp/dt = σ₂ s − λ₂ a₁² p − b a₁³ and
    ds/dt = σ₂ p − λ₁ a₁² s. The matrix [[−λ₂σ₁/λ₁, σ₂], [σ₂, −σ₁]] has a positive eigenvalue if
    and only if σ₂²/λ₂ > σ₁²/λ₁, that is where regression of rank one keeps the other mode.
    """
    first, second = sigma[..., 0], sigma[..., 1]
    decay = lam[..., 1] * first / lam[..., 0]
    trace, determinant = -(decay + first), decay * first - second**2
    return np.maximum((trace + np.sqrt(trace**2 - 4 * determinant)) / 2, 0.0)
