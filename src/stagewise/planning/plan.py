"""What the Snakefile needs to know of a configuration: paths, shards, what depends on what."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stagewise.config.models import Config, Experiment
from stagewise.planning.digests import script_modules, source_digest
from stagewise.planning.experiments import shard_count
from stagewise.studies.common.registry import ClaimOutline, Outline, outlines
from stagewise.studies.common.study import Table, files_of

TABLES = ("assumption", "learning_times", "stage_counts", "claims")
SCRIPTS = (
    *("moments", "simulate", "forecasts", "references", "teachers", "statistics", "plateaus"),
    *("train_on_data", "aggregates", "assumption", "learning_times_summary", "stage_counts"),
    *("study", "verdict", "claims", "index"),
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
KEPT = Path(".snakemake", "stagewise")
"""Where what planning knows of sources is kept between starts."""
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
        studies = {
            f"study.{name}": [*scripts["study"], f"stagewise.studies.{name}"]
            for name in self.outlines
        }
        return {name: source_digest(*modules) for name, modules in (scripts | studies).items()}

    @cached_property
    def outlines(self) -> dict[str, Outline]:
        """What each study declares, in the order of the page."""
        return outlines(KEPT)

    @property
    def sections(self) -> list[str]:
        """Names of the experiments of this run, those of the section training among them."""
        return [*self.config.experiments, *self.config.training]

    @cached_property
    def studies(self) -> dict[str, Outline]:
        """The studies whose figures this run has the experiments for, or those it asks for."""
        chosen = self.config.figures
        return {
            name: each
            for name, each in self.outlines.items()
            if self._has(each.figure_reads) and (chosen is None or name in chosen)
        }

    @cached_property
    def claims(self) -> dict[str, ClaimOutline]:
        """The claims by id that this run has the experiments for."""
        every = (claim for each in self.outlines.values() for claim in each.claims)
        return {claim.id: claim for claim in every if self._has(claim.reads)}

    @property
    def targets(self) -> dict[str, list[str]]:
        """Files by the name that asks for them: a claim's id, or the name of a figure."""
        figures = {
            name: [f"{self.figures}/{name}.{kind}" for kind in ("pdf", "png")]
            for name in self.studies
        }
        return figures | {name: [self.verdict(name)] for name in self.claims}

    def study_of(self, claim: str) -> str:
        """The study that a claim belongs to."""
        return next(
            name for name, each in self.outlines.items() if claim in (own.id for own in each.claims)
        )

    def _has(self, reads: tuple[Table, ...]) -> bool:
        return all(set(table.experiments) <= set(self.sections) for table in reads)

    def table_paths(self, reads: Iterable[Table]) -> list[str]:
        """Files that hold the rows of these tables, each once."""
        below = (name for table in reads for name in files_of(table, self.sections))
        return list(dict.fromkeys(f"{self.results}/{name}" for name in below))

    def study_files(self, name: str) -> list[str]:
        """Files that a study's figure and claims are made from."""
        each = self.studies[name]
        reads = [*each.figure_reads]
        reads += [table for claim in each.claims if self._has(claim.reads) for table in claim.reads]
        return self.table_paths(reads)

    def study_verdicts(self, name: str) -> str:
        """The verdicts on the claims of a study."""
        return f"{self.results}/verdicts/studies/{name}.json"

    @property
    def plain_config(self) -> dict[str, Any]:
        """The configuration with its defaults, as captions show it: 4 rather than 4.0."""
        plain: dict[str, Any] = _plain(self.config.model_dump())
        return plain

    def simulation(self, experiment: str) -> dict[str, Any]:
        """What the training of an experiment depends on."""
        unread = {
            *("summarise", "forecast", "references", "teacher_theory", "stages", "plateaus"),
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
        return self.config.datasets[dataset].files()

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
            *(self.sidecar(name) for name in self.studies),
            *(self.study_verdicts(name) for name in self.studies),
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

    def figure_files(self) -> list[str]:
        """Every figure as PDF and PNG."""
        return [f"{self.figures}/{name}.{kind}" for name in self.studies for kind in ("pdf", "png")]

    def sidecar(self, figure: str) -> str:
        """What a figure was made from and with, as JSON beside it."""
        return f"{self.figures}/{figure}.json"

    def study_config(self, name: str) -> dict[str, Any]:
        """The sections of the configuration that a study shows."""
        plain = self.plain_config
        shown = {Path(path).stem for path in self.study_files(name)}
        experiments, training = (
            {each: plain[part][each] for each in plain[part] if each in shown}
            for part in ("experiments", "training")
        )
        used = sorted({each for section in experiments.values() for each in section["datasets"]})
        datasets = {each: plain["datasets"][each] for each in used}
        return {"experiments": experiments, "training": training, "datasets": datasets}

    def caption(self, name: str) -> str:
        """The caption of a study's figure, with the parameters of this run."""
        import jinja2  # half of the starts need no caption

        environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        template = environment.from_string(self.outlines[name].caption)
        plain = self.plain_config
        shown = plain["experiments"] | plain["training"]
        return template.render(experiments=shown, datasets=plain["datasets"]).strip()

    def table_formats(self, table: str) -> list[str]:
        """One table in every format."""
        return [f"{self.results}/tables/{table}.{kind}" for kind in TABLE_FORMATS]

    def table_files(self) -> list[str]:
        """Every table in every format."""
        return [path for table in TABLES for path in self.table_formats(table)]


def _has(experiment: Experiment, aggregate: str) -> bool:
    """Whether an experiment has a part of an aggregate."""
    asked_for = {
        "forecasts": experiment.forecast,
        "references": experiment.references,
        "teachers": experiment.teacher_theory,
        "plateaus": experiment.plateaus,
    }
    return asked_for.get(aggregate, not experiment.plateaus)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
