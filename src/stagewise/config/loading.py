"""The configuration of a run outside of Snakemake: config.yaml with an overlay, as a plan."""

from pathlib import Path
from typing import Any

import yaml

from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan
from stagewise.planning.plan import Plan


def read_plan(overlay: Path | None = None, root: Path = Path()) -> Plan:
    """The plan of `config.yaml` in a working directory, with an overlay merged over it."""
    config = read_yaml(root / "config.yaml")
    return make_plan(merged(config, read_yaml(overlay)) if overlay else config)


def read_yaml(path: Path) -> dict[str, Any]:
    """A file of keys and values; StagewiseError when it is missing or something else."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise StagewiseError(f"{path} cannot be read as YAML ({reason}).") from None
    if not isinstance(content, dict):
        raise StagewiseError(f"{path} must hold keys with values, as config.yaml does.")
    return content


def merged(config: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """An overlay over a configuration, as Snakemake does it: sections key by key, lists whole."""
    result = dict(config)
    for key, value in overlay.items():
        below = result.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result
