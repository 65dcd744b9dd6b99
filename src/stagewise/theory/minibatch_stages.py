"""The staged law under mini-batches: exponents accumulated from saddle to saddle."""

from collections.abc import Sequence

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.theory.growth import DESCENT, GrowthRule
from stagewise.theory.minibatch import SaddleNoise, batch_exponents


def saddles_noise(
    inputs: FloatArray, outputs: FloatArray, maps: Sequence[FloatArray]
) -> list[SaddleNoise]:
    """The noise at the origin, then at each of these critical points of rank 1, 2, …"""
    origin = SaddleNoise.of(inputs, outputs)
    later = [SaddleNoise.of(inputs, outputs, each, rank) for rank, each in enumerate(maps, start=1)]
    return [origin, *later]


def batch_slopes(
    saddles: Sequence[SaddleNoise],
    step_size: float,
    batch_size: int | None,
    *,
    replace: bool = True,
    repulsion: bool = True,
    rule: GrowthRule = DESCENT,
) -> FloatArray:
    """dT_k/dδ of as many modes as there are saddles (modes,), iterations per unit of delta.

    Stage k + 1 ends when Σ over the saddles m ≤ k of (time there)·γ^(m)_{k+1} is δ. batch_size : None
    leaves the noise out, which is the reduced-rank staged law if the saddles are reduced-rank
    regressions. Other arguments as in `batch_exponents`. Source: derived as that law is, with the
    exponents of each saddle's noise; heuristic at later saddles.
    """
    count = len(saddles)
    climbed, elapsed, slopes = np.zeros(count), 0.0, np.empty(count)
    for stage, noise in enumerate(saddles):
        if batch_size is None:
            exponents = rule.growth(step_size, noise.sigma[:count])
        else:
            exponents = batch_exponents(
                noise, step_size, batch_size, count, replace=replace, repulsion=repulsion, rule=rule
            )
        if exponents[stage] <= 0:
            slopes[stage:] = np.inf
            break
        spent = max(1 - climbed[stage], 0.0) / exponents[stage]
        climbed[stage:] += exponents[stage:] * spent
        elapsed += spent
        slopes[stage] = elapsed
    return slopes


def batch_drift(
    saddles: Sequence[SaddleNoise],
    step_size: float,
    batch_size: int,
    *,
    repulsion: bool = True,
    rule: GrowthRule = DESCENT,
) -> FloatArray:
    """By what factor mini-batches delay each mode, (modes,): slopes with noise over those without."""
    with_noise = batch_slopes(saddles, step_size, batch_size, repulsion=repulsion, rule=rule)
    return np.asarray(with_noise / batch_slopes(saddles, step_size, None, rule=rule))


def amplitude_variances(
    saddles: Sequence[SaddleNoise],
    step_size: float,
    batch_size: int,
    iterations: FloatArray,
    rule: GrowthRule = DESCENT,
) -> FloatArray:
    """Variance over batches of each mode's log-amplitude when it is learned, (modes,).

    Σ over the saddles that it waits at of (time there)·η²V_kk s_k²/B. iterations : (modes,), T_k, one
    per saddle. Over g² at the last saddle it is the variance of T_k: for small steps and one saddle
    √(TV/B)/σ. Source: derived, a random walk that crosses a fixed level; draws with replacement.
    """
    spent = np.diff(iterations, prepend=0.0)
    total = np.zeros(len(iterations))
    for stage, noise in enumerate(saddles[: len(iterations)]):
        slope = rule.sensitivity(step_size, noise.sigma[: len(total)])
        rate = step_size**2 * np.diag(noise.variances)[: len(total)] * slope**2 / batch_size
        total[stage:] += spent[stage] * rate[stage:]
    return total
