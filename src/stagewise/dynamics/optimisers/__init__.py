"""Update rules, one module each; every module of this folder that defines a rule is found."""

import importlib
import pkgutil
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from stagewise.dynamics.update_rule import UpdateRule


def _found() -> dict[str, type[UpdateRule]]:
    names = sorted(each.name for each in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    rules = [
        each
        for module in modules
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, UpdateRule)
    ]
    by_kind = {str(rule.model_fields["kind"].default): rule for rule in rules if rule.is_rule()}
    return dict(sorted(by_kind.items()))


RULES: dict[str, type[UpdateRule]] = _found()
"""Update rules by kind."""


def _named(given: Any) -> Any:
    return {"kind": given} if isinstance(given, str) else given


if TYPE_CHECKING:
    Optimizer = UpdateRule
else:
    _Rule = Annotated[reduce(or_, RULES.values()), Field(discriminator="kind")]
    Optimizer = Annotated[_Rule, BeforeValidator(_named, json_schema_input_type=str | _Rule)]
    """A rule as the configuration names it: its kind alone, or a section with its settings."""
