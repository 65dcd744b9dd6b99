"""Numba's `njit` where there is Numba, and Python as it is elsewhere."""

# Numba's interface carries no types.
# mypy: disable-error-code="import-untyped"

from collections.abc import Callable
from typing import Any

try:
    from numba import njit

    COMPILED = True
except ImportError:
    COMPILED = False

    def njit(**_: Any) -> Callable[[Any], Any]:  # type: ignore[no-redef]
        """Leave a function as it is."""
        return lambda function: function


__all__ = ["COMPILED", "njit"]
