"""Simulation: training by any update rule, and its exact reductions. Predicts nothing.

Names are loaded when first used, since the configuration imports the update rules alone.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Integration": "adiabatic",
    "Trajectory": "recording",
    "gradient_descent": "training",
    "mode_recursion": "modes",
    "quasi_adiabatic": "adiabatic",
    "train": "training",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
