"""How far real moments are from the assumptions of the theory (Gidel et al. 2019)."""

from dataclasses import dataclass

import numpy as np

from stagewise.problems.problem import Problem


@dataclass(frozen=True)
class Commutation:
    """Distances, 0 where the assumption holds; below 1/√2 (delta_x) and ½ (delta_xy).

    Whatever the basis, delta_xy ≤ delta_x: with c = tr Ŝ/√d, 4Δ_xy² ≤ 1 − c² ≤ 2(1 − c) = 4Δ_x².

    delta_x : of sigma_x from a multiple of the identity (the stronger assumption of earlier work).
    delta_xy_eigen : of sigma_x from being diagonal in the left singular vectors of sigma_xy, the
        basis completed by the eigenvectors of sigma_x on the complement.
    delta_xy_random : the same, root mean square over all completions, drawn uniformly.
    """

    delta_x: float
    delta_xy_eigen: float
    delta_xy_random: float


def commutation(problem: Problem) -> Commutation:
    """Measure Assumption 1 on a problem.

    With Ŝ = sigma_x/‖sigma_x‖_F and U an orthonormal basis that starts with the left singular
    vectors of sigma_xy: Δ_x = ½‖Ŝ − I/√d‖_F and Δ_xy = ½‖UᵀŜU − diag(UᵀŜU)‖_F.
    Source: reconstructed; the paper measures this, its exact definition is not available to us. The
    mean over completions is derived: with S the m × m block of the complement and q uniform on its
    sphere, E (qᵀSq)² = (2‖S‖_F² + (tr S)²)/(m(m + 2)), once for each of m columns.
    """
    scaled = problem.sigma_x / np.linalg.norm(problem.sigma_x)
    dim = len(scaled)
    left = problem.modes.left
    image = scaled @ left
    inside = left.T @ image
    across = image - left @ inside
    # These two blocks do not depend on the completion. Of the third, only its diagonal in the
    # chosen basis counts as diagonal: all of it for eigenvectors.
    fixed = np.sum(inside**2) - np.sum(np.diag(inside) ** 2) + 2 * np.sum(across**2)
    rest = dim - left.shape[1]
    trace = np.trace(scaled) - np.trace(inside)
    square = np.sum(scaled**2) - np.sum(inside**2) - 2 * np.sum(across**2)
    beside = max(rest * square - trace**2, 0.0) / (rest + 2)
    return Commutation(
        delta_x=float(0.5 * np.linalg.norm(scaled - np.eye(dim) / np.sqrt(dim))),
        delta_xy_eigen=float(0.5 * np.sqrt(max(fixed, 0.0))),
        delta_xy_random=float(0.5 * np.sqrt(max(fixed, 0.0) + beside)),
    )
