"""Prediction: what the mathematics says, from moments alone. Simulates and measures nothing."""

from stagewise.theory.learning_times import flow_learning_iteration, learning_iteration
from stagewise.theory.perturbation import waiting_growth
from stagewise.theory.reduced_rank import reduced_rank_regression, ridge_regression
from stagewise.theory.step_size import (
    CONVERGENCE_THRESHOLD,
    OVERSHOOT_THRESHOLD,
    discrete_correction,
    stable_step,
)

__all__ = [
    "CONVERGENCE_THRESHOLD",
    "OVERSHOOT_THRESHOLD",
    "discrete_correction",
    "flow_learning_iteration",
    "learning_iteration",
    "reduced_rank_regression",
    "ridge_regression",
    "stable_step",
    "waiting_growth",
]
