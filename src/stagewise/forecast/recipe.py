"""What a forecast is told of practice: another update rule, decay, schedules, batches, loss, activation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem
from stagewise.theory.activations import near_start
from stagewise.theory.growth import (
    GROWTH_RULES,
    DecayedGrowth,
    DescentGrowth,
    HeavyBallGrowth,
    NesterovGrowth,
)
from stagewise.theory.schedules import CONSTANT, Schedule

if TYPE_CHECKING:
    from stagewise.dynamics.on_data import Activation, Loss
    from stagewise.dynamics.optimisers.scheduled import Scheduled
    from stagewise.dynamics.update_rule import UpdateRule as Steps

OPTIMIZERS = ("gradient_descent", "heavy_ball", "nesterov", "layers_in_turn")
LOSSES = ("squared", "cross_entropy")
ACTIVATIONS = ("linear", "tanh")
SCHEDULES = ("constant", "levels", "cosine")
DEFAULT_MOMENTUM = 0.9
LARGEST_CHECK = 40.0
"""Initial scale delta up to which rounding spares rules that hidden rotations are not for."""


@dataclass(frozen=True)
class Practice:
    """How the network is trained; see `options`. None: momentum where the rule has none, all samples
    at each step, and twice as long a schedule as a constant step would take for the last stage.
    """

    optimizer: str = "gradient_descent"
    momentum: float | None = None
    loss: Loss = "squared"
    activation: Activation = "linear"
    batch_size: int | None = None
    weight_decay: float = 0.0
    schedule: str = "constant"
    schedule_length: int | None = None
    law: DescentGrowth = field(init=False)

    def __post_init__(self) -> None:
        has_momentum = self.optimizer in ("heavy_ball", "nesterov")
        if self.momentum is not None and not has_momentum:
            raise StagewiseError(
                f"momentum is {self.momentum:g}, but {self.optimizer} has none. Add --optimizer "
                "heavy_ball or --optimizer nesterov."
            )
        beta = DEFAULT_MOMENTUM if self.momentum is None else self.momentum
        if not 0 <= beta < 1:
            raise StagewiseError(f"momentum is {beta:g}; it must be from 0 to below 1.")
        _check(self)
        law = GROWTH_RULES[self.optimizer](**({"momentum": beta} if has_momentum else {}))
        object.__setattr__(
            self, "law", DecayedGrowth(law, self.weight_decay) if self.weight_decay else law
        )

    @property
    def rule(self) -> DescentGrowth:
        """The law of the update rule without decay."""
        return self.law.rule if isinstance(self.law, DecayedGrowth) else self.law

    @property
    def is_descent(self) -> bool:
        """Whether training is gradient descent itself, on all samples, with the same step."""
        changed = self.batch_size or self.weight_decay or self.schedule != "constant"
        return self.optimizer == "gradient_descent" and not changed

    @property
    def is_linear(self) -> bool:
        """Whether layers are linear and the loss is squared, so that no biases are needed."""
        return self.loss == "squared" and self.activation == "linear"

    @property
    def trains_on_moments(self) -> bool:
        """Whether moments tell the whole course of training."""
        return self.is_linear and self.batch_size is None

    @property
    def is_plain(self) -> bool:
        """Whether it is one of the update rules, and nothing else."""
        return self.trains_on_moments and not self.weight_decay and self.schedule == "constant"

    def steps(self, length: int | None) -> Steps:
        """The update rule as `dynamics` takes it; length of the schedule, if there is any."""
        from stagewise.dynamics.combined import Combined  # only training needs it
        from stagewise.dynamics.optimisers import RULES

        momentum = (
            {"momentum": self.rule.momentum} if isinstance(self.rule, HeavyBallGrowth) else {}
        )
        rule = RULES[self.optimizer].model_validate(momentum)
        if not self.weight_decay and length is None:
            return rule
        schedule = None if length is None else _scheduled(self.schedule, length)
        return Combined(rule=rule, decay=self.weight_decay, schedule=schedule)

    def factors(self, length: int | None) -> Schedule:
        """The schedule as the laws take it."""
        if length is None:
            return CONSTANT
        scheduled = _scheduled(self.schedule, length)
        return Schedule(lambda elapsed: float(scheduled.factors(np.asarray(elapsed))), length)

    @property
    def label(self) -> str:
        """Name of the rule, with its momentum."""
        beta = f" momentum={self.rule.momentum:g}" if isinstance(self.rule, HeavyBallGrowth) else ""
        return self.optimizer + beta

    @property
    def room(self) -> float:
        """Largest stable step over that of gradient descent (derived: a parabola)."""
        if isinstance(self.rule, NesterovGrowth):
            return (1 + self.rule.momentum) / (1 + 2 * self.rule.momentum)
        return 1 + self.rule.momentum if isinstance(self.rule, HeavyBallGrowth) else 1.0

    def problem(self, problem: Problem) -> Problem:
        """The linear problem on squared loss that training follows near its start."""
        return problem if self.loss == "squared" else near_start(problem, self.loss)

    def notes(self, stages: int) -> list[str]:
        """Sentences on how far the forecast carries."""
        notes = []
        if not self.is_linear:
            notes.append(
                "biases are taken to fit the means; tried on digits and MNIST with tanh and both "
                "losses, where the first three stages came within 8 % of the forecast from delta 4 on"
            )
        if self.loss == "cross_entropy" and stages > 3:
            notes.append(
                "outside of the law: under cross-entropy stages from the fourth on come early, the later "
                "the more, as probabilities saturate; on digits by 8 to 18 % at the fourth and by half at "
                "the ninth"
            )
        if self.weight_decay:
            notes.append(
                "under weight decay a stage counts as learned at half of σ − decay, where it ends if "
                "the moments commute"
            )
        if self.schedule != "constant" and isinstance(self.rule, HeavyBallGrowth):
            notes.append("the schedule is taken to change little while momentum remembers")
        return notes


def check_method(practice: Practice, method: str) -> None:
    """Refuse a method that has no forecast of what practice adds."""
    if method == "integrated" and not practice.is_descent:
        raise StagewiseError(
            "method is integrated, which follows gradient descent on all samples only, without decay "
            f"or schedule, and optimizer is {practice.optimizer}. Use --method staged."
        )
    if method != "staged" and (practice.weight_decay or practice.schedule != "constant"):
        raise StagewiseError(
            f"method is {method}, which knows neither weight decay nor schedules. Use --method staged."
        )


def check_training(practice: Practice, delta: float) -> None:
    """Refuse to train what --check does not train."""
    if not (practice.is_descent and practice.is_linear) and delta > LARGEST_CHECK:
        raise StagewiseError(
            f"delta is {delta:g}; --check works up to {LARGEST_CHECK:g} but for plain gradient descent "
            "on squared loss, beyond which rounding drowns the small directions."
        )


def learnable(practice: Practice, sigma: FloatArray) -> int:
    """How many modes are stronger than weight decay. Raises StagewiseError where none is."""
    count = int((sigma > practice.weight_decay).sum())
    if not count:
        raise StagewiseError(
            f"weight-decay is {practice.weight_decay:g}, and the largest singular value of sigma_xy is "
            f"{sigma[0]:.3g}: decay is as strong as the data, the network dies, and there is nothing "
            "to forecast. Give less decay."
        )
    return count


def _check(practice: Practice) -> None:
    """Refuse values and combinations that no law is about."""
    size, decay, length = practice.batch_size, practice.weight_decay, practice.schedule_length
    if size is not None and size < 1:
        raise StagewiseError(f"batch-size is {size}; it must be a whole number, 1 or more.")
    if not 0 <= decay < np.inf:
        raise StagewiseError(f"weight-decay is {decay:g}; it must be a number, 0 or more.")
    if length is not None and practice.schedule == "constant":
        raise StagewiseError(
            f"schedule-length is {length}, but the schedule is constant. Add --schedule cosine or "
            "--schedule levels."
        )
    if length is not None and length < 1:
        raise StagewiseError(f"schedule-length is {length}; it must be a whole number, 1 or more.")
    if practice.optimizer == "layers_in_turn" and (size or decay):
        raise StagewiseError(
            "With --optimizer layers_in_turn there is no law of mini-batches or weight decay, because "
            "both act twice in a step. Leave --batch-size and --weight-decay out, or choose another "
            "optimizer."
        )


def _scheduled(kind: str, length: int) -> Scheduled:
    from stagewise.dynamics.optimisers.scheduled import Scheduled

    return Scheduled.model_validate({"schedule": kind, "length": length})
