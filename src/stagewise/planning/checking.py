"""From a configuration to a plan, or to a sentence about what is wrong with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagewise.config.models import Config
from stagewise.config.sentences import parse_config
from stagewise.errors import StagewiseError
from stagewise.planning.experiments import shard_count
from stagewise.planning.plan import AGGREGATES, Plan

MAX_SHARDS = 10_000
"""Jobs that one experiment may make; Snakemake itself takes minutes to plan as many."""


def make_plan(raw: Mapping[str, Any]) -> Plan:
    """Check a configuration as Snakemake has merged it; StagewiseError in sentences if unusable."""
    config = parse_config(raw)
    _check_figures(config)
    for name, spec in config.datasets.items():
        for path in spec.files():
            if not _is_file(path):
                raise StagewiseError(
                    f"The configuration cannot be used.\n- datasets.{name} reads {path!r}, which "
                    "is not a file; relative paths start at the working directory."
                )
    for name, experiment in config.experiments.items():
        shards = shard_count(experiment)
        if shards > MAX_SHARDS:
            raise StagewiseError(
                f"The configuration cannot be used.\n- experiments.{name} makes {shards} shards, "
                f"and each is a job; at most {MAX_SHARDS} are allowed. Raise its runs_per_shard or "
                "shorten its grid."
            )
    _refuse_a_name_in_use(config)
    return Plan(config)


def _check_figures(config: Config) -> None:
    """Refuse figures that do not exist, or whose experiments the configuration lacks."""
    plan = Plan(config)
    for name in config.figures or ():
        if name not in plan.outlines:
            raise StagewiseError(
                f"The configuration cannot be used.\n- figures names {name!r}, which does not "
                f"exist; there are {', '.join(plan.outlines)}."
            )
        needed = (each for table in plan.outlines[name].figure_reads for each in table.experiments)
        missing = [each for each in needed if each not in plan.sections]
        if missing:
            raise StagewiseError(
                f"The configuration cannot be used.\n- The figure {name} shows the experiment "
                f"{missing[0]}, which this run does not have; add it, or take the figure off the "
                "list figures."
            )


def _refuse_a_name_in_use(config: Config) -> None:
    """A run has folders of its own: its name is no folder or file that the default run makes.

    The files of a run are asked of its plan, so that no list of names needs to be kept.
    """
    plan = Plan(config.model_copy(update={"run": ""}))
    made = [*plan.figure_files(), *plan.table_files(), *plan.intermediate_files()]
    made += [plan.verdict("any"), *(plan.part(kind, "any") for kind in AGGREGATES)]
    below = [Path(path).relative_to(plan.results) for path in made if path.startswith("results/")]
    # A folder results/claims would pass for the parts of results/claims.json, as tables have them.
    names = {path.parts[0].partition(".")[0] for path in below}
    if config.run.lower() in names:
        raise StagewiseError(
            f"The configuration cannot be used.\n- run is {config.run!r}, but the default run keeps "
            f"files of its own under results/{config.run.lower()}; choose another name."
        )


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # a name too long, or a folder that may not be entered
        return False
