"""Stagewise learning in linear networks. What is public is listed here and loaded when first used.

    Problem(sigma_x, sigma_xy), Completion(target, observed)    what is learned
    gradient_descent, train → Trajectory                        how it is learned
    learning_times → LearningTimes                              when it was learned
    forecast, learning_iteration                                when it will be learned

The rooms `stagewise.theory`, `stagewise.dynamics` and `stagewise.analysis` hold more.
"""

from importlib import import_module
from typing import Any

from stagewise.caches import find_room

find_room()

_HOMES = {
    "Completion": "problems.problem",
    "LearningTimes": "analysis.learning_times",
    "Problem": "problems.problem",
    "StagewiseError": "errors",
    "Trajectory": "dynamics.recording",
    "gradient_descent": "dynamics.training",
    "learning_iteration": "theory.learning_times",
    "learning_times": "analysis.learning_times",
    "reduced_rank_regression": "theory.reduced_rank",
    "train": "dynamics.training",
}
_ROOMS = ("analysis", "dynamics", "forecast", "problems", "theory")
__all__ = ["__version__", "forecast", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # slow to load, and rarely asked for

        return version("stagewise")
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
