"""Captions of figures, with the parameters of the run that drew them."""

from collections.abc import Mapping
from typing import Any


def rendered(caption: str, config: Mapping[str, Any]) -> str:
    """A study's caption; config : the configuration with its defaults, see `Plan.plain_config`."""
    import jinja2  # most starts need no caption

    template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(caption)
    shown = config["experiments"] | config["training"]
    return template.render(experiments=shown, datasets=config["datasets"]).strip()
