"""How nonlinear hidden units and cross-entropy enter the laws of two layers."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.problems.problem import Problem

_STEPS = 3000
_RATE = 0.3
_PATIENCE = 300
"""Steps without a higher rate after which the ascent ends: it may circle about a maximum for ever."""


def rectified_rate(inputs: FloatArray, outputs: FloatArray) -> float:
    """Growth rate of the fastest ReLU unit near a start of zero: what σ₁ is for linear units.

    inputs : (n, dim_in), not centred; units have biases. outputs : (n, dim_out). The rate is
    ρ = max over |w| = |a| = 1 of E[relu(wᵀx + b) aᵀ(y − ȳ)], |(w, b)| = 1, found by projected ascent
    from the mean input plus or minus each singular direction, the largest of what is reached. A
    unit that is active on all inputs would grow at the rate of a linear one but pays for its share
    of the mean. Source: derived, the utility of Alternating Gradient Flows (Kunin et al. 2025) for
    one rectified unit; which unit carries the later modes is not known to it.
    """
    samples = len(inputs)
    extended = np.column_stack([inputs, np.ones(samples)])
    target = outputs - outputs.mean(axis=0)
    moments = extended.T @ target / samples
    left, sigma, _ = np.linalg.svd(moments, full_matrices=False)
    middle = extended.mean(axis=0) / np.linalg.norm(extended.mean(axis=0))
    units = np.hstack([middle[:, None] + sign * 0.5 * left for sign in (1, -1)])
    units /= np.linalg.norm(units, axis=0)
    best, found_at = 0.0, 0
    for step in range(_STEPS):
        value = extended @ units
        output = np.maximum(value, 0).T @ target / samples
        rate = np.linalg.norm(output, axis=1)
        if rate.max() > best:
            best, found_at = float(rate.max()), step
        pull = extended.T @ ((value > 0) * (target @ (output / rate[:, None]).T)) / samples
        pull -= units * (units * pull).sum(axis=0)
        if np.abs(pull).max() < 1e-6 * sigma[0] or step - found_at > _PATIENCE:
            break
        units += _RATE / sigma[0] * pull
        units /= np.linalg.norm(units, axis=0)
    return best


def near_start(problem: Problem, loss: str, rate: float = 1.0) -> Problem:
    """The linear problem that a network follows near a start of zero.

    Softmax cross-entropy with p classes is squared loss with sigma_x/p there: the Jacobian of the
    softmax at even odds is (I − 11ᵀ/p)/p, and sigma_xy has no part along 1. rate : of the hidden
    units over that of linear ones (the slope of the activation at 0), which multiplies the step.
    Source: derived.
    """
    share = 1 / problem.dim_out if loss == "cross_entropy" else 1.0
    return Problem(rate * share * problem.sigma_x, rate * problem.sigma_xy)
