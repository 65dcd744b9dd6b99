"""What mini-batches do to a forecast: how much later, how much scatter, and whether a law holds."""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import BoolArray, FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem
from stagewise.theory.growth import GrowthRule
from stagewise.theory.minibatch import mixing
from stagewise.theory.minibatch_stages import amplitude_variances, batch_drift, saddles_noise
from stagewise.theory.reduced_rank import reduced_rank_regression
from stagewise.theory.schedules import Schedule

SMALL_MIXING, LARGE_MIXING = 0.1, 1.0
"""κ up to which the laws were tried, and from which noise speeds what they say it delays."""
LARGEST_DIMENSION = 1000
"""Inputs and outputs together, whose pairs of directions have variances."""


@dataclass(frozen=True)
class BatchNoise:
    """Per stage, (stages,): drift, T over that of full batches; spread, the deviation of ln T; κ.

    κ : the share of a stage's direction that noise mixes into others; the laws need it small.
    """

    drift: FloatArray
    spread: FloatArray
    mixing: FloatArray

    @property
    def carries(self) -> BoolArray:
        """Stages (stages,) up to the first that no law is about."""
        fits = (self.mixing < LARGE_MIXING) & np.isfinite(self.drift)
        return np.asarray(np.logical_and.accumulate(fits))


def batch_noise(
    inputs: FloatArray,
    outputs: FloatArray,
    batch_size: int,
    step_size: float,
    iterations: FloatArray,
    rule: GrowthRule,
    schedule: Schedule,
) -> BatchNoise:
    """The noise of batches drawn with replacement from samples, centred as the forecast is.

    inputs : (n, dim_in). outputs : (n, dim_out). iterations : (stages,), of full batches. Under a
    schedule the drift is that of the step Σf²/Σf times the first, f its factors till then (derived:
    the drift of log-amplitudes grows as the squared step, their rate as the step).
    """
    _check(inputs, outputs, batch_size)
    problem = Problem(inputs.T @ inputs / len(inputs), inputs.T @ outputs / len(inputs))
    stages = len(iterations)
    maps = [reduced_rank_regression(problem, rank) for rank in range(1, stages)]
    saddles = saddles_noise(inputs, outputs, maps)
    drift, spread = np.empty(stages), np.empty(stages)
    for stage, time in enumerate(iterations):
        first, second = schedule.moments(float(time))
        step = step_size * second / first
        drift[stage] = batch_drift(saddles, step, batch_size, rule=rule)[stage]
        variance = amplitude_variances(saddles, step, batch_size, iterations, rule)[stage]
        variance *= first**2 / (second * time)  # the mean of η² instead of the square of `step`
        last = step_size * schedule.piece(float(time))[0]
        growth = rule.growth(last, saddles[stage].sigma[stage])
        spread[stage] = np.sqrt(variance) / (growth * time)
    noise = BatchNoise(drift, spread, mixing(saddles[0], step_size, batch_size, stages, rule))
    if not noise.carries[0]:
        raise StagewiseError(
            f"With batches of {batch_size} and the step size {step_size:.4g} noise outweighs the first "
            f"mode (κ = {noise.mixing[0]:.2g}, and the law needs it well below 1), so there is no "
            "forecast. Give a smaller --step-size or a larger --batch-size."
        )
    return noise


def batch_room(inputs: FloatArray, batch_size: int) -> float:
    """Largest stable step over that of full batches: λ₁/(R²/B + (1 − 1/B)λ₁).

    R² = E‖x‖⁴/E‖x‖². Heuristic: the mean squared error of a linear map under batches of B falls where
    the step times E[‖x‖² x xᵀ]/B + (1 − 1/B)sigma_x² stays below 2 sigma_x (derived), of which this
    takes the trace for the first term and the top eigenvalue for the second.
    """
    squares = np.einsum("ni,ni->n", inputs, inputs)
    length = float(np.mean(squares**2) / np.mean(squares))
    top = float(np.linalg.eigvalsh(inputs.T @ inputs / len(inputs))[-1])
    return top / (length / batch_size + (1 - 1 / batch_size) * top)


def batch_notes(noise: BatchNoise) -> list[str]:
    """Sentences on the regime."""
    notes = [
        "batches are drawn with replacement; shuffled epochs are a little later, and scatter less"
    ]
    outside = np.flatnonzero(noise.mixing > SMALL_MIXING)
    if len(outside):
        listed = ", ".join(f"{place + 1} ({noise.mixing[place]:.2g})" for place in outside)
        notes.append(
            "outside of the law: κ, which says how far noise mixes modes, is above "
            f"{SMALL_MIXING:g} at stage {listed}; at .5 and 1 forecasts were 9 and 31 % off, and from 1 on "
            "noise speeds what the law says it delays, so that no forecast is given. A smaller step or a "
            "larger batch makes κ small"
        )
    if not np.isfinite(noise.drift).all():
        notes.append("noise at this step size keeps later stages from growing")
    return notes


def _check(inputs: FloatArray, outputs: FloatArray, batch_size: int) -> None:
    size = inputs.shape[1] + outputs.shape[1]
    if size > LARGEST_DIMENSION:
        raise StagewiseError(
            f"batch-size is {batch_size}, and the data have {size} inputs and outputs; the noise of "
            f"batches is worked out for up to {LARGEST_DIMENSION} of them. Leave --batch-size out."
        )
