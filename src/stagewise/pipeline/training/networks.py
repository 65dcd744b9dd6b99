"""Networks with activations, biases and two losses on real samples, beside forecasts."""

from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from stagewise.analysis.crossings import (
    FirstCrossings,
    geometric_records,
    mode_rows,
    response_values,
)
from stagewise.arrays import AnyArray, FloatArray, IntArray
from stagewise.config.training import Networks
from stagewise.data.samples import load_samples
from stagewise.dynamics.on_data import Activation, Loss, Network, Sampling, train_on_data
from stagewise.dynamics.optimisers.heavy_ball import HeavyBall
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.theory.activations import near_start, rectified_rate
from stagewise.theory.forecast_laws import PooledMoments
from stagewise.theory.growth import HeavyBallGrowth
from stagewise.theory.staged_forecast import staged_forecast

_PATIENCE = 2.5
_SPACING = 0.02
_STRIDE, _NEAR = 16, 0.45
"""Which records are measured. To measure one is a pass of all samples, fifty steps' worth, and what
momentum has averaged hardly goes back: all records give the same times."""


def training_rows(
    name: str, experiment: Networks, data_dir: str | None = None
) -> list[dict[str, object]]:
    """Rows of the table `training`: one per activation, loss, delta, seed and mode."""
    samples = _Samples.of(experiment, data_dir)
    rows: list[dict[str, object]] = []
    kinds = list(product(experiment.activations, experiment.losses))
    for (position, (activation, loss)), delta in product(enumerate(kinds), experiment.delta):
        run = _Run(name, experiment, samples, activation, loss, delta)
        shared = {
            "experiment": name,
            "setting": position,
            "dataset": experiment.samples,
            "rule": "heavy_ball",
            "momentum": experiment.momentum,
            "activation": activation,
            "loss": loss,
            "width": experiment.width,
            "samples": len(samples.inputs),
            "batch_size": experiment.batch_size,
            "replacement": False,
            "step_size": run.step,
            "delta": delta,
        }
        rows += mode_rows(shared, run.times(), run.laws())
    return rows


@dataclass(frozen=True)
class _Samples:
    """Raw inputs, one-hot outputs and their centred moments. modes : how many are followed."""

    inputs: FloatArray
    outputs: FloatArray
    modes: int

    @classmethod
    def of(cls, experiment: Networks, data_dir: str | None) -> "_Samples":
        return cls(*load_samples(experiment.samples, data_dir), experiment.modes)

    @cached_property
    def centred(self) -> FloatArray:
        """Inputs less their mean."""
        return np.asarray(self.inputs - self.inputs.mean(axis=0))

    @cached_property
    def problem(self) -> Problem:
        """Centred moments; biases take up the means."""
        centred = self.centred
        sigma_x, sigma_xy = centred.T @ centred, centred.T @ self.outputs
        return Problem(sigma_x / len(centred), sigma_xy / len(centred))

    @cached_property
    def rectified(self) -> float:
        """Rate of rectified units over that of linear ones."""
        return rectified_rate(self.inputs, self.outputs) / float(self.problem.modes.sigma[0])

    @cached_property
    def forecasts(self) -> dict[tuple[Loss, float, float], FloatArray]:
        """Staged forecasts by loss, rate of the hidden units and delta; filled as they are made."""
        return {}

    @property
    def targets(self) -> FloatArray:
        """Singular values of sigma_xy."""
        return self.problem.modes.sigma[: self.modes]


@dataclass(frozen=True)
class _Run:
    """One architecture, loss and scale, over all seeds."""

    name: str
    experiment: Networks
    samples: _Samples
    activation: Activation
    loss: Loss
    delta: float

    @property
    def step(self) -> float:
        """Absolute step size."""
        return self.experiment.step_size / float(self.samples.targets[0])

    @property
    def rule(self) -> HeavyBallGrowth:
        """The update rule as the laws see it."""
        return HeavyBallGrowth(self.experiment.momentum)

    def laws(self) -> dict[str, FloatArray]:
        """Growth and forecasts with what activation and loss change, and without.

        rival_growth : the slope of a rectifier's two halves, ½, whatever the activation.
        plain_forecast : the staged forecast of squared loss and linear units.
        """
        targets, modes = self.samples.targets, self.samples.modes
        rate = self.samples.rectified if self.activation == "relu" else 1.0
        return {
            "sigma": targets,
            "growth": self.rule.growth(self.step, rate * targets),
            "plain_growth": self.rule.growth(self.step, targets),
            "rival_growth": self.rule.growth(self.step, targets / 2),
            "forecast": self._forecast(self.loss, rate)[:modes],
            "plain_forecast": self._forecast("squared", 1.0)[:modes],
        }

    def _forecast(self, loss: Loss, rate: float) -> FloatArray:
        """Staged forecast (modes,), made once for all architectures that it serves."""
        known, key = self.samples.forecasts, (loss, rate, self.delta)
        if key not in known:
            pooled = PooledMoments.of(near_start(self.samples.problem, loss, rate))
            case = np.array([self.step]), np.array([self.delta]), self.experiment.width
            known[key] = staged_forecast(pooled, *case, self.rule)[0]
        return known[key]

    def times(self) -> FloatArray:
        """Learning iterations (replicates, modes), of singular values of X_cᵀ(response − mean)/n."""
        samples, width, runs = self.samples, self.experiment.width, self.experiment.replicates
        shapes = [(samples.inputs.shape[1], width), (width, samples.outputs.shape[1])]
        starts = [generator("weights", self.name, seed) for seed in range(runs)]
        weights = [
            np.stack(
                [
                    np.exp(-self.delta) / np.sqrt(shape[0]) * draw.standard_normal(shape)
                    for draw in starts
                ]
            )
            for shape in shapes
        ]
        network = Network(self.activation, self.loss)
        # Most of the time goes here. Single precision moves no learning time by more than 4·10⁻⁸ of it.
        inputs: AnyArray = samples.inputs.astype(np.float32)
        projected: AnyArray = (samples.centred.T / len(samples.centred)).astype(np.float32)

        def learned(layers: list[FloatArray], _: IntArray) -> FloatArray:
            single: list[AnyArray] = [each.astype(np.float32) for each in layers]
            response = projected @ network.outputs(inputs, single[:2], single[2:])
            values = response_values(response.astype(np.float64), samples.modes)
            return np.asarray(values / samples.targets)

        slowest = self.rule.growth(self.step, samples.targets[-1])
        fastest = self.rule.growth(self.step, samples.targets[0])
        last = _PATIENCE * (self.delta + 3) / float(slowest)
        waited_for = np.ones((runs, samples.modes), dtype=bool)
        crossings = FirstCrossings(learned, waited_for, _STRIDE, near=_NEAR)
        train_on_data(
            network,
            samples.inputs,
            samples.outputs,
            weights,
            self.step,
            geometric_records(0.2 * self.delta / float(fastest), last, _SPACING),
            crossings,
            sampling=Sampling(self.experiment.batch_size, replace=False),
            generators=[
                generator("batches", self.name, self.activation, self.loss, self.delta, seed)
                for seed in range(runs)
            ],
            rule=HeavyBall(momentum=self.experiment.momentum),
            use_biases=True,
        )
        return crossings.times()
