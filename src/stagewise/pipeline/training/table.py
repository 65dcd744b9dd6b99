"""From a section of the config to rows of the table `training`."""

from typing import Any

from pydantic import TypeAdapter

from stagewise.config.training import (
    MiniBatches,
    Networks,
    RealSamples,
    StagedProblems,
    TrainingExperiment,
    UpdateRules,
)
from stagewise.data.datasets import data_directory
from stagewise.pipeline.training.deep_rules import decay_rows, end_rows, momentum_rows
from stagewise.pipeline.training.diffusion import diffusion_rows
from stagewise.pipeline.training.mini_batches import mini_batch_rows
from stagewise.pipeline.training.networks import network_rows
from stagewise.pipeline.training.real_samples import real_sample_rows
from stagewise.pipeline.training.rules import rule_rows
from stagewise.pipeline.training.staged import staged_rows

Rows = list[dict[str, object]]
Checked = UpdateRules | StagedProblems | MiniBatches | RealSamples | Networks


def training_experiment(section: Any) -> Checked:
    """A section of the config, checked."""
    checked: Checked = TypeAdapter(TrainingExperiment).validate_python(section)
    return checked


def training_rows(
    name: str,
    experiment: Checked,
    data_dir: str | None = None,
) -> Rows:
    """Train everything that a section asks for. data_dir : folder of downloaded data."""
    if isinstance(experiment, UpdateRules):
        parts = (rule_rows, decay_rows, momentum_rows, end_rows)
        return [row for part in parts for row in part(name, experiment)]
    if isinstance(experiment, StagedProblems):
        return staged_rows(name, experiment)
    if isinstance(experiment, MiniBatches):
        return mini_batch_rows(name, experiment) + diffusion_rows(name, experiment)
    if isinstance(experiment, RealSamples):
        return real_sample_rows(name, experiment)
    return network_rows(name, experiment, data_directory(data_dir))
