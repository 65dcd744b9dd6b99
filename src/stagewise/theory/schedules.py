"""Steps that change while training goes on, as the laws see them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_PIECES = 300
"""Pieces of constant step; a multiple of three, so that jumps at thirds fall between pieces."""


@dataclass(frozen=True)
class Schedule:
    """A factor of the step size by iteration, constant from `length` on.

    Laws take the growth of the step at each time: proved for gradient descent, whose factors I + η_tM
    commute; for momentum a heuristic that needs the step to change little within 1/(1 − β) iterations.
    """

    factor: Callable[[float], float]
    length: float

    def piece(self, elapsed: float) -> tuple[float, float]:
        """Factor of the step from here on, and for how many iterations it holds."""
        if elapsed >= self.length:
            return self.factor(self.length), np.inf
        size = self.length / _PIECES
        place = int(elapsed / size * (1 + 1e-12))
        return self.factor((place + 0.5) * size), max((place + 1) * size - elapsed, 1e-9 * size)

    def stretch(self, iterations: float) -> float:
        """Mean of the factor so far over what it is then: by how much scatter of ln T grows.

        Derived: an amplitude that is off by da is late by da over the growth at that time.
        """
        return self.moments(iterations)[0] / iterations / self.piece(iterations)[0]

    def moments(self, iterations: float) -> tuple[float, float]:
        """Sums of the factor and of its square over the first iterations."""
        edges = np.append(np.arange(_PIECES) * self.length / _PIECES, self.length)
        spent = np.diff(np.minimum(edges, iterations))
        spent = np.append(spent, max(iterations - self.length, 0.0))
        middles = np.append((edges[1:] + edges[:-1]) / 2, self.length)
        factors = np.array([self.factor(float(each)) for each in middles])
        return float(spent @ factors), float(spent @ factors**2)


CONSTANT = Schedule(lambda elapsed: 1.0, 0.0)
"""The same step throughout."""
