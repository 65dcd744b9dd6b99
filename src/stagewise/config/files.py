"""Files of the configuration: what they say, where it stands, and YAML that cannot be meant."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stagewise.errors import StagewiseError

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MOST_VALUES = 100_000
"""Values of a file, with those that its aliases repeat."""

_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


@dataclass(frozen=True)
class Place:
    """Where a value stands, and how it is written there if it is a single one."""

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


Places = dict[tuple[Any, ...], Place]
"""Places of values by their keys and indices from the top."""


def read_file(path: Path) -> tuple[dict[str, Any], Places]:
    """Keys and values of a file, none if it holds nothing but comments, and their places.

    Raises StagewiseError when the file is missing or no YAML, names a key twice, or writes a number
    that YAML reads as another: 010 is 8 to it, and 1:30 is 90.
    """
    try:
        loader = Loader(path.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            if node is None:
                return {}, {}
            places = _Walk(str(path)).places(node)
            content = loader.construct_document(node)
        finally:
            loader.dispose()
    except FileNotFoundError:
        raise StagewiseError(
            f"{path} is not in {Path.cwd()}; run this in the folder of the repository."
        ) from None
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        if isinstance(error, StagewiseError):
            raise
        reason = " ".join(str(error).split())
        raise StagewiseError(f"{path} cannot be read as YAML ({reason}).") from None
    if content is None:
        return {}, {}
    if not isinstance(content, dict):
        raise StagewiseError(f"{path} must hold keys with values, as config.yaml does.")
    return content, places


class _Walk:
    """Collects the places of all values below a node, and refuses what cannot be meant."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: Places = {}

    def places(self, top: Any) -> Places:
        waiting: list[tuple[tuple[Any, ...], Any]] = [((), top)]
        seen = 0
        while waiting:
            keys, node = waiting.pop()
            seen += 1
            if seen > MOST_VALUES or len(keys) > 50:
                raise StagewiseError(
                    f"{self.file} holds more than {MOST_VALUES} values with those that aliases "
                    "repeat, or lists within lists without end. Write out what is meant."
                )
            if isinstance(node, yaml.MappingNode):
                waiting += self._entries(keys, node)
            elif isinstance(node, yaml.SequenceNode):
                waiting += [((*keys, index), each) for index, each in enumerate(node.value)]
            else:
                self._check_number(keys, node)
            self.found.setdefault(keys, self._place(node))
        return self.found

    def _place(self, node: Any) -> Place:
        plain = isinstance(node, yaml.ScalarNode) and node.style in (None, "")
        return Place(self.file, node.start_mark.line + 1, node.value if plain else "")

    def _entries(self, keys: tuple[Any, ...], node: Any) -> list[tuple[tuple[Any, ...], Any]]:
        entries, lines = [], dict[str, int]()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == "tag:yaml.org,2002:merge":
                bases = value.value if isinstance(value, yaml.SequenceNode) else [value]
                entries += [(keys, base) for base in bases if isinstance(base, yaml.MappingNode)]
                continue
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in lines:
                where = ".".join(map(str, (*keys, key.value)))
                raise StagewiseError(
                    f"{self.file}, line {line}: {where} is given twice, first in line "
                    f"{lines[key.value]}. YAML would silently keep the last one; keep one of them."
                )
            lines[key.value] = line
            self.found.setdefault((*keys, key.value), self._place(value))
            entries.append(((*keys, key.value), value))
        return entries

    def _check_number(self, keys: tuple[Any, ...], node: Any) -> None:
        number = node.tag.removeprefix("tag:yaml.org,2002:") in ("int", "float")
        if not number or node.style not in (None, ""):
            return
        text, where = node.value, ".".join(map(str, keys))
        place = (
            f"{self.file}, line {node.start_mark.line + 1}: {where} is {text}, which YAML reads as"
        )
        if _OCTAL.fullmatch(text) and text.strip("+-0_"):
            plain = text.replace("_", "").lstrip("+-0")
            raise StagewiseError(
                f"{place} {int(text.replace('_', ''), 8)}, an octal number. Write {plain} for the "
                f"decimal number, or {int(text.replace('_', ''), 8)}."
            )
        if _SEXAGESIMAL.fullmatch(text):
            raise StagewiseError(
                f"{place} a number of base 60. Write the number out, or the text in quotes."
            )
