"""Kinds of data, one module each; every module of this folder that defines a kind is found."""

import importlib
import inspect
import pkgutil
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from stagewise.data.kind import Data


def find(package: str, path: list[str]) -> dict[str, type[Data]]:
    """The kinds that the modules of a package define, by name.

    package : dotted name. path : its folders. Raises ValueError when two kinds have the same name.
    """
    kinds: dict[str, type[Data]] = {}
    for name in sorted(each.name for each in pkgutil.iter_modules(path)):
        module = importlib.import_module(f"{package}.{name}")
        for each in vars(module).values():
            if not (isinstance(each, type) and issubclass(each, Data)) or inspect.isabstract(each):
                continue
            kind = each.name_of_kind()
            if not kind:  # what kinds of one module have in common
                continue
            if kinds.setdefault(kind, each) is not each:
                raise ValueError(f"{package} has two kinds of data named {kind!r}; rename one")
    return dict(sorted(kinds.items()))


KINDS: dict[str, type[Data]] = find(__name__, list(__path__))
"""Kinds of data by name."""

if TYPE_CHECKING:
    DataSpec = Data
else:
    DataSpec = Annotated[reduce(or_, KINDS.values()), Field(discriminator="kind")]
    """A data set as the configuration describes it."""


def downloadable() -> dict[str, Data]:
    """The data sets that can be downloaded, with their defaults, by kind."""
    return {
        kind: each.model_validate({"kind": kind})
        for kind, each in KINDS.items()
        if "download" in each.model_fields
    }
