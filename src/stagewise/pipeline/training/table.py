"""From a section of the config to rows of the table `training`."""

from importlib import import_module
from typing import Any

from pydantic import TypeAdapter

from stagewise.config.training import TrainingExperiment

Rows = list[dict[str, object]]


def training_experiment(section: Any) -> TrainingExperiment:
    """A section of the config, checked."""
    checked: TrainingExperiment = TypeAdapter(TrainingExperiment).validate_python(section)
    return checked


def training_rows(name: str, experiment: TrainingExperiment, data_dir: str | None = None) -> Rows:
    """Train everything that a section asks for, by the module here that its kind names.

    data_dir : folder of downloaded data; None: the usual one.
    """
    module = import_module(f"stagewise.pipeline.training.{experiment.kind}")
    rows: Rows = module.training_rows(name, experiment, data_dir)
    return rows
