"""The configuration of a run outside of Snakemake: config.yaml with overlays, as a plan."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stagewise.config.files import Places, read_file
from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan
from stagewise.planning.plan import Plan


def read_plan(
    overlays: Sequence[Path] = (), root: Path = Path(), settings: Sequence[str] = ()
) -> Plan:
    """The plan of `config.yaml` in a working directory, as Snakemake would make it.

    overlays : files behind --configfile, a later one over an earlier one. settings : KEY=VALUE, as
    behind --config, over them all.
    """
    base = root / "config.yaml"
    config, places = read_file(base)
    if not config:
        raise StagewiseError(f"{base} must hold keys with values; it holds none.")
    above: dict[str, Any] = {}
    for path in overlays:
        content, found = read_file(path)
        above, places = merged(above, content), places | found
    return make_plan(merged(config, merged(above, _parsed(settings))), places)


def places_in(files: Iterable[Path]) -> Places:
    """Where values stand in files that Snakemake has merged in this order.

    Raises StagewiseError where a file says what cannot be meant; see `config.files`.
    """
    places: Places = {}
    for path in files:
        places |= read_file(path)[1]
    return places


def merged(config: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """An overlay over a configuration, as Snakemake does it: sections key by key, lists whole."""
    result = copy.deepcopy(dict(config))
    for key, value in overlay.items():
        if isinstance(value, Mapping):
            below = result.get(key, {})
            if isinstance(below, Mapping) or value:
                result[key] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _parsed(settings: Sequence[str]) -> dict[str, Any]:
    if not settings:
        return {}
    from snakemake.cli import parse_config  # a second to import

    try:
        return dict(parse_config(list(settings)))
    except ValueError as error:
        raise StagewiseError(f"--config {' '.join(settings)!r} cannot be used: {error}") from None
