"""Prediction: what the mathematics says, from moments alone. Simulates and measures nothing.

`theory.forecast` is loaded lazily from `stagewise.forecast`, because its integrated method runs
`dynamics`, which this room never imports.
"""

from importlib import import_module
from typing import Any

from stagewise.theory.completion import greedy_completions
from stagewise.theory.depth import descent_iteration, flow_time, leading_iteration, strength_left
from stagewise.theory.flow import linear_flow, linear_model, two_layer_flow
from stagewise.theory.learning_times import (
    discrete_correction,
    flow_learning_iteration,
    learning_iteration,
)
from stagewise.theory.perturbation import waiting_growth
from stagewise.theory.reduced_rank import reduced_rank_regression, ridge_regression
from stagewise.theory.saddles import (
    completion_curvature,
    largest_curvature,
    largest_stable_step,
    plateau_loss,
    saddle_curvature,
    separating_scale,
)
from stagewise.theory.step_size import (
    CONVERGENCE_THRESHOLD,
    OVERSHOOT_THRESHOLD,
    stable_step,
)

__all__ = [
    "CONVERGENCE_THRESHOLD",
    "OVERSHOOT_THRESHOLD",
    "completion_curvature",
    "descent_iteration",
    "discrete_correction",
    "flow_learning_iteration",
    "flow_time",
    "greedy_completions",
    "largest_curvature",
    "largest_stable_step",
    "leading_iteration",
    "learning_iteration",
    "linear_flow",
    "linear_model",
    "plateau_loss",
    "reduced_rank_regression",
    "ridge_regression",
    "saddle_curvature",
    "separating_scale",
    "stable_step",
    "strength_left",
    "two_layer_flow",
    "waiting_growth",
]


def __getattr__(name: str) -> Any:
    if name == "forecast":
        return import_module("stagewise.forecast").forecast
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
