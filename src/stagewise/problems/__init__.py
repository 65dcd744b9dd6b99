"""Problems: second moments of data, synthetic or real, and their decomposition."""

from stagewise.problems.moments import Moments, stream_moments
from stagewise.problems.problem import Completion, Modes, Problem

__all__ = ["Completion", "Modes", "Moments", "Problem", "stream_moments"]
