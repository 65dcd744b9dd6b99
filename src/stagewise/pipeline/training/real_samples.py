"""Linear networks on real samples: momentum and mini-batches beside forecasts from the moments."""

from dataclasses import dataclass

import numpy as np

from stagewise.analysis.crossings import (
    FirstCrossings,
    geometric_records,
    mode_rows,
    response_values,
)
from stagewise.arrays import FloatArray, IntArray
from stagewise.config.training import RealSamples
from stagewise.data.samples import load_samples
from stagewise.dynamics.on_data import Network, Sampling, train_on_data, train_on_moments
from stagewise.dynamics.optimisers.heavy_ball import HeavyBall
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.theory import reduced_rank_regression
from stagewise.theory.forecast_laws import PooledMoments, plain_forecast
from stagewise.theory.growth import DESCENT, GrowthRule, HeavyBallGrowth
from stagewise.theory.minibatch import SaddleNoise, mixing
from stagewise.theory.minibatch_stages import batch_drift, saddles_noise
from stagewise.theory.staged_forecast import staged_forecast

_PATIENCE = 2.0
"""Training ends at this multiple of the plain forecast of the last mode followed."""


def training_rows(name: str, experiment: RealSamples, _: str | None) -> list[dict[str, object]]:
    """Rows of the table `training`: one per data set, way to train, seed and mode."""
    rows: list[dict[str, object]] = []
    for position, choice in enumerate(experiment.samples):
        task = Task.of(choice.name, choice.modes)
        saddles = task.saddles()
        for momentum in (0.0, experiment.momentum):
            forecasts = _Way(name, experiment, task, momentum, 0).forecasts()
            for batch_size in (0, experiment.batch_size):
                way = _Way(name, experiment, task, momentum, batch_size)
                shared = {
                    "experiment": name,
                    "setting": position,
                    "dataset": choice.name,
                    "rule": "heavy_ball" if momentum else "gradient_descent",
                    "momentum": momentum,
                    "width": experiment.width,
                    "samples": len(task.inputs),
                    "batch_size": batch_size,
                    "step_size": way.step,
                    "delta": experiment.delta,
                }
                rows += mode_rows(shared, way.times(), forecasts | way.delays(saddles))
    return rows


@dataclass(frozen=True)
class Task:
    """Centred samples with their moments. modes : how many are followed."""

    dataset: str
    inputs: FloatArray
    outputs: FloatArray
    problem: Problem
    modes: int

    @classmethod
    def of(cls, dataset: str, modes: int) -> "Task":
        """Load, centre, take moments."""
        inputs, outputs = (each - each.mean(axis=0) for each in load_samples(dataset))
        samples = len(inputs)
        problem = Problem(inputs.T @ inputs / samples, inputs.T @ outputs / samples)
        return cls(dataset, inputs, outputs, problem, modes)

    @property
    def sigma(self) -> FloatArray:
        """Singular values of the modes followed."""
        return self.problem.modes.sigma[: self.modes]

    @property
    def largest(self) -> float:
        """The larger of the largest sigma and the top eigenvalue of sigma_x."""
        return float(max(self.sigma[0], self.problem.eigenvalues[-1]))

    def saddles(self) -> list[SaddleNoise]:
        """Noise at the reduced-rank regressions of rank 0, 1, …"""
        ranks = range(1, self.modes)
        maps = [reduced_rank_regression(self.problem, rank) for rank in ranks]
        return saddles_noise(self.inputs, self.outputs, maps)


@dataclass(frozen=True)
class _Way:
    """One way to train on one data set. batch_size : 0 takes all samples."""

    name: str
    experiment: RealSamples
    task: Task
    momentum: float
    batch_size: int

    @property
    def step(self) -> float:
        """Absolute step size."""
        factor = self.experiment.momentum_step if self.momentum else 1.0
        return factor * self.experiment.step_size / self.task.largest

    @property
    def rule(self) -> GrowthRule:
        """The update rule as the laws see it."""
        return HeavyBallGrowth(self.momentum) if self.momentum else DESCENT

    def forecasts(self) -> dict[str, FloatArray]:
        """What the moments say, whatever the batches, one value per mode."""
        modes, pooled = self.task.modes, PooledMoments.of(self.task.problem)
        case = np.array([self.step]), np.array([self.experiment.delta]), self.experiment.width
        return {
            "sigma": self.task.sigma,
            "forecast": staged_forecast(pooled, *case, self.rule)[0, :modes],
            "plain_forecast": plain_forecast(pooled, *case, self.rule)[0, :modes],
            "plain_growth": self.rule.growth(self.step, self.task.sigma),
        }

    def delays(self, saddles: list[SaddleNoise]) -> dict[str, FloatArray]:
        """What the noise of batches does, one value per mode."""
        modes = self.task.modes
        columns = {"mixing": np.zeros(modes)}
        for name, repulsion in (("drift", True), ("rival_drift", False)):
            columns[name] = np.ones(modes)
            if self.batch_size:
                columns[name] = batch_drift(
                    saddles, self.step, self.batch_size, repulsion=repulsion, rule=self.rule
                )
        if self.batch_size:
            columns["mixing"] = mixing(saddles[0], self.step, self.batch_size, modes, self.rule)
        return {name: values[:modes] for name, values in columns.items()}

    def times(self) -> FloatArray:
        """Learning iterations (replicates, modes), trained in the eigenbasis of sigma_x."""
        task, runs, scale = self.task, self.experiment.replicates, np.exp(-self.experiment.delta)
        targets, width = task.sigma, self.experiment.width
        shapes = [(task.problem.dim_in, width), (width, task.problem.dim_out)]
        starts = [generator("weights", self.name, task.dataset, seed) for seed in range(runs)]
        weights = [
            np.stack([scale / np.sqrt(shape[0]) * draw.standard_normal(shape) for draw in starts])
            for shape in shapes
        ]

        def learned(layers: list[FloatArray], _: IntArray) -> FloatArray:
            # A rotation of the response, whose rank is at most the width.
            small = (
                np.linalg.qr(task.problem.eigenvalues[:, None] * layers[0], mode="r") @ layers[1]
            )
            return np.asarray(response_values(small, task.modes) / targets)

        growth = self.rule.growth(self.step, targets[[0, -1]])
        first, last = 0.3 * self.experiment.delta / growth[0], self.experiment.delta / growth[1]
        records = geometric_records(first, _PATIENCE * last, 0.015)
        crossings = FirstCrossings(learned, np.ones((runs, task.modes), dtype=bool))
        rule = HeavyBall(momentum=self.momentum) if self.momentum else None
        if not self.batch_size:
            train_on_moments([task.problem], weights, self.step, records, crossings, rule)
            return crossings.times()
        train_on_data(
            Network(),
            task.inputs @ task.problem.eigenvectors,
            task.outputs,
            [task.problem.eigenvectors.T @ weights[0], weights[1]],
            self.step,
            records,
            crossings,
            sampling=Sampling(self.batch_size),
            generators=[self._batches(seed) for seed in range(runs)],
            rule=rule,
        )
        return crossings.times()

    def _batches(self, seed: int) -> np.random.Generator:
        return generator(
            "batches", self.name, self.task.dataset, self.momentum, self.batch_size, seed
        )
