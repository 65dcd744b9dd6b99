"""Problems: second moments of data, synthetic or real, and their decomposition."""

from stagewise.problems.moments import Moments, stream_moments
from stagewise.problems.problem import Modes, Problem

__all__ = ["Modes", "Moments", "Problem", "stream_moments"]
