"""Schedules of the step size: its factor at each iteration."""

import numpy as np

from stagewise.arrays import FloatArray

SCHEDULES = ("constant", "steps", "cosine")
_FLOOR = 0.1
_STEPS = (1.0, 0.3, 0.1)


def schedule_factors(name: str, length: int, iterations: int) -> FloatArray:
    """Factors (iterations,) of the step size.

    "steps" falls to 0.3 and 0.1 after a third and two thirds of `length` iterations; "cosine" falls
    from 1 to 0.1 along half a cosine of that length. Both stay where they are after it.
    """
    progress = np.minimum(np.arange(iterations) / length, 1.0)
    if name == "steps":
        part = np.minimum((progress * len(_STEPS)).astype(np.int64), len(_STEPS) - 1)
        return np.array(_STEPS)[part]
    if name == "cosine":
        return np.asarray(_FLOOR + (1 - _FLOOR) * (1 + np.cos(np.pi * progress)) / 2)
    return np.ones(iterations)
