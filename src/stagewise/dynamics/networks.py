"""First weights of a linear network: a list of `depth` matrices, dim_in → width → … → dim_out."""

from itertools import pairwise

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.data.synthetic import random_orthogonal
from stagewise.problems.problem import Problem

IMBALANCE = 10.0
"""Factor between the layers of the unbalanced start and e^-delta."""


def layer_shapes(dim_in: int, dim_out: int, width: int, depth: int) -> list[tuple[int, int]]:
    """Shapes of the weight matrices; their product is (dim_in, dim_out)."""
    sizes = [dim_in, *[width] * (depth - 1), dim_out]
    return list(pairwise(sizes))


def initial_weights(
    problem: Problem,
    initialisation: str,
    depth: int,
    width: int,
    delta: float,
    generator: np.random.Generator,
) -> list[FloatArray]:
    """Draw weights whose layers have the scale e^-delta.

    initialisation :
        "aligned": layer l is Q_{l-1} diag(e^-delta) Q_lᵀ with Q_0 = U and Q_L = V the singular
            vectors of sigma_xy and random orthogonal frames between (closed form of Gidel et al.
            2019; needs orthogonal frames, invertible ones leave the diagonal form).
        "diagonal": the same with identity frames between; where U and V are coordinate axes, rounding
            leaves every matrix exactly diagonal.
        "orthogonal": aligned, but with random frames at the two ends as well.
        "unbalanced": as gaussian, the first layer larger by `IMBALANCE` and the last one smaller.
        "gaussian": independent entries of standard deviation e^-delta/√(rows of the layer), so
            that ‖Wv‖ is e^-delta‖v‖ on average.
    Returns `depth` arrays; see `layer_shapes`.
    """
    shapes = layer_shapes(problem.dim_in, problem.dim_out, width, depth)
    scale = np.exp(-delta)
    if initialisation in ("gaussian", "unbalanced"):
        layers = [scale / np.sqrt(shape[0]) * generator.standard_normal(shape) for shape in shapes]
        if initialisation == "unbalanced":
            layers[0] *= IMBALANCE
            layers[-1] /= IMBALANCE
        return layers
    sizes = [problem.dim_in, *[shape[1] for shape in shapes]]
    frames = [random_orthogonal(size, generator) for size in sizes]
    if initialisation == "diagonal":
        frames = [np.eye(size) for size in sizes]
    if initialisation in ("aligned", "diagonal"):
        frames[0] = _completed(problem.modes.left)
        frames[-1] = _completed(problem.modes.right)
    return [
        scale * left[:, : min(shape)] @ right[:, : min(shape)].T
        for left, right, shape in zip(frames[:-1], frames[1:], shapes, strict=True)
    ]


def orientation(problem: Problem, weights: list[FloatArray]) -> float:
    """Sign of det W·det sigma_xy for the map W of these weights; NaN unless square and full rank.

    Where neighbouring layers are balanced (W_lᵀW_l = W_{l+1}W_{l+1}ᵀ) the flow keeps the rank of W
    and so this sign, which is + at the solution: from a start with − the last mode cannot be
    learned. Derived; the smallest singular value would have to pass 0.
    """
    if problem.dim_in != problem.dim_out or len(problem.modes.sigma) < problem.dim_in:
        return np.nan
    product = weights[0] if len(weights) == 1 else np.linalg.multi_dot(weights)
    if min(weight.shape[1] for weight in weights) < problem.dim_in:
        return np.nan
    return float(np.linalg.slogdet(product)[0] * np.linalg.slogdet(problem.sigma_xy)[0])


def _completed(columns: FloatArray) -> FloatArray:
    """An orthogonal matrix whose first columns are the given orthonormal ones."""
    rows, count = columns.shape
    if count == rows:
        return columns
    full = np.linalg.svd(columns, full_matrices=True)[0]
    return np.hstack([columns, full[:, count:]])
