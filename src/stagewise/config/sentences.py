"""From a raw configuration to a typed one, or to a sentence per mistake."""

import difflib
import math
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stagewise.config.files import Place, Places
from stagewise.config.models import Config, Experiment
from stagewise.config.training import TRAINING_KINDS
from stagewise.data.kinds import KINDS
from stagewise.dynamics.optimisers import RULES
from stagewise.errors import StagewiseError


def parse_config(raw: Mapping[str, Any], places: Places | None = None) -> Config:
    """Check a configuration as read from YAML.

    places : where values stand in files, which the sentences then name. Raises StagewiseError with
    one sentence per mistake: the key, the value, what is allowed.
    """
    if not isinstance(raw, Mapping):
        raise StagewiseError(
            f"The configuration cannot be used.\n- It is {_shown(raw)}; it must be a mapping."
        )
    try:
        return Config.model_validate(dict(raw))
    except ValidationError as error:
        mistakes = _without_consequences(error.errors(), raw)
        sentences = [_sentence(each, raw, places or {}) for each in mistakes]
    raise StagewiseError("The configuration cannot be used.\n" + "\n".join(sentences))


def _without_consequences(
    mistakes: list[ErrorDetails], raw: Mapping[str, Any]
) -> list[ErrorDetails]:
    """Mistakes but for those that follow from another: what is missing because it is misspelt."""
    unknown = [each["loc"] for each in mistakes if each["type"] == "extra_forbidden"]
    kept, told = [], set[tuple[Any, ...]]()
    for each in mistakes:
        place = each["loc"]
        if each["type"] == "missing":
            beside = [str(other[-1]) for other in unknown if other[:-1] == place[:-1]]
            if difflib.get_close_matches(str(place[-1]), beside, n=1):
                continue
            if _likely_name(place[:2], raw):
                if place[:2] in told:
                    continue
                told.add(place[:2])
        kept.append(each)
    return kept


def _likely_name(place: tuple[Any, ...], raw: Mapping[str, Any]) -> str | None:
    """The entry of a section that was meant by one which has none of the keys that it needs."""
    section = raw.get(place[0]) if len(place) == 2 else None
    entry = section.get(place[1]) if isinstance(section, Mapping) else None
    if not isinstance(section, Mapping) or not isinstance(entry, Mapping):
        return None
    if {"datasets", "step_size", "kind"} & set(entry):
        return None
    others = [str(name) for name in section if name != place[1]]
    return next(iter(difflib.get_close_matches(str(place[1]), others, n=1, cutoff=0.8)), None)


def _sentence(details: ErrorDetails, raw: Mapping[str, Any], places: Places) -> str:
    location = list(details["loc"])
    if location[1:] and location[-1] == "[key]" and str(location[-2]) == str(details["input"]):
        del location[-1]  # pydantic's mark for a mistake in a key instead of its value
    model, keys = _owner(location)
    place = _place(keys, places)
    return f"- {_words(details, model, keys, raw, place)}{f' ({place})' if place else ''}"


def _place(keys: list[Any], places: Places) -> Place | None:
    """Where a value stands, or else what it would be part of."""
    for length in range(len(keys), 0, -1):
        if tuple(keys[:length]) in places:
            return places[tuple(keys[:length])]
    return None


def _words(
    details: ErrorDetails,
    model: type[BaseModel],
    keys: list[Any],
    raw: Mapping[str, Any],
    place: Place | None,
) -> str:
    key, given = _dotted(keys), details["input"]
    match details["type"]:
        case "missing" | "union_tag_not_found" if meant := _likely_name(tuple(keys[:2]), raw):
            entry = ".".join(map(str, keys[:2]))
            return f"{entry} is new and lacks {_needed(model)}. Did you mean {meant}?"
        case "extra_forbidden":
            return f"{key} is not a known key. {_suggestion(str(keys[-1]), model)}"
        case "missing":
            return f"{key} is missing; it has no default, so give it a value."
        case "union_tag_invalid" | "union_tag_not_found":
            kind = given.get("kind") if isinstance(given, Mapping) else given
            return f"{key}.kind is {kind!r}; it must be one of {', '.join(_kinds(keys))}."
        case "value_error":
            text = details["msg"].removeprefix("Value error, ")
            return f"{key}: {text}." if key else f"{text}."
        case "string_type" if place and place.text and not isinstance(given, list | dict):
            kind = _YAML_NAMES.get(type(given), type(given).__name__)
            return (
                f"{key} is {place.text}, which YAML reads as {kind}; it must be text: write "
                f'"{place.text}" in quotes.'
            )
        case _:
            return f"{key} is {_shown(given)}; {_allowed(details)}."


_YAML_NAMES = {bool: "true or false", int: "a number", float: "a number", type(None): "nothing"}


def _kinds(keys: list[Any]) -> list[str]:
    if "optimizer" in keys:
        return list(RULES)
    return list(TRAINING_KINDS if keys[0] == "training" else KINDS)


def _needed(model: type[BaseModel]) -> str:
    names = [name for name, field in model.model_fields.items() if field.is_required()]
    return " and ".join(names) if model is Experiment else "its kind"


def _owner(location: list[Any]) -> tuple[type[BaseModel], list[Any]]:
    """The model that a location lies in, and the location without the union's tag."""
    if location[:1] == ["datasets"] and len(location) > 2 and location[2] in KINDS:
        return KINDS[location[2]], location[:2] + location[3:]
    if location[:1] == ["training"] and len(location) > 2 and location[2] in TRAINING_KINDS:
        return TRAINING_KINDS[location[2]], location[:2] + location[3:]
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
                "the name of a run has at most 100 letters, digits, underscores and hyphens, and "
                "starts with a letter or digit"
            )
        case "string_pattern_mismatch":
            return (
                "a name has at most 100 letters, digits and underscores, and starts with a letter"
            )
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
