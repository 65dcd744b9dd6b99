"""Reduced-rank regression, the best linear map of each rank."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem


def reduced_rank_regression(problem: Problem, rank: int) -> FloatArray:
    """Minimiser of ‖Y − XW‖² among maps of rank at most `rank`; (dim_in, dim_out).

    W = sigma_x⁺ sigma_xy V Vᵀ with V the top right singular vectors of sigma_x^{−1/2} sigma_xy.
    Raises StagewiseError unless 1 ≤ rank ≤ min(dim_in, dim_out).
    Source: Izenman 1975; used by Gidel et al. 2019 as the points that training visits. It orders
    modes by σ²/λ where descent learns them by σ, so the two agree for autoencoders and whitened
    inputs and not in general.
    """
    limit = min(problem.dim_in, problem.dim_out)
    if not 1 <= rank <= limit:
        raise StagewiseError(
            f"rank is {rank}; it must be from 1 to min(dim_in, dim_out) = {limit}."
        )
    right = problem.reduced_rank_directions[:, :rank]
    return np.asarray(problem.least_squares @ right @ right.T)


def ridge_regression(problem: Problem, penalty: float) -> FloatArray:
    """Minimiser of ‖Y − XW‖²/n + penalty·‖W‖², (sigma_x + penalty)⁻¹ sigma_xy; penalty > 0."""
    basis = problem.eigenvectors
    spread = np.clip(problem.eigenvalues, 0, None) + penalty
    return np.asarray(basis @ ((basis.T @ problem.sigma_xy) / spread[:, None]))
