"""When a two-layer network learns each mode, to leading order in delta."""

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError


def learning_iteration(
    sigma: float | FloatArray, delta: float | FloatArray, step_size: float | FloatArray
) -> FloatArray:
    """Iterations until descent learns a mode: δ/ln(1 + ησ).

    sigma : (modes,), > 0. delta : initial scale per layer. step_size : positive; past
    step_size·sigma = ½ a learned mode overshoots and past 1 it does not settle, but the climb that
    the law describes is the same.
    Returns iterations, shape of the arguments broadcast; StagewiseError unless all are positive.
    Source: derived. While w = a² is small, each layer of a mode grows by the factor 1 + ησ a
    step, so that it climbs from e^-δ to order one in δ/ln(1 + ησ) steps; what happens after that
    takes a number of steps that does not grow with δ.
    """
    _check_positive(sigma=sigma, delta=delta, step_size=step_size)
    return np.asarray(delta / np.log1p(step_size * np.asarray(sigma)))


def flow_learning_iteration(
    sigma: float | FloatArray, delta: float | FloatArray, step_size: float | FloatArray
) -> FloatArray:
    """Iterations until the flow learns a mode: δ/(ησ).

    Arguments and shapes as in `learning_iteration`, of which it is the limit step_size → 0.
    Source: Gidel et al. 2019 (time δ/σ of the flow, divided by the step size).
    """
    _check_positive(sigma=sigma, delta=delta, step_size=step_size)
    return np.asarray(delta / (step_size * np.asarray(sigma)))


def _check_positive(**given: float | FloatArray) -> None:
    for name, values in given.items():
        bad = np.atleast_1d(np.asarray(values, dtype=np.float64))
        bad = bad[~(bad > 0)]
        if len(bad):
            raise StagewiseError(f"{name} holds {bad[0]:g}; it must be positive throughout.")


def discrete_correction(growth: FloatArray) -> FloatArray:
    """x/ln(1 + x): how many times later descent learns than the law δ/(ησ) says.

    growth : x = step_size·sigma > 0, any shape. Source: derived, the ratio of the two laws above.
    """
    return np.asarray(growth / np.log1p(growth))
