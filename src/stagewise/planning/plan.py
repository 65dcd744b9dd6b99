"""What the Snakefile needs to know of a configuration: paths, shards, what depends on what."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from stagewise.config.models import Experiment
from stagewise.planning.digests import constant, modules_in, script_modules, source_digest
from stagewise.planning.experiments import shard_count
from stagewise.planning.studies import StudyPlan

FROM_RUNS = ("learning_times", "trajectory_summary", "stages")
"""Tables with a part from the runs of every experiment whose trajectories are recorded."""
FROM_MOMENTS = {
    "forecasts": "forecast",
    "references": "references",
    "teachers": "teacher_theory",
    "plateaus": "plateaus",
}
"""Tables with a part from the moments alone, by the key that asks for it in an experiment."""
AGGREGATES = (*FROM_RUNS, *FROM_MOMENTS)
"""Tables that are joined over all experiments."""
TABLE_FORMATS = ("csv", "md", "tex")
UNREAD = {
    "simulate": {
        *("summarise", "forecast", "references", "teacher_theory", "plateaus"),
        "curvature",
    },
    "forecasts": set(Experiment.model_fields)
    - {
        *("datasets", "centred", "width", "delta", "product_scale", "step_size"),
        *("step_size_unit", "replicates", "modes"),
    },
}
"""Keys of an experiment that a stage does not read; a change of theirs does not rerun it."""


@dataclass(frozen=True)
class Plan(StudyPlan):
    """A checked configuration and the files that follow from it."""

    @property
    def logs(self) -> str:
        """Folder of logs and of what jobs cost."""
        return f"logs/{self.results}"

    def section(self, experiment: str, stage: str = "") -> dict[str, Any]:
        """What a stage depends on of an experiment's section."""
        unread = UNREAD.get(stage, set())
        section = self.plain_config["experiments"][experiment]
        return {key: value for key, value in section.items() if key not in unread}

    def source(self, script: str, *modules: str, experiment: str = "", dataset: str = "") -> str:
        """Digest of a script and of modules that it finds by name.

        experiment, dataset : where a folder is listed, the update rules, starts and kinds of data
        that these name count, and no others.
        """
        found = set()
        if dataset:
            found = {type(self.config.datasets[dataset]).__module__}
        if experiment:
            section = self.config.experiments[experiment]
            found = {type(rule).__module__ for rule in section.optimizer}
            found |= {
                f"stagewise.dynamics.initialisations.{name}" for name in section.initialisation
            }
        return _source(script, modules, frozenset(found))

    def training_source(self, name: str) -> str:
        """Digest of what trains a section of `training`: its kind's module, the rules it names."""
        section = self.config.training[name]
        found = {type(each.optimizer).__module__ for each in getattr(section, "rules", ())}
        module = f"stagewise.pipeline.training.{section.kind}"
        return _source("train_on_data", (module,), frozenset(found))

    def moments(self, dataset: str) -> str:
        """Second moments of a data set."""
        return f"{self.results}/moments/{dataset}.npz"

    def moments_of(self, experiment: str) -> list[str]:
        """Moments that an experiment reads, in the order of its data sets."""
        return [self.moments(name) for name in self.config.experiments[experiment].datasets]

    def data_files(self, dataset: str) -> list[str]:
        """Files that a data set is made from and that the user may edit."""
        return self.config.datasets[dataset].files()

    def shards(self, experiment: str) -> list[str]:
        """Trajectories of one experiment."""
        count = shard_count(self.config.experiments[experiment])
        folder = f"{self.results}/trajectories/{experiment}"
        return [f"{folder}/{index}.parquet" for index in range(count)]

    def part(self, kind: str, experiment: str) -> str:
        """The table of one kind of one experiment."""
        return f"{self.results}/{kind}/{experiment}.parquet"

    def parts(self, kind: str) -> list[str]:
        """The tables of one kind, of the experiments that have one."""
        if kind == "training":
            return [self.part(kind, name) for name in self.config.training]
        return [
            self.part(kind, name)
            for name, experiment in self.config.experiments.items()
            if _has(experiment, kind)
        ]

    def forecasts_of(self, experiment: str) -> list[str]:
        """The forecasts that are put beside the learning times of an experiment, if there are any."""
        asked_for = self.config.experiments[experiment].forecast
        return [self.part("forecasts", experiment)] if asked_for else []

    def joined(self) -> dict[str, str]:
        """Tables of all experiments, by kind."""
        return {kind: f"{self.results}/{kind}.parquet" for kind in AGGREGATES}

    def table_formats(self, table: str) -> list[str]:
        """One table in every format."""
        return [f"{self.results}/tables/{table}.{kind}" for kind in TABLE_FORMATS]

    def table_files(self) -> list[str]:
        """Every table in every format."""
        return [path for table in tables() for path in self.table_formats(table)]

    def table_inputs(self, table: str) -> list[str]:
        """What a table is made from, which its module says."""
        match constant(f"stagewise.tables.{table}", "READS"):
            case "moments":
                return [self.moments(name) for name in self.config.assumption]
            case "claims":
                return [f"{self.results}/claims.json"]
            case str(kind) if kind in AGGREGATES:
                return [self.joined()[kind]]
        raise ValueError(f"READS of the table {table} is moments, claims or one of {AGGREGATES}")

    def intermediate_files(self) -> list[str]:
        """All that is built on the way to figures and tables."""
        names = ("claims.json", "verdicts.txt", "macros.tex", "provenance.json")
        recorded = [name for name, each in self.config.experiments.items() if not each.plateaus]
        return [
            *dict.fromkeys(
                path for name in self.config.experiments for path in self.moments_of(name)
            ),
            *(path for name in recorded for path in self.shards(name)),
            *(path for kind in (*AGGREGATES, "training") for path in self.parts(kind)),
            *self.joined().values(),
            *(self.sidecar(name) for name in self.studies),
            *(self.verdict(name) for name in self.judged),
            *(f"{self.results}/{name}" for name in names),
        ]

    def everything(self) -> list[str]:
        """All files of the run, so that one which was deleted is made again even if nothing reads it."""
        page = f"{self.figures}/index.html"
        return [page, *self.figure_files(), *self.table_files(), *self.intermediate_files()]

    def targets(self) -> dict[str, list[str]]:
        """Files by the name that one may ask for them: groups, studies and claims."""
        groups = {
            "figures": self.figure_files(),
            "tables": self.table_files(),
            # With the verdicts it gathers: one that is gone is judged again.
            "claims": [f"{self.results}/claims.json", *map(self.verdict, self.judged)],
        }
        figures = {name: [f"{self.figures}/{name}.pdf"] for name in self.studies}
        return groups | figures | {name: [self.verdict(name)] for name in self.claims}

    def wildcards(self) -> dict[str, str]:
        """What wildcards stand for, as regular expressions."""
        others = [
            *self.claims,
            *(name for name in self.judged if name not in self.studies),
        ]
        names = {
            "dataset": self.config.datasets,
            "experiment": self.sections,
            "kind": FROM_MOMENTS,
            "table": tables(),
            "study": self.studies,
            "name": others,
        }
        # A pattern that nothing matches where there is no name.
        patterns = {key: "|".join(each) or r"[^\s\S]" for key, each in names.items()}
        return patterns | {"shard": r"\d+"}


def tables() -> list[str]:
    """Names of the tables: the modules of the folder `tables`."""
    return [module.rpartition(".")[2] for module in modules_in("stagewise.tables")]


@cache
def _source(script: str, modules: tuple[str, ...], found: frozenset[str]) -> str:
    return source_digest(*script_modules(script), *modules, found=found)


def _has(experiment: Experiment, kind: str) -> bool:
    """Whether an experiment has a part of a table."""
    if kind in FROM_MOMENTS:
        return bool(getattr(experiment, FROM_MOMENTS[kind]))
    return not experiment.plateaus
