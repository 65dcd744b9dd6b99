"""Extreme curvatures of the factorisation loss, from exact Hessian-vector products."""

from collections.abc import Callable
from functools import reduce

import numpy as np

from stagewise.arrays import FloatArray

LANCZOS_VECTORS = 60
TOLERANCE = 1e-7
"""Accuracy of the eigenvalues as a share of the spectrum's width."""


def hessian_product(
    layers: list[FloatArray],
    target: FloatArray,
    observed: FloatArray,
    direction: list[FloatArray],
) -> list[FloatArray]:
    """Hessian of ½‖observed ∘ (W_1⋯W_L − target)‖² at `layers`, times a direction.

    layers, direction : L arrays (rows, columns). target, observed : (dim_in, dim_out), observed of
    zeros and ones. Returns L arrays. Source: derived, the product rule on the gradient
    W_before^T R W_after^T with R = observed ∘ (W − target).
    """
    before, d_before = _products(layers, direction)
    after, d_after = (
        [each.T for each in reversed(products)]
        for products in _products([w.T for w in layers[::-1]], [v.T for v in direction[::-1]])
    )
    residual = observed * (before[-1] @ layers[-1] - target)
    change = observed * (d_before[-1] @ layers[-1] + before[-1] @ direction[-1])
    return [
        d_before[at].T @ residual @ after[at].T
        + before[at].T @ change @ after[at].T
        + before[at].T @ residual @ d_after[at].T
        for at in range(len(layers))
    ]


def _products(
    layers: list[FloatArray], direction: list[FloatArray]
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Product of the layers before each one, and its derivative along the direction."""
    size = len(layers[0])
    products, derivatives = [np.eye(size)], [np.zeros((size, size))]
    for layer, change in zip(layers[:-1], direction[:-1], strict=True):
        derivatives.append(derivatives[-1] @ layer + products[-1] @ change)
        products.append(products[-1] @ layer)
    return products, derivatives


def extreme_curvatures(
    layers: list[FloatArray], target: FloatArray, observed: FloatArray
) -> tuple[float, float]:
    """Smallest and largest eigenvalue of the Hessian, by Lanczos; arguments as `hessian_product`.

    The smallest one is found as the largest of (largest − Hessian), so that its accuracy is relative
    to the spectrum and not to itself: at a minimum it is zero many times over.
    """
    places = np.cumsum([0, *(layer.size for layer in layers)])
    size = int(places[-1])

    def product(vector: FloatArray) -> FloatArray:
        direction = [
            vector[start:stop].reshape(layer.shape)
            for layer, start, stop in zip(layers, places[:-1], places[1:], strict=True)
        ]
        found = hessian_product(layers, target, observed, direction)
        return np.concatenate([each.ravel() for each in found])

    start = np.random.default_rng(0).standard_normal(size)
    largest = _top(product, size, start)
    gap = _top(lambda vector: largest * vector - product(vector), size, start)
    return largest - gap, largest


def _top(product: Callable[[FloatArray], FloatArray], size: int, start: FloatArray) -> float:
    from scipy.sparse.linalg import LinearOperator, eigsh  # few jobs need it

    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    vectors = min(size - 1, LANCZOS_VECTORS)
    values = eigsh(
        operator,
        k=1,
        which="LA",
        v0=start,
        ncv=vectors,
        tol=TOLERANCE,
        maxiter=100 * size,
        return_eigenvectors=False,
    )
    return float(values[0])


def numerical_rank(layers: list[FloatArray], share: float) -> int:
    """Number of singular values of the product above `share` of the largest one."""
    values = np.linalg.svd(reduce(np.matmul, layers), compute_uv=False)
    return int(np.sum(values > share * values[0])) if values[0] > 0 else 0
