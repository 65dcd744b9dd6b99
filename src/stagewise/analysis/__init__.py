"""Measurement: statistics of recorded trajectories. Knows neither theory nor simulation."""

from stagewise.analysis.commutation import commutation
from stagewise.analysis.curvature import (
    curvature_bound,
    extreme_curvatures,
    hessian,
    numerical_rank,
)
from stagewise.analysis.learning_times import LearningTimes, crossing_iteration, learning_times
from stagewise.analysis.order import order_kept, separation
from stagewise.analysis.outcomes import outcomes
from stagewise.analysis.stages import Plateau, plateaus, prominent_peaks

__all__ = [
    "LearningTimes",
    "Plateau",
    "commutation",
    "crossing_iteration",
    "curvature_bound",
    "extreme_curvatures",
    "hessian",
    "learning_times",
    "numerical_rank",
    "order_kept",
    "outcomes",
    "plateaus",
    "prominent_peaks",
    "separation",
]
