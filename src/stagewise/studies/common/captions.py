"""Captions with the numbers of the run."""

from collections.abc import Mapping
from typing import Any

import jinja2


def caption(template: str, config: Mapping[str, Any]) -> str:
    """A study's caption with the configuration filled in; see `Study`."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    experiments = {**config["training"], **config["experiments"]}
    filled = environment.from_string(template)
    return filled.render(experiments=experiments, datasets=config["datasets"]).strip()
