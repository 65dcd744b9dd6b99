"""What the Snakefile needs to know of a configuration: paths, shards, what depends on what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stagewise.config.models import Config, Experiment, NpzData
from stagewise.config.sentences import parse_config
from stagewise.errors import StagewiseError
from stagewise.figures import FIGURES
from stagewise.planning.digests import script_modules, source_digest
from stagewise.planning.experiments import shard_count

TABLES = ("assumption", "learning_times", "stage_counts", "claims")
SCRIPTS = (
    *("moments", "simulate", "forecasts", "references", "teachers", "statistics", "plateaus"),
    *("train_on_data", "aggregates", "assumption", "learning_times_summary", "stage_counts"),
    *("figure", "claims", "claim", "index"),
)
AGGREGATES = (
    "learning_times",
    "trajectory_summary",
    "forecasts",
    "references",
    "teachers",
    "stages",
    "plateaus",
)
"""Tables that every experiment has a part of, or those do that ask for it."""
MAX_SHARDS = 10_000
"""Jobs that one experiment may make; Snakemake itself takes minutes to plan as many."""
TABLE_FORMATS = ("csv", "md", "tex")
FORECAST_KEYS = (
    *("datasets", "centred", "width", "delta", "product_scale", "step_size", "step_size_unit"),
    *("replicates", "modes"),
)
"""Keys of an experiment that its forecasts read."""


@dataclass(frozen=True)
class Plan:
    """A checked configuration and the files that follow from it."""

    config: Config

    @property
    def results(self) -> str:
        """Folder of results, without a trailing slash."""
        return f"results/{self.config.run}" if self.config.run else "results"

    @property
    def figures(self) -> str:
        """Folder of figures, without a trailing slash."""
        return f"figures/{self.config.run}" if self.config.run else "figures"

    @cached_property
    def digests(self) -> dict[str, str]:
        """Source digest of the script of each rule, and of the module of each figure."""
        scripts = {script: script_modules(script) for script in SCRIPTS}
        figures = {
            f"figure.{name}": [*scripts["figure"], f"stagewise.figures.{name}"] for name in FIGURES
        }
        return {name: source_digest(*modules) for name, modules in (scripts | figures).items()}

    @property
    def plain_config(self) -> dict[str, Any]:
        """The configuration with its defaults, as captions show it: 4 rather than 4.0."""
        plain: dict[str, Any] = _plain(self.config.model_dump())
        return plain

    def simulation(self, experiment: str) -> dict[str, Any]:
        """What the training of an experiment depends on."""
        unread = {
            *("summarise", "forecast", "references", "teacher_theory", "plateaus"),
            "curvature",
        }
        return {
            key: value
            for key, value in self.plain_config["experiments"][experiment].items()
            if key not in unread
        }

    def forecasting(self, experiment: str) -> dict[str, Any]:
        """What its forecasts depend on: not how the runs are dealt into shards or recorded."""
        section = self.plain_config["experiments"][experiment]
        return {key: section[key] for key in FORECAST_KEYS}

    def moments(self, dataset: str) -> str:
        return f"{self.results}/moments/{dataset}.npz"

    def moments_of(self, experiment: str) -> list[str]:
        """Moments that an experiment reads, in the order of its data sets."""
        return [self.moments(name) for name in self.config.experiments[experiment].datasets]

    def data_files(self, dataset: str) -> list[str]:
        """Files that a data set is made from and that the user may edit."""
        spec = self.config.datasets[dataset]
        return [spec.path] if isinstance(spec, NpzData) else []

    def shards(self, experiment: str) -> list[str]:
        """Trajectories of one experiment."""
        count = shard_count(self.config.experiments[experiment])
        folder = f"{self.results}/trajectories/{experiment}"
        return [f"{folder}/{index}.parquet" for index in range(count)]

    def all_shards(self) -> list[str]:
        """Trajectories of every experiment whose trajectories are recorded."""
        return [
            path
            for name, each in self.config.experiments.items()
            if not each.plateaus
            for path in self.shards(name)
        ]

    def intermediate_files(self) -> list[str]:
        """All that is built on the way to figures and tables."""
        names = ("claims.json", "verdicts.txt", "macros.tex", "provenance.json")
        used = dict.fromkeys(
            path for name in self.config.experiments for path in self.moments_of(name)
        )
        return [
            *used,
            *self.all_shards(),
            *(path for name in AGGREGATES for path in self.parts(name)),
            *self.trained(),
            *self.aggregates(AGGREGATES).values(),
            *(self.sidecar(name) for name in self.config.figures),
            *(f"{self.results}/{name}" for name in names),
        ]

    def part(self, aggregate: str, experiment: str) -> str:
        """The table of one kind of one experiment."""
        return f"{self.results}/{aggregate}/{experiment}.parquet"

    def verdict(self, name: str) -> str:
        """The verdict on a claim."""
        return f"{self.results}/verdicts/{name}.json"

    def parts(self, aggregate: str, experiments: Iterable[str] | None = None) -> list[str]:
        """The tables of one kind of some experiments (default: all), of those that have one."""
        sections = self.config.experiments
        return [
            self.part(aggregate, name)
            for name in (sections if experiments is None else experiments)
            if _has(sections[name], aggregate)
        ]

    def trained(self, names: Iterable[str] | None = None) -> list[str]:
        """Tables of the experiments of the section training (default: all of them)."""
        chosen = self.config.training if names is None else names
        return [f"{self.results}/training/{name}.parquet" for name in chosen]

    def assumption_moments(self) -> list[str]:
        """Moments of the data sets in the table assumption."""
        return [self.moments(name) for name in self.config.assumption]

    def aggregates(self, names: tuple[str, ...]) -> dict[str, str]:
        """Paths of aggregates by name."""
        return {
            name: (
                f"{self.results}/tables/assumption.csv"
                if name == "assumption"
                else f"{self.results}/{name}.parquet"
            )
            for name in names
        }

    def shown(self, figure: str) -> list[str]:
        """Experiments that a figure shows."""
        spec = FIGURES[figure]
        return [
            name for name in self.config.experiments if name in spec.experiments + spec.optional
        ]

    def figure_aggregates(self, figure: str) -> dict[str, list[str]]:
        """Tables that a figure reads by the aggregate's name, of the experiments it shows."""
        spec, shown = FIGURES[figure], self.shown(figure)
        return {
            name: (
                self.parts(name, shown)
                if name in AGGREGATES
                else list(self.aggregates((name,)).values())
            )
            for name in spec.aggregates
        }

    def figure_files(self) -> list[str]:
        """Every figure as PDF and PNG."""
        return [
            f"{self.figures}/{name}.{kind}"
            for name in self.config.figures
            for kind in ("pdf", "png")
        ]

    def sidecar(self, figure: str) -> str:
        """What a figure was made from and with, as JSON beside it."""
        return f"{self.figures}/{figure}.json"

    def figure_config(self, figure: str) -> dict[str, Any]:
        """The sections of the configuration that a figure shows."""
        sections = self.plain_config["experiments"]
        shown = {name: sections[name] for name in self.shown(figure)}
        used = sorted({each for section in shown.values() for each in section["datasets"]})
        return {
            "experiments": shown,
            "datasets": {name: self.plain_config["datasets"][name] for name in used},
        }

    def table_formats(self, table: str) -> list[str]:
        """One table in every format."""
        return [f"{self.results}/tables/{table}.{kind}" for kind in TABLE_FORMATS]

    def table_files(self) -> list[str]:
        """Every table in every format."""
        return [path for table in TABLES for path in self.table_formats(table)]


def make_plan(raw: Mapping[str, Any]) -> Plan:
    """Check a configuration as Snakemake has merged it; StagewiseError in sentences if unusable."""
    config = parse_config(raw)
    for name in config.figures:
        if name not in FIGURES:
            raise StagewiseError(
                f"The configuration cannot be used.\n- figures names {name!r}, which does not "
                f"exist; there are {', '.join(FIGURES)}."
            )
        missing = [each for each in FIGURES[name].experiments if each not in config.experiments]
        if missing:
            raise StagewiseError(
                f"The configuration cannot be used.\n- The figure {name} shows the experiment "
                f"{missing[0]}, which the section experiments does not have; add it, or take the "
                "figure off the list figures."
            )
    for name, spec in config.datasets.items():
        if isinstance(spec, NpzData) and not _is_file(spec.path):
            raise StagewiseError(
                f"The configuration cannot be used.\n- datasets.{name}.path is {spec.path!r}, "
                "which is not a file; relative paths start at the working directory."
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


def _has(experiment: Experiment, aggregate: str) -> bool:
    """Whether an experiment has a part of an aggregate."""
    asked_for = {
        "forecasts": experiment.forecast,
        "references": experiment.references,
        "teachers": experiment.teacher_theory,
        "plateaus": experiment.plateaus,
    }
    return asked_for.get(aggregate, not experiment.plateaus)


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # a name too long, or a folder that may not be entered
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
