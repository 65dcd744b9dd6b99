"""Linear networks on batches of samples with prescribed moments, beside the laws of mini-batches."""

from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np

from stagewise.analysis.crossings import (
    FirstCrossings,
    geometric_records,
    mode_rows,
    response_ceilings,
    response_values,
)
from stagewise.arrays import FloatArray, IntArray
from stagewise.config.training import BatchSetting, MiniBatches
from stagewise.dynamics.on_data import Network, Sampling, train_on_data
from stagewise.dynamics.small_batches import train_on_small_batches
from stagewise.pipeline.training.diffusion import diffusion_rows
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.theory import leading_iteration, reduced_rank_regression
from stagewise.theory.lyapunov import lyapunov_exponents
from stagewise.theory.minibatch import SaddleNoise, batch_scatter, mixing
from stagewise.theory.minibatch_stages import batch_slopes, saddles_noise

_PATIENCE = 4.0
"""Training ends at this multiple of gradient descent's time for the last mode followed."""
_SETTLE = 400
_PRODUCTS = 1_000_000
"""Steps before directions count as settled, and samples in the random products altogether."""


def prescribed_sample(
    experiment: MiniBatches, setting: BatchSetting, *names: str
) -> tuple[FloatArray, FloatArray]:
    """Inputs (n, dim_in) and outputs (n, dim_out) whose moments are exactly those prescribed.

    Columns of a Gaussian matrix, centred and made orthonormal, are scaled to the inputs and to
    labels' noise that has no correlation with them.
    """
    dim_in, dim_out = len(experiment.lam), experiment.dim_out
    draw = generator("sample", *names, setting.samples, setting.noise)
    columns = draw.standard_normal((setting.samples, dim_in + dim_out))
    white = np.linalg.qr(columns - columns.mean(axis=0))[0] * np.sqrt(setting.samples)
    inputs = white[:, :dim_in] * np.sqrt(experiment.lam)
    outputs = setting.noise * white[:, dim_in:]
    modes = len(experiment.sigma)
    slopes = np.divide(experiment.sigma, experiment.lam[:modes])
    outputs[:, :modes] += inputs[:, :modes] * slopes
    return inputs, outputs


def training_rows(name: str, experiment: MiniBatches, _: str | None) -> list[dict[str, object]]:
    """Rows of the table `training`: training itself, then what a mode diffuses on its way."""
    return _trained_rows(name, experiment) + diffusion_rows(name, experiment)


def _trained_rows(name: str, experiment: MiniBatches) -> list[dict[str, object]]:
    """One row per setting, way to draw, delta, seed and mode."""
    rows: list[dict[str, object]] = []
    for position, setting in enumerate(experiment.settings):
        inputs, outputs = prescribed_sample(experiment, setting, name)
        for replace in (True, False) if setting.shuffled else (True,):
            law = _Laws.of(inputs, outputs, setting, replace)
            for delta in setting.delta or experiment.delta:
                training = _Training(name, experiment, setting, inputs, outputs, delta)
                times = training.times(replace)
                columns = law.columns | {
                    "predicted_scatter": law.scatter(setting, times.mean(axis=0))
                }
                if setting.depth > 2:
                    descent = training.times(None)[0]
                    columns["forecast"] = descent
                    columns["drift"] = law.drift(setting, delta, descent)
                    columns["rival_drift"] = columns["plain_growth"] / columns["growth"]
                shared = {
                    "experiment": name,
                    "setting": position,
                    "dataset": "prescribed",
                    "depth": setting.depth,
                    "width": experiment.width,
                    "samples": setting.samples,
                    "noise": setting.noise,
                    "batch_size": setting.batch_size,
                    "replacement": replace,
                    "step_size": setting.step_size,
                    "delta": delta,
                }
                rows += mode_rows(shared, times, columns | {"sigma": np.array(experiment.sigma)})
    return rows


@dataclass(frozen=True)
class _Laws:
    """What the laws say of one setting: columns of the table, one value per mode."""

    origin: SaddleNoise
    columns: dict[str, FloatArray]

    @classmethod
    def of(
        cls, inputs: FloatArray, outputs: FloatArray, setting: BatchSetting, replace: bool
    ) -> "_Laws":
        """Exponents to second order and their rivals; with replacement also by random products."""
        step, size, modes = setting.step_size, setting.batch_size, setting.modes
        samples = len(inputs)
        problem = Problem(inputs.T @ inputs / samples, inputs.T @ outputs / samples)
        maps = [reduced_rank_regression(problem, rank) for rank in range(1, modes)]
        saddles = saddles_noise(inputs, outputs, maps)
        # Draws with replacement are the rival of draws without; of the former, levels that ignore
        # one another.
        rival = batch_slopes(saddles, step, size, repulsion=not replace)
        exponents = np.full(modes, np.nan)
        if replace:
            exponents[0] = _products(inputs, outputs, setting)
        columns = {
            "growth": 1 / batch_slopes(saddles, step, size, replace=replace),
            "rival_growth": 1 / rival,
            "plain_growth": np.log1p(step * problem.modes.sigma[:modes]),
            "exponent": exponents,
            "mixing": mixing(saddles[0], step, size, modes),
        }
        return cls(saddles[0], columns)

    def scatter(self, setting: BatchSetting, iterations: FloatArray) -> FloatArray:
        """Standard deviation of learning times; for three and more layers √(TV/B)/σ."""
        if setting.depth == 2:
            return batch_scatter(self.origin, iterations, setting.step_size, setting.batch_size)
        count = len(iterations)
        variances = np.diag(self.origin.variances)[:count] / setting.batch_size
        return np.asarray(np.sqrt(iterations * variances) / self.origin.sigma[:count])

    def drift(self, setting: BatchSetting, delta: float, descent: FloatArray) -> FloatArray:
        """T over that of full batches at three layers, 1 + δV/(Bσ²T).

        Derived: 1/a falls by x + ηn less (x² + η²V/B)a a step, and ∫a d(1/a) = δ.
        """
        count = len(descent)
        noise = np.diag(self.origin.variances)[:count] / self.origin.sigma[:count] ** 2
        return np.asarray(1 + delta * noise / (setting.batch_size * descent))


def _products(inputs: FloatArray, outputs: FloatArray, setting: BatchSetting) -> float:
    samples, size = len(inputs), setting.batch_size
    draw = generator("products", samples, setting.step_size, size)
    batches = draw.integers(samples, size=(max(samples, _PRODUCTS // size), size))
    found = lyapunov_exponents(inputs, outputs, setting.step_size, batches, 1, _SETTLE)
    return float(found[0])


@dataclass(frozen=True)
class _Training:
    """One setting trained from one start at one scale."""

    name: str
    experiment: MiniBatches
    setting: BatchSetting
    inputs: FloatArray
    outputs: FloatArray
    delta: float

    def times(self, replace: bool | None) -> FloatArray:
        """Learning iterations (replicates, modes); replace None takes all samples, once."""
        setting = self.setting
        runs = 1 if replace is None else self.experiment.replicates
        lam = np.array(self.experiment.lam)[:, None]
        targets = np.array(self.experiment.sigma[: setting.modes])

        def responses(layers: list[FloatArray]) -> FloatArray:
            return np.asarray(lam * reduce(np.matmul, layers))

        def learned(layers: list[FloatArray], _: IntArray) -> FloatArray:
            return np.asarray(response_values(responses(layers), setting.modes) / targets)

        def ceiling(layers: list[FloatArray], _: IntArray) -> FloatArray:
            return np.asarray(response_ceilings(responses(layers), setting.modes) / targets)

        waited_for = np.ones((runs, setting.modes), dtype=bool)
        crossings = FirstCrossings(learned, waited_for, ceiling=ceiling)
        weights = [np.repeat(each[None], runs, axis=0) for each in self._start()]
        course = weights, setting.step_size, self._records(targets), crossings
        if replace is None:
            train_on_data(Network(), self.inputs, self.outputs, *course)
        else:
            sampling = Sampling(setting.batch_size, replace)
            generators = [self._batches(replace, seed) for seed in range(runs)]
            train_on_small_batches(self.inputs, self.outputs, *course, sampling, generators)
        return crossings.times()

    def _start(self) -> list[FloatArray]:
        """Gaussian layers, the same at every scale but for the scale."""
        depth = self.setting.depth
        hidden = [self.experiment.width] * (depth - 1)
        sizes = [self.inputs.shape[1], *hidden, self.outputs.shape[1]]
        draw = generator("weights", self.name, depth)
        return [
            np.exp(-self.delta) / np.sqrt(rows) * draw.standard_normal((rows, columns))
            for rows, columns in pairwise(sizes)
        ]

    def _records(self, targets: FloatArray) -> IntArray:
        first, last = (
            float(leading_iteration(sigma, self.delta, self.setting.step_size, self.setting.depth))
            for sigma in targets[[0, -1]]
        )
        ratio = 0.015 if self.setting.depth == 2 else 0.004
        return geometric_records(0.3 * first, _PATIENCE * last, ratio)

    def _batches(self, replace: bool, seed: int) -> np.random.Generator:
        each = self.setting
        return generator(
            *("batches", self.name, each.samples, each.noise, each.step_size, each.batch_size),
            *(each.depth, self.delta, replace, seed),
        )
