"""Forecasts of learning times for a person's own data: the `stagewise forecast` command.

This module and `options` are light, so that other commands do not pay for their imports.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stagewise.arrays import FloatArray
    from stagewise.problems.problem import Problem

__all__ = ["forecast"]


def forecast(
    problem: Problem,
    step_size: float,
    delta: float,
    width: int,
    method: str = "integrated",
    stages: int | None = None,
) -> FloatArray:
    """Iterations at which a two-layer network trained by gradient descent learns each rank.

    step_size : of descent on ½‖Y − X W₁W₂‖²/n, > 0. delta : the layers start with independent
    Gaussian entries of standard deviation e^-delta/√(rows of the layer), > 0. width : hidden
    units. method : "integrated" follows the run coarsely; the laws "staged", "plain" and
    "reduced_rank" cost milliseconds. stages : how many ranks (default: all that can be learned).
    Returns (stages,): when the k-th singular value of sigma_x·W reaches half that of sigma_xy; NaN
    where the integrated run does not get there.
    Raises StagewiseError for settings that no run has, and for "integrated" also at step sizes
    with which descent itself would diverge; the laws do not see that.
    """
    from stagewise.forecast import laws

    return laws.forecast(problem, step_size, delta, width, method, stages)


class _Forecast(ModuleType):
    """This module, called: the name is that of the function too, as `stagewise.forecast(…)`."""

    def __call__(self, *arguments: Any, **named: Any) -> FloatArray:
        return forecast(*arguments, **named)


sys.modules[__name__].__class__ = _Forecast
