"""Steps of gradient descent: compiled where that works, in plain NumPy elsewhere.

The two engines have one interface and agree to rounding. The compiled one is several times faster.
"""

import sys
from collections.abc import Callable
from functools import cache

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.dynamics.observables import Engine
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.update_rule import MomentLandscape, UpdateRule

CACHE = 80_000
"""Numbers that runs of a rule in NumPy are advanced with at a time: what a cache of 1 MB holds twice."""

Advance = Callable[[list[FloatArray], FloatArray, FloatArray, FloatArray, IntArray], None]


@cache
def engine(name: Engine = "compiled") -> Advance:
    """The function that advances runs of gradient descent in place; see `kernel.advance`.

    Where the compiled engine cannot be had (no Numba, or one whose internals have changed), it is
    NumPy that steps, and a line on stderr says so.
    """
    if name == "compiled":
        try:
            from stagewise.dynamics import kernel

            one = np.ones((1, 1, 1))
            kernel.advance([one.copy(), one.copy()], one, one, np.ones(1), np.ones(1, np.int64))
            return kernel.advance
        except Exception as error:  # an internal of a compiler can fail in any way
            print(
                f"The compiled engine is not available ({type(error).__name__}: {error}); NumPy "
                "takes the steps, with equal results but for rounding, several times slower.",
                file=sys.stderr,
            )
    return advance_in_numpy


def advance_in_numpy(
    weights: list[FloatArray],
    target: FloatArray,
    curvature: FloatArray,
    step_size: FloatArray,
    steps: IntArray,
) -> None:
    """The same in NumPy; arguments as in `kernel.advance`."""
    landscape, taken = MomentLandscape(target, curvature), np.zeros(len(step_size), dtype=np.int64)
    advance_by_rule(GradientDescent(), weights, [], landscape, step_size, taken, steps)


def advance_by_rule(
    rule: UpdateRule,
    weights: list[FloatArray],
    memory: list[FloatArray],
    landscape: MomentLandscape,
    step_size: FloatArray,
    taken: IntArray,
    steps: IntArray,
) -> None:
    """Take steps of any rule in place, each run its own number of them; other arrays as in `step`."""
    every, done = [*weights, *memory], 0
    size = sum(each[0].size for each in [*every, landscape.target, landscape.curvature])
    block = max(1, CACHE // size)
    for stop in np.unique(steps[steps > 0]).tolist():
        left = np.flatnonzero(steps >= stop)
        for first in range(0, len(left), block):
            runs = left[first : first + block]
            own = [each[runs] for each in weights], [each[runs] for each in memory]
            rule.advance(*own, landscape.of(runs), step_size[runs], taken[runs] + done, stop - done)
            for whole, part in zip(every, [*own[0], *own[1]], strict=True):
                whole[runs] = part
        done = stop
