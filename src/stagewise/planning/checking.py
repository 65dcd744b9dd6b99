"""From a raw configuration to a plan, or to sentences on what cannot be planned."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stagewise.config.files import Places
from stagewise.config.models import Experiment
from stagewise.config.sentences import parse_config
from stagewise.errors import StagewiseError
from stagewise.planning.experiments import shard_count
from stagewise.planning.plan import AGGREGATES, Plan
from stagewise.studies.common.study import Table

_WILDCARD = re.compile(r"\{\s*\w+\s*(,[^{}]*)?\}")
MAX_SHARDS = 10_000
"""Jobs that one experiment may make; Snakemake itself takes minutes to plan as many."""


def make_plan(raw: Mapping[str, Any], places: Places | None = None) -> Plan:
    """Check a configuration as Snakemake has merged it; StagewiseError in sentences if unusable.

    places : where its values stand in files, for these sentences.
    """
    plan = chosen(measuring_what_is_read(Plan(parse_config(raw, places))))
    for check in (_files, _shards, _name, _something_to_do):
        mistakes = [f"- {sentence}" for sentence in check(plan)]
        if mistakes:
            raise StagewiseError("\n".join(["The configuration cannot be used.", *mistakes]))
    return plan


def measuring_what_is_read(plan: Plan) -> Plan:
    """The plan in which every experiment records what studies read of it, beside what it lists.

    Every study counts, chosen or not: what is chosen must not change what a run records.
    """
    read: dict[str, list[Table]] = {}
    for table in (table for study in plan.outlines.values() for table in study.reads):
        for name in table.experiments + table.optional:
            read.setdefault(name, []).append(table)
    experiments = {
        name: _recording(each, read[name]) if name in read else each
        for name, each in plan.config.experiments.items()
    }
    return Plan(plan.config.model_copy(update={"experiments": experiments}))


def _recording(experiment: Experiment, tables: Iterable[Table]) -> Experiment:
    kinds = {table.kind for table in tables}
    observables = {name for table in tables for name in table.observables}
    return experiment.model_copy(
        update={
            "observables": sorted(observables.union(experiment.observables or [])),
            "summarise": experiment.summarise or "trajectory_summary" in kinds,
            "stages": experiment.stages or "stages" in kinds,
        }
    )


def chosen(plan: Plan) -> Plan:
    """The plan of what `only` names: experiments, and studies with all that they read."""
    config, wanted = plan.config, set[str]()
    for name in config.only:
        if name not in plan.sections and name not in plan.outlines:
            known = sorted({*plan.sections, *plan.outlines})
            close = difflib.get_close_matches(name, known, n=1)
            meant = f" Did you mean {close[0]}?" if close else ""
            raise StagewiseError(
                f"The configuration cannot be used.\n- only names {name!r}, which is neither an "
                f"experiment nor a study.{meant} There are {', '.join(known)}."
            )
        wanted.add(name)
        if name in plan.outlines:
            reads = plan.outlines[name].reads
            wanted |= {each for table in reads for each in table.experiments + table.optional}
    if not config.only:
        return plan
    kept = {
        section: {name: each for name, each in getattr(config, section).items() if name in wanted}
        for section in ("experiments", "training")
    }
    return Plan(config.model_copy(update=kept))


def _files(plan: Plan) -> Iterator[str]:
    for name, spec in plan.config.datasets.items():
        for path in spec.files():
            if not _is_file(path):
                yield (
                    f"datasets.{name} reads {path!r}, which is not a file; relative paths start at "
                    "the working directory."
                )
            elif wildcard := _WILDCARD.search(path):
                yield (
                    f"datasets.{name} reads {path!r}, but Snakemake takes {wildcard[0]} in it for a "
                    "wildcard. Give the file or folder a name without braces."
                )


def _shards(plan: Plan) -> Iterator[str]:
    for name, experiment in plan.config.experiments.items():
        shards = shard_count(experiment)
        if shards > MAX_SHARDS:
            yield (
                f"experiments.{name} makes {shards} shards, and each is a job; at most "
                f"{MAX_SHARDS} are allowed. Raise its runs_per_shard or shorten its grid."
            )


def _name(plan: Plan) -> Iterator[str]:
    """A run has folders of its own: its name is no folder or file that the default run makes.

    The files of a run are asked of its plan, so that no list of names needs to be kept.
    """
    default = Plan(plan.config.model_copy(update={"run": ""}))
    made = [*default.table_files(), *default.intermediate_files(), default.verdict("any")]
    made += [default.part(kind, "any") for kind in (*AGGREGATES, "training")]
    below = [Path(path).relative_to("results") for path in made if path.startswith("results/")]
    # A folder results/claims would pass for the parts of results/claims.json, as tables have them.
    if plan.config.run.lower() in {path.parts[0].partition(".")[0] for path in below}:
        yield (
            f"run is {plan.config.run!r}, but the default run keeps files of its own under "
            f"results/{plan.config.run.lower()}; choose another name."
        )


def _something_to_do(plan: Plan) -> Iterator[str]:
    if not plan.sections:
        yield "There is no experiment; the sections experiments and training are both empty."


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # a name too long, or a folder that may not be entered
        return False
