"""First weights of a linear network: a list of `depth` matrices, dim_in → width → … → dim_out."""

from itertools import pairwise

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics import initialisations
from stagewise.problems.problem import Problem


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

    initialisation : a module of `dynamics/initialisations`; StagewiseError for any other name.
    Returns `depth` arrays; see `layer_shapes`.
    """
    shapes = layer_shapes(problem.dim_in, problem.dim_out, width, depth)
    return initialisations.draw(initialisation, problem, shapes, delta, generator)


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
