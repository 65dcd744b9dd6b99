"""Measurement: statistics of recorded trajectories. Knows neither theory nor simulation."""

from stagewise.analysis.commutation import commutation
from stagewise.analysis.learning_times import crossing_iteration, learning_times
from stagewise.analysis.order import order_kept, separation
from stagewise.analysis.outcomes import outcome

__all__ = [
    "commutation",
    "crossing_iteration",
    "learning_times",
    "order_kept",
    "outcome",
    "separation",
]
