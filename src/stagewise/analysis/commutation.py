"""How far real moments are from the assumptions of the theory (Gidel et al. 2019)."""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.problems.problem import Problem


@dataclass(frozen=True)
class Commutation:
    """Distances, 0 where the assumption holds; below 1/√2 (delta_x) and ½ (delta_xy).

    Whatever the basis, delta_xy ≤ delta_x: with c = tr Ŝ/√d, 4Δ_xy² ≤ 1 − c² ≤ 2(1 − c) = 4Δ_x².

    delta_x : of sigma_x from a multiple of the identity (the stronger assumption of earlier work).
    delta_xy_eigen : of sigma_x from being diagonal in the left singular vectors of sigma_xy, the
        basis completed by the eigenvectors of sigma_x on the complement.
    delta_xy_random : the same for random completions, one value each.
    """

    delta_x: float
    delta_xy_eigen: float
    delta_xy_random: FloatArray


def commutation(
    problem: Problem, random_completions: int, generator: np.random.Generator
) -> Commutation:
    """Measure Assumption 1 on a problem.

    With Ŝ = sigma_x/‖sigma_x‖_F and U an orthonormal basis that starts with the left singular
    vectors of sigma_xy: Δ_x = ½‖Ŝ − I/√d‖_F and Δ_xy = ½‖UᵀŜU − diag(UᵀŜU)‖_F.
    Source: reconstructed; the paper measures this, its exact definition is not available to us.
    """
    scaled = problem.sigma_x / np.linalg.norm(problem.sigma_x)
    dim = len(scaled)
    left = problem.modes.left
    kept = left.shape[1]
    complement = np.linalg.svd(left, full_matrices=True)[0][:, kept:]
    inside, across = left.T @ scaled @ left, left.T @ scaled @ complement
    outside = complement.T @ scaled @ complement
    # The blocks on and across the modes do not depend on the completion; only what lies outside
    # them does, and there only its diagonal in the chosen basis counts as diagonal.
    fixed = np.sum(inside**2) - np.sum(np.diag(inside) ** 2) + 2 * np.sum(across**2)
    random = np.empty(random_completions)
    for index in range(random_completions):
        basis = np.linalg.qr(generator.standard_normal((dim - kept, dim - kept)))[0]
        diagonal = np.einsum("ik,ik->k", basis, outside @ basis)
        random[index] = 0.5 * np.sqrt(max(fixed + np.sum(outside**2) - np.sum(diagonal**2), 0.0))
    return Commutation(
        delta_x=float(0.5 * np.linalg.norm(scaled - np.eye(dim) / np.sqrt(dim))),
        delta_xy_eigen=float(0.5 * np.sqrt(max(fixed, 0.0))),
        delta_xy_random=random,
    )
