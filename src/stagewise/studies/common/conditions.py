"""Conditions that a measured value must meet for a claim to hold."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Condition:
    """A closed range of values, said in words.

    expected : the value that the claim predicts, or the limit of a one-sided condition.
    tolerance : how far from it a value may lie; None where the condition is one-sided.
    """

    low: float
    high: float
    words: str
    expected: float
    tolerance: float | None

    def holds_for(self, value: float) -> bool:
        """Whether a value meets the condition; a missing value does not."""
        return bool(self.low <= value <= self.high)


def within(expected: float, tolerance: float) -> Condition:
    """At most `tolerance` away from `expected`, on either side."""
    if tolerance <= 0:
        raise ValueError(f"tolerance is {tolerance!r}; it must be positive")
    low, high = expected - tolerance, expected + tolerance
    return Condition(low, high, f"{expected:g} ± {tolerance:g}", expected, tolerance)


def between(low: float, high: float) -> Condition:
    """From `low` to `high`, both included."""
    if not low < high:
        raise ValueError(f"between({low!r}, {high!r}): the first value must be the smaller one")
    return Condition(low, high, f"{low:g} to {high:g}", (low + high) / 2, (high - low) / 2)


def at_most(limit: float) -> Condition:
    """No larger than `limit`."""
    return Condition(-np.inf, limit, f"at most {limit:g}", limit, None)


def at_least(limit: float) -> Condition:
    """No smaller than `limit`."""
    return Condition(limit, np.inf, f"at least {limit:g}", limit, None)
