"""A run on the published data sets that can be had, as an overlay that says so."""

from collections.abc import Mapping, Set
from typing import Any

from stagewise.data.datasets import data_directory
from stagewise.errors import StagewiseError
from stagewise.planning.plan import Plan


def fetch(plan: Plan) -> dict[str, str]:
    """Fetch what a run reads and does not find; why not, by name, for each data set not to be had."""
    config, missing = plan.config, dict[str, str]()
    read = {*config.assumption, *(n for each in config.experiments.values() for n in each.datasets)}
    for name in sorted(read):
        try:
            config.datasets[name].look(data_directory(config.data_dir), download=True)
        except StagewiseError as error:
            missing[name] = str(error)
    return missing


def without(plan: Plan, missing: Set[str]) -> Mapping[str, Any]:
    """The overlay that leaves data sets out; StagewiseError where nothing would be left."""

    def kept(names: list[str]) -> list[str]:
        return [name for name in names if name not in missing]

    config = plan.config
    shorter = {
        name: {"datasets": kept(each.datasets)}
        for name, each in config.experiments.items()
        if missing & set(each.datasets)
    }
    for name, section in shorter.items():
        if not section["datasets"]:
            raise StagewiseError(f"No data set of experiments.{name} can be had; see above.")
    return {"assumption": kept(config.assumption), "experiments": shorter}
