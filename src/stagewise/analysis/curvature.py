"""Extreme curvatures of the factorisation loss, from exact Hessian-vector products."""

from collections.abc import Callable
from functools import reduce
from itertools import combinations

import numpy as np

from stagewise.arrays import FloatArray

LANCZOS_VECTORS = 30
LANCZOS_SMALLEST = 4
"""Unknowns that ARPACK needs to find two eigenvalues."""
TOLERANCE = 1e-7
"""Accuracy of the eigenvalues as a share of the spectrum's size."""


def hessian(
    layers: list[FloatArray], target: FloatArray, observed: FloatArray
) -> Callable[[list[FloatArray]], list[FloatArray]]:
    """Hessian of ½‖observed ∘ (W_1⋯W_L − target)‖² at `layers`, as a product with directions.

    layers : L arrays (rows, columns), and so are a direction and its product. target, observed :
    (dim_in, dim_out), observed of zeros and ones. What does not depend on the direction is computed
    once. Source: derived, the product rule on the gradient W_before^T R W_after^T with
    R = observed ∘ (W − target).
    """
    last = len(layers) - 1
    flipped = [layer.T for layer in reversed(layers)]
    before, after = _products_before(layers), _products_before(flipped)
    residual = _residual(layers, target, observed)
    left = [product.T @ residual for product in before]
    right = [residual @ product for product in reversed(after)]

    def product(direction: list[FloatArray]) -> list[FloatArray]:
        d_before = _derivatives(layers, before, direction)
        d_after = _derivatives(flipped, after, [each.T for each in reversed(direction)])
        change = before[last] @ direction[last]
        if last:
            change = change + d_before[last] @ layers[last]
        change = observed * change
        found = []
        for at in range(last + 1):
            total = before[at].T @ change @ after[last - at]
            if at > 0:
                total += d_before[at].T @ right[at]
            if at < last:
                total += left[at] @ d_after[last - at]
            found.append(total)
        return found

    return product


def _residual(layers: list[FloatArray], target: FloatArray, observed: FloatArray) -> FloatArray:
    residual: FloatArray = observed * (reduce(np.matmul, layers) - target)
    return residual


def _products_before(layers: list[FloatArray]) -> list[FloatArray]:
    """Product of the layers before each one."""
    products = [np.eye(len(layers[0]))]
    for layer in layers[:-1]:
        products.append(products[-1] @ layer)
    return products


def _derivatives(
    layers: list[FloatArray], products: list[FloatArray], direction: list[FloatArray]
) -> list[FloatArray]:
    """Derivative along the direction of the product of the layers before each one.

    Of the first it is zero, for which an empty array stands: it is in the innermost loop.
    """
    derivatives = [np.empty((0, 0)), *direction[:1]][: len(layers)]
    for at in range(1, len(layers) - 1):
        derivatives.append(derivatives[at] @ layers[at] + products[at] @ direction[at])
    return derivatives


def extreme_curvatures(
    layers: list[FloatArray], target: FloatArray, observed: FloatArray
) -> tuple[float, float]:
    """Smallest and largest eigenvalue of the Hessian, by Lanczos; arguments as `hessian`.

    The spectrum is shifted to lie between once and three times a bound of its size, so that the
    accuracy of either end is relative to that and not to itself: at a minimum the smallest is zero
    many times over.
    """
    times = hessian(layers, target, observed)
    shift = 2 * curvature_bound(layers, target, observed)
    if shift == 0:
        return 0.0, 0.0
    places = np.cumsum([0, *(layer.size for layer in layers)])
    size = int(places[-1])

    def product(vector: FloatArray) -> FloatArray:
        direction = [
            vector[start:stop].reshape(layer.shape)
            for layer, start, stop in zip(layers, places[:-1], places[1:], strict=True)
        ]
        found = np.concatenate([each.ravel() for each in times(direction)])
        return np.asarray(shift * vector + found)

    if size < LANCZOS_SMALLEST:
        values = np.linalg.eigvalsh([product(each) for each in np.eye(size)])
        return float(values[0] - shift), float(values[-1] - shift)
    from scipy.sparse.linalg import LinearOperator, eigsh  # few jobs need it

    values = eigsh(
        LinearOperator((size, size), matvec=product, dtype=np.float64),
        k=2,
        which="BE",
        v0=np.random.default_rng(0).standard_normal(size),
        ncv=min(size - 1, LANCZOS_VECTORS),
        tol=TOLERANCE,
        maxiter=100 * size,
        return_eigenvectors=False,
        rng=np.random.default_rng(1),  # for restarts where a Krylov space is exhausted
    )
    return float(values.min() - shift), float(values.max() - shift)


def curvature_bound(layers: list[FloatArray], target: FloatArray, observed: FloatArray) -> float:
    """A number that no eigenvalue of the Hessian exceeds in size; arguments as `hessian`.

    Source: derived. With ‖·‖ the spectral norm, the second derivative along a direction d of unit
    length is at most (Σ_l |d_l| Π_{k≠l} ‖W_k‖)² from the square of the product's change, plus
    2 ‖R‖ Σ_{l<m} |d_l| |d_m| Π_{k≠l,m} ‖W_k‖ from its curvature; Cauchy and 2ab ≤ a² + b² ≤ 1.
    """
    norms = [np.linalg.norm(layer, 2) for layer in layers]
    residual = np.linalg.norm(_residual(layers, target, observed), 2)
    one_left_out = [np.prod(each) for each in combinations(norms, len(norms) - 1)]
    two_left_out = [np.prod(each) for each in combinations(norms, max(len(norms) - 2, 0))]
    return float(np.sum(np.square(one_left_out)) + residual * np.sum(two_left_out))


def numerical_rank(layers: list[FloatArray], share: float) -> int:
    """Number of singular values of the product above `share` of the largest one."""
    values = np.linalg.svd(reduce(np.matmul, layers), compute_uv=False)
    return int(np.sum(values > share * values[0]))
