"""Two layers under every update rule, from moments alone, beside the rule's growth function."""

from dataclasses import dataclass, fields

import numpy as np

from stagewise.analysis.crossings import (
    FirstCrossings,
    geometric_records,
    mode_rows,
    response_values,
)
from stagewise.arrays import FloatArray, IntArray
from stagewise.config.training import RuleSetting, UpdateRules
from stagewise.dynamics.on_data import train_on_moments
from stagewise.dynamics.optimisers.scheduled import Scheduled
from stagewise.dynamics.update_rule import UpdateRule
from stagewise.pipeline.training.deep_rules import decay_rows, end_rows, momentum_rows
from stagewise.problems.problem import Problem
from stagewise.seeds import generator
from stagewise.theory.growth import DESCENT, GROWTH_RULES, DescentGrowth, HeavyBallGrowth

_PATIENCE = 1.3
_SETTLE = 4.0
"""Training ends at this multiple of the time to climb delta and so many e-folds more."""
_LONGEST = 20_000


def training_rows(name: str, experiment: UpdateRules, _: str | None) -> list[dict[str, object]]:
    """Rows of the table `training`: two layers by every rule, then what is deeper or decays."""
    parts = (_rule_rows, decay_rows, momentum_rows, end_rows)
    return [row for part in parts for row in part(name, experiment)]


def _rule_rows(name: str, experiment: UpdateRules) -> list[dict[str, object]]:
    """Two layers: one row per rule, delta, seed and mode."""
    rows: list[dict[str, object]] = []
    for position, setting in enumerate(experiment.rules):
        training = _Training(name, experiment, setting)
        times = training.times()
        laws = training.laws(*times.values())
        for delta, found in times.items():
            shared = {
                "experiment": name,
                "setting": position,
                "dataset": "diagonal",
                "rule": setting.optimizer.kind,
                "label": setting.optimizer.label,
                "width": experiment.width,
                "step_size": setting.step_size,
                "delta": delta,
            }
            rows += mode_rows(shared | _settings(setting.optimizer), found, laws)
    return rows


@dataclass(frozen=True)
class _Training:
    """One rule on one problem, from Gaussian starts."""

    name: str
    experiment: UpdateRules
    setting: RuleSetting

    @property
    def law(self) -> DescentGrowth | None:
        """The rule as the laws see it; None for one that is not linear near a saddle."""
        optimizer = self.setting.optimizer
        kind = GROWTH_RULES.get(optimizer.kind)
        if kind is None:
            return None
        return kind(**{each.name: getattr(optimizer, each.name) for each in fields(kind)})

    @property
    def sigma(self) -> FloatArray:
        """Singular values of sigma_xy."""
        return np.array(self.experiment.sigma)

    @property
    def factors(self) -> FloatArray:
        """Factors of the step at every iteration that a run may make."""
        rule, iterations = self.setting.optimizer, np.arange(_LONGEST)
        return rule.factors(iterations) if isinstance(rule, Scheduled) else np.ones(_LONGEST)

    def laws(self, first: FloatArray, last: FloatArray) -> dict[str, FloatArray]:
        """Growth per iteration by the rule's law and by rivals, (seeds, modes) or (modes,).

        first, last : learning iterations at the two scales. Under a schedule the growth is the mean
        of the steps' own between the two, and the rival's that of the mean step of the whole run.
        """
        step, sigma = self.setting.step_size, self.sigma
        rival = DESCENT.growth(step, sigma)
        if self.law is None:
            return {"sigma": sigma, "rival_growth": rival}
        growth = self.law.growth(step, sigma)
        if isinstance(self.setting.optimizer, Scheduled):
            each = np.log1p(step * self.factors[:, None] * sigma)
            grown = np.vstack([np.zeros(len(sigma)), np.cumsum(each, axis=0)])
            growth = _between(grown, first, last)
            rival = np.log1p(step * np.mean(self.factors[: int(np.nanmax(last))]) * sigma)
        elif isinstance(self.law, HeavyBallGrowth):
            rival = np.log1p(self.law.speed(step) * sigma)
        return {
            "sigma": sigma,
            "growth": growth,
            "plain_growth": DESCENT.growth(step, sigma),
            "rival_growth": rival,
        }

    def times(self) -> dict[float, FloatArray]:
        """Learning iterations by delta (replicates, modes), half of where commuting moments end."""
        runs, width, modes = self.experiment.replicates, self.experiment.width, len(self.sigma)
        deltas = self.experiment.delta
        scales = np.exp(-np.array(deltas))[:, None, None, None]
        step = self.setting.step_size
        ends = self.sigma if self.law is None else self.law.end(step, self.sigma)
        wanted = np.where(ends > 0, ends, np.inf)
        problem = Problem(np.diag(self.experiment.lam), np.diag(self.sigma))
        starts = [generator("weights", self.name, seed) for seed in range(runs)]
        weights = [
            scales / np.sqrt(shape[0]) * np.stack([draw.standard_normal(shape) for draw in starts])
            for shape in ((modes, width), (width, modes))
        ]
        weights = [each.reshape(-1, *each.shape[2:]) for each in weights]

        def learned(layers: list[FloatArray], _: IntArray) -> FloatArray:
            response = problem.curvature * (layers[0] @ layers[1])
            return np.asarray(response_values(response, modes) / wanted)

        waited_for = np.broadcast_to(np.isfinite(wanted), (len(deltas) * runs, modes))
        crossings = FirstCrossings(learned, waited_for)
        records = geometric_records(1, self._last(max(deltas)), 0.01)
        rule = self.setting.optimizer
        train_on_moments([problem], weights, step, records, crossings, rule)
        return dict(zip(deltas, np.split(crossings.times(), len(deltas)), strict=True))

    def _last(self, delta: float) -> float:
        law = self.law or DESCENT
        growth = law.growth(self.setting.step_size * self.factors.min(), self.sigma)
        slowest = growth[growth > 0].min()
        return float(min(_PATIENCE * (delta + _SETTLE) / slowest, _LONGEST - 1))


def _settings(optimizer: UpdateRule) -> dict[str, object]:
    """Settings of a rule that have a column of their own."""
    columns = ("momentum", "decay", "delay", "threshold")
    return {name: getattr(optimizer, name) for name in columns if hasattr(optimizer, name)}


def _between(grown: FloatArray, first: FloatArray, last: FloatArray) -> FloatArray:
    """Mean growth per iteration from one time to the other; grown : (iterations + 1, modes)."""
    iterations = np.arange(len(grown))
    found = np.full(first.shape, np.nan)
    for seed, mode in np.ndindex(first.shape):
        low, high = first[seed, mode], last[seed, mode]
        climbed = np.interp([low, high], iterations, grown[:, mode])
        found[seed, mode] = (climbed[1] - climbed[0]) / (high - low)
    return found
