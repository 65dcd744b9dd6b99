"""Aligned dynamics mode by mode: the scalar recursion that descent reduces to."""

import numpy as np

from stagewise.arrays import FloatArray, IntArray


def mode_recursion(
    sigma: FloatArray,
    lam: FloatArray,
    delta: float,
    step_size: float,
    depth: int,
    record_at: IntArray,
) -> FloatArray:
    """Strength w = a^depth of aligned modes under a ← a + η(σ − λ a^depth) a^(depth−1).

    sigma, lam : (modes,). delta : every layer starts at e^-delta. record_at : ascending iterations.
    Returns (records, modes). Source: derived; inserting the aligned weights of `networks` into
    simultaneous gradient descent leaves every mode to itself.
    """
    amplitude = np.full(np.shape(sigma), np.exp(-delta))
    strengths = np.empty((len(record_at), len(amplitude)))
    done = 0
    with np.errstate(all="ignore"):
        for position, iteration in enumerate(np.asarray(record_at).tolist()):
            for _ in range(iteration - done):
                slope = (sigma - lam * amplitude**depth) * amplitude ** (depth - 1)
                amplitude = amplitude + step_size * slope
            done = iteration
            strengths[position] = amplitude**depth
    return strengths
