"""Closed forms in continuous time, and the linear model in discrete time."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.problems.problem import Problem


def two_layer_flow(
    sigma: FloatArray, lam: FloatArray, delta: float, time: FloatArray
) -> FloatArray:
    """Mode strengths of gradient flow on two layers from the aligned start.

    w_i(t) = σ_i e^{2σ_i t − 2δ} / (λ_i (e^{2σ_i t − 2δ} − e^{−2δ}) + σ_i), and for σ_i = 0
    e^{−2δ}/(1 + 2 λ_i t e^{−2δ}).
    sigma, lam : (modes,). time : (times,), iterations times the step size. Returns (times, modes).
    Source: Gidel et al. 2019, the case of a joint decomposition; derived again from
    dw/dt = 2w(σ − λw).
    """
    start = np.exp(-2 * delta)
    exponent = 2 * sigma * time[:, None] - 2 * delta
    # Numerator and denominator over e^exponent where it is large: no overflow late in training.
    decay = np.exp(-np.maximum(exponent, 0))
    growth = np.exp(np.minimum(exponent, 0))
    learned = sigma * growth / (lam * (growth - start * decay) + sigma * decay + (sigma == 0))
    idle = start / (1 + 2 * lam * time[:, None] * start)
    return np.asarray(np.where(sigma > 0, learned, idle))


def linear_flow(
    sigma: FloatArray, lam: FloatArray, start: FloatArray | float, time: FloatArray
) -> FloatArray:
    """Mode strengths of the one-layer flow, w_i(t) = e^{−λ_i t}(w_i(0) − σ_i/λ_i) + σ_i/λ_i.

    sigma, lam > 0 : (modes,). start : strengths at t = 0. time : (times,). Returns (times, modes).
    """
    limit = sigma / lam
    return np.asarray(np.exp(-lam * time[:, None]) * (start - limit) + limit)


def linear_model(
    problem: Problem, start: FloatArray, step_size: float, iterations: FloatArray
) -> FloatArray:
    """Gradient descent on the linear model in closed form: (I − η sigma_x)^k (W_0 − W*) + W*.

    start : (dim_in, dim_out). iterations : (records,). Returns (records, dim_in, dim_out).
    """
    basis = problem.eigenvectors
    contraction = (1 - step_size * problem.eigenvalues) ** np.asarray(iterations)[:, None]
    gap = basis.T @ (start - problem.least_squares)
    return np.asarray(problem.least_squares + np.einsum("ij,rj,jk->rik", basis, contraction, gap))
