"""Lyapunov exponents of mini-batch descent near a saddle, by products of random matrices.

The numeric route to what `minibatch` says in closed form: no expansion in the noise.
"""

# The compiler's own interface carries no types.
# mypy: disable-error-code="untyped-decorator"

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.compiling import njit

_BETWEEN_QR = 4
"""Steps between orthonormalisations: few enough that no direction drowns in another."""


def lyapunov_exponents(
    inputs: FloatArray,
    residuals: FloatArray,
    step_size: float,
    batches: IntArray,
    count: int,
    discard: int = 0,
) -> FloatArray:
    """The largest `count` exponents per iteration of the product of I + ηM_t.

    inputs : (n, dim_in). residuals : (n, dim_out), at the saddle. batches : (iterations,
    batch_size), samples of each step; whoever draws them decides on replacement. discard : first
    iterations left out, until directions have settled. Exponents (count,), descending. Source:
    Benettin's method; QR of a frame that every step multiplies.
    """
    generator = np.random.default_rng(len(batches))
    size = inputs.shape[1] + residuals.shape[1]
    frame = np.linalg.qr(generator.standard_normal((size, count)))[0]
    totals = np.zeros(count)
    counted = _accumulate(
        np.ascontiguousarray(inputs),
        np.ascontiguousarray(residuals),
        float(step_size),
        np.ascontiguousarray(batches),
        np.ascontiguousarray(frame.T),
        discard,
        totals,
    )
    return np.asarray(totals / counted)


@njit(cache=True)
def _accumulate(
    inputs: FloatArray,
    residuals: FloatArray,
    step_size: float,
    batches: IntArray,
    frame: FloatArray,
    discard: int,
    totals: FloatArray,
) -> int:
    """Advance the rows of `frame`; add the logarithms of their growth; iterations counted."""
    dim_in, dim_out = inputs.shape[1], residuals.shape[1]
    count, size = frame.shape
    scale = step_size / batches.shape[1]
    moved = np.empty(size)
    counted = 0
    for iteration in range(len(batches)):
        for row in range(count):
            moved[:] = frame[row]
            for sample in batches[iteration]:
                along_in = 0.0
                for i in range(dim_in):
                    along_in += inputs[sample, i] * frame[row, i]
                along_out = 0.0
                for i in range(dim_out):
                    along_out += residuals[sample, i] * frame[row, dim_in + i]
                for i in range(dim_in):
                    moved[i] += scale * along_out * inputs[sample, i]
                for i in range(dim_out):
                    moved[dim_in + i] += scale * along_in * residuals[sample, i]
            frame[row] = moved
        if iteration % _BETWEEN_QR == _BETWEEN_QR - 1:
            for row in range(count):
                for other in range(row):
                    frame[row] -= np.sum(frame[row] * frame[other]) * frame[other]
                length = np.sqrt(np.sum(frame[row] ** 2))
                frame[row] /= length
                if iteration >= discard:
                    totals[row] += np.log(length)
            if iteration >= discard:
                counted += _BETWEEN_QR
    return counted
