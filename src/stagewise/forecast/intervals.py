"""How far a run may be from its forecast."""

import numpy as np
from scipy.special import polygamma, stdtrit

from stagewise.arrays import FloatArray

COVERAGE = 0.9
_NORMAL = 1.645
"""Standard deviations on either side that hold 90 % of a normal distribution."""

LAW_ERROR = {"integrated": 0.02, "staged": 0.05, "plain": 0.35, "reduced_rank": 0.45}
"""Root-mean-square error of ln T at delta 16, rounded up from measurements: a guide elsewhere.

Against the mean of eight trained seeds, nine stages, centred, width 10, half the stability bound:
on UCI digits .008, .009, .029, .036 in the order above; on the default `power_law` data (100
inputs, eigenvalues i⁻²) .012, .015, .12, .11. Other problems of such kinds reached .02, .03, .34,
.45, the worst of forty spiked ones .012, .05, .21, .25 (docs/forecast.md).
"""

_DELTA = 16.0


def law_spread(
    method: str,
    delta: float | FloatArray,
    width: int,
    stages: int,
    error: float | FloatArray = 0.0,
) -> FloatArray:
    """Standard deviation of ln T of a run around its forecast (stages,).

    delta : e-folds from the start to where a stage counts as learned, for all or each (stages,).
    error : of the method in this problem, if it is known to be more than usual.

    The Gaussian start's own scatter, ½√ψ′((width − k + 1)/2)/δ at stage k (derived, to leading
    order in 1/δ), and the method's measured error, which grows as 1/δ for a smaller delta and is
    not taken to shrink for a larger one.
    """
    position = np.arange(stages)
    scatter = 0.5 * np.sqrt(polygamma(1, (width - position) / 2)) / delta
    usual = LAW_ERROR[method] * np.maximum(1.0, _DELTA / delta)
    return np.asarray(np.hypot(scatter, np.maximum(usual, error)))


def law_interval(iterations: FloatArray, spread: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds that hold a run with 90 % if ln T is normal around its forecast, each (stages,)."""
    factor = np.exp(_NORMAL * spread)
    return iterations / factor, iterations * factor


def seed_interval(measured: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bounds that hold the next run with 90 %, from runs (seeds, stages), each (stages,).

    Student's prediction interval of ln T; NaN for fewer than two seeds and where one is missing.
    """
    seeds = len(measured)
    if seeds < 2:
        missing = np.full(measured.shape[1], np.nan)
        return missing, missing
    logs = np.log(np.where(measured > 0, measured, np.nan))
    reach = stdtrit(seeds - 1, (1 + COVERAGE) / 2) * np.sqrt(1 + 1 / seeds)
    centre, spread = logs.mean(axis=0), logs.std(axis=0, ddof=1)
    return np.exp(centre - reach * spread), np.exp(centre + reach * spread)
