"""Extreme curvatures of the factorisation loss, from exact Hessian-vector products."""

from collections.abc import Callable
from functools import reduce

import numpy as np

from stagewise.arrays import FloatArray

LANCZOS_VECTORS = 60
TOLERANCE = 1e-7
"""Accuracy of the eigenvalues as a share of the spectrum's width."""


def hessian(
    layers: list[FloatArray], target: FloatArray, observed: FloatArray
) -> Callable[[list[FloatArray]], list[FloatArray]]:
    """Hessian of ½‖observed ∘ (W_1⋯W_L − target)‖² at `layers`, as a product with directions.

    layers : L arrays (rows, columns), and so are a direction and its product. target, observed :
    (dim_in, dim_out), observed of zeros and ones. What does not depend on the direction is computed
    once. Source: derived, the product rule on the gradient W_before^T R W_after^T with
    R = observed ∘ (W − target).
    """
    flipped = [layer.T for layer in reversed(layers)]
    before, after = _products_before(layers), _products_before(flipped)
    residual = observed * (before[-1] @ layers[-1] - target)

    def product(direction: list[FloatArray]) -> list[FloatArray]:
        d_before = _derivatives(layers, before, direction)
        d_after = _derivatives(flipped, after, [each.T for each in reversed(direction)])
        change = observed * (d_before[-1] @ layers[-1] + before[-1] @ direction[-1])
        return [
            (d_before[at].T @ residual + before[at].T @ change) @ after[-1 - at]
            + before[at].T @ residual @ d_after[-1 - at]
            for at in range(len(direction))
        ]

    return product


def _products_before(layers: list[FloatArray]) -> list[FloatArray]:
    """Product of the layers before each one."""
    products = [np.eye(len(layers[0]))]
    for layer in layers[:-1]:
        products.append(products[-1] @ layer)
    return products


def _derivatives(
    layers: list[FloatArray], products: list[FloatArray], direction: list[FloatArray]
) -> list[FloatArray]:
    """Derivative along the direction of the product of the layers before each one."""
    derivatives = [np.zeros_like(products[0])]
    for layer, product, change in zip(layers[:-1], products[:-1], direction[:-1], strict=True):
        derivatives.append(derivatives[-1] @ layer + product @ change)
    return derivatives


def extreme_curvatures(
    layers: list[FloatArray], target: FloatArray, observed: FloatArray
) -> tuple[float, float]:
    """Smallest and largest eigenvalue of the Hessian, by Lanczos; arguments as `hessian`.

    The smallest one is found as the largest of (largest − Hessian), so that its accuracy is relative
    to the spectrum and not to itself: at a minimum it is zero many times over.
    """
    times = hessian(layers, target, observed)
    places = np.cumsum([0, *(layer.size for layer in layers)])
    size = int(places[-1])

    def product(vector: FloatArray) -> FloatArray:
        direction = [
            vector[start:stop].reshape(layer.shape)
            for layer, start, stop in zip(layers, places[:-1], places[1:], strict=True)
        ]
        found = times(direction)
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
        rng=np.random.default_rng(1),  # for restarts where a Krylov space is exhausted
    )
    return float(values[0])


def numerical_rank(layers: list[FloatArray], share: float) -> int:
    """Number of singular values of the product above `share` of the largest one."""
    values = np.linalg.svd(reduce(np.matmul, layers), compute_uv=False)
    return int(np.sum(values > share * values[0])) if values[0] > 0 else 0
