"""From a raw configuration to a typed one, or to a sentence per mistake."""

import difflib
import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stagewise.config.models import Config, Experiment
from stagewise.data.kinds import KINDS
from stagewise.dynamics.optimisers import RULES
from stagewise.errors import StagewiseError


def parse_config(raw: Mapping[str, Any]) -> Config:
    """Check a configuration as read from YAML.

    Raises StagewiseError with one sentence per mistake: the key, the value, what is allowed.
    """
    if not isinstance(raw, Mapping):
        raise StagewiseError(
            f"The configuration cannot be used.\n- It is {_shown(raw)}; it must be a mapping."
        )
    try:
        return Config.model_validate(dict(raw))
    except ValidationError as error:
        sentences = [_sentence(details) for details in error.errors()]
    raise StagewiseError("The configuration cannot be used.\n" + "\n".join(sentences))


def _sentence(details: ErrorDetails) -> str:
    location = list(details["loc"])
    if location[1:] and location[-1] == "[key]" and str(location[-2]) == str(details["input"]):
        del location[-1]  # pydantic's mark for a mistake in a key instead of its value
    model, keys = _owner(location)
    key, given = _dotted(keys), details["input"]
    match details["type"]:
        case "extra_forbidden":
            return f"- {key} is not a known key. {_suggestion(str(keys[-1]), model)}"
        case "missing":
            return f"- {key} is missing; it has no default, so give it a value."
        case "union_tag_invalid" | "union_tag_not_found":
            kind = given.get("kind") if isinstance(given, Mapping) else given
            kinds = RULES if "optimizer" in keys else KINDS
            return f"- {key}.kind is {kind!r}; it must be one of {', '.join(kinds)}."
        case "value_error":
            text = details["msg"].removeprefix("Value error, ")
            return f"- {key}: {text}." if key else f"- {text}."
        case _:
            return f"- {key} is {_shown(given)}; {_allowed(details)}."


def _owner(location: list[Any]) -> tuple[type[BaseModel], list[Any]]:
    """The model that a location lies in, and the location without the union's tag."""
    if location[:1] == ["datasets"] and len(location) > 2 and location[2] in KINDS:
        return KINDS[location[2]], location[:2] + location[3:]
    if location[2:3] == ["optimizer"] and len(location) > 4 and location[4] in RULES:
        return RULES[location[4]], location[:4] + location[5:]
    if location[:1] == ["experiments"] and len(location) > 2:
        return Experiment, location
    return Config, location


def _dotted(keys: list[Any]) -> str:
    return "".join(
        f"[{key}]" if isinstance(key, int) else f".{key}" if position else str(key)
        for position, key in enumerate(keys)
    )


def _suggestion(key: str, model: type[BaseModel]) -> str:
    known = list(model.model_fields)
    close = difflib.get_close_matches(key, known, n=1)
    meant = f"Did you mean {close[0]}? " if close else ""
    return f"{meant}Allowed here: {', '.join(known)}."


def _allowed(details: ErrorDetails) -> str:
    text, limits = details["msg"].replace("Input should", "it must"), details.get("ctx", {})
    match details["type"]:
        case "string_pattern_mismatch" if details["loc"] == ("run",):
            return (
                "the name of a run has letters, digits, underscores and hyphens only and starts "
                "with a letter or digit"
            )
        case "string_pattern_mismatch":
            return "a name has letters, digits and underscores only and starts with a letter"
        case "too_short":
            return f"it must have at least {_items(limits['min_length'])}"
        case "too_long":
            return f"it must have at most {_items(limits['max_length'])}"
        case "model_type" if details["input"] is None and details["loc"][0] == "experiments":
            return (
                "it must be a section of keys with values; to leave an experiment out, name the "
                "others in `only`"
            )
        case "model_type" | "model_attributes_type" | "dict_type":
            return "it must be a section of keys with values"
        case "invalid_key":
            return "a key must be text"
        case "float_type" | "int_type" if isinstance(details["input"], str):
            written = _as_yaml(details["input"], whole=details["type"] == "int_type")
            hint = f", and YAML reads that as text: write {written} without quotes"
            return text + hint if written else text
    return text


def _items(count: int) -> str:
    return f"{count} item{'s' * (count != 1)}"


def _as_yaml(text: str, whole: bool) -> str | None:
    """How YAML wants a number that it took for text; None if it is none that fits."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or (whole and not number.is_integer()):
        return None
    mantissa, exponent, power = repr(number).partition("e")
    point = ".0" if exponent and "." not in mantissa else ""  # YAML 1.1 reads 1e-05 as text
    return str(int(number)) if whole else mantissa + point + exponent + power


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
