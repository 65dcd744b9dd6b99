"""Pieces of sentences."""

from collections.abc import Sequence

_SHOWN = 8


def listed(names: Sequence[str]) -> str:
    """Names for a sentence, shortened when there are many."""
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def counted(count: int, noun: str) -> str:
    """A count with its noun, e.g. "1 row" and "2 rows"."""
    return f"{count} {noun}{'s' * (count != 1)}"
