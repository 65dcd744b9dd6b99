"""Parts that synthetic data sets are made from, built backwards so that answers are known."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.problems.moments import Moments


def random_orthogonal(size: int, generator: np.random.Generator) -> FloatArray:
    """Orthogonal matrix (size, size) from the Haar measure."""
    factor, triangle = np.linalg.qr(generator.standard_normal((size, size)))
    return factor * np.sign(np.diag(triangle))


def aligned(
    sigma: FloatArray, lam: FloatArray, frame: str, generator: np.random.Generator
) -> Moments:
    """Moments with sigma_xy = U diag(sigma) Vᵀ and sigma_x = U diag(lam) Uᵀ.

    sigma, lam : (modes,). frame : "random" draws U and V, "coordinate" sets both to the identity.
    Source: Assumption 1 of Gidel et al. 2019 with B = 0.
    """
    modes = len(sigma)
    if frame == "coordinate":
        return Moments.prescribed(np.diag(lam), np.diag(sigma))
    left, right = (random_orthogonal(modes, generator) for _ in range(2))
    sigma_x = (left * lam) @ left.T
    return Moments.prescribed((sigma_x + sigma_x.T) / 2, (left * sigma) @ right.T)
