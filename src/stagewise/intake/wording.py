"""Pieces of sentences."""

import shlex
from collections.abc import Sequence

_SHOWN = 8


def listed(names: Sequence[str]) -> str:
    """Names for a sentence, in quotation marks, shortened when there are many."""
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def counted(count: int, noun: str) -> str:
    """A count with its noun, e.g. "1 row" and "2 rows"."""
    plural = "es" if noun.endswith("s") else "s"
    return f"{count} {noun}{plural * (count != 1)}"


def pasted(names: Sequence[str]) -> str:
    """Names as a shell takes them behind an option: joined by commas, quoted where needed."""
    cells = [each if _plain(each) else '"' + each.replace('"', '""') + '"' for each in names]
    return shlex.quote(",".join(cells))


def _plain(name: str) -> bool:
    return bool(name) and name == name.strip() and name[0] != "-" and not set(name) & set('",\r\n')
