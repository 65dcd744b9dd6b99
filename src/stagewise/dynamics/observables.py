"""What can be recorded of a run. An observable that nobody asks for is not computed."""

from typing import Literal, get_args

Observable = Literal[
    "loss",
    "gradient_norm",
    "singular_values",
    "response_values",
    "mode_strengths",
    "trace_norm",
    "imbalance",
    "reduced_rank_distance",
    "reduced_rank_response_distance",
    "test_error",
]
OBSERVABLES: tuple[Observable, ...] = get_args(Observable)
PER_MODE: tuple[Observable, ...] = (
    "singular_values",
    "response_values",
    "mode_strengths",
    "reduced_rank_distance",
    "reduced_rank_response_distance",
)
"""Observables with one value per mode."""
Engine = Literal["compiled", "numpy"]
"""What takes the steps of gradient descent; see `dynamics.engine`."""
LEARNED: tuple[Observable, ...] = ("response_values", "mode_strengths")
"""Observables that tell when a mode is learned."""
