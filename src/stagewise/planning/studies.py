"""The studies in a run: which figures it draws, which claims it judges, and from what."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from stagewise.config.models import Config
from stagewise.studies.common.captions import rendered
from stagewise.studies.common.registry import ClaimOutline, Outline, outlines
from stagewise.studies.common.study import Table, files_of

KEPT = Path(".snakemake", "stagewise")
"""Where what planning knows of sources is kept between starts."""


@dataclass(frozen=True)
class StudyPlan:
    """A checked configuration, and the files of figures and verdicts that follow from it."""

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
    def outlines(self) -> dict[str, Outline]:
        """What each study declares, in the order of the page."""
        return outlines(KEPT)

    @cached_property
    def sections(self) -> list[str]:
        """Names of the experiments of this run, those of the section training among them."""
        return [*self.config.experiments, *self.config.training]

    @cached_property
    def studies(self) -> dict[str, Outline]:
        """The studies whose figures this run has the experiments for."""
        every = self.outlines.items()
        return {name: each for name, each in every if self._has(each.figure_reads)}

    @cached_property
    def claims(self) -> dict[str, ClaimOutline]:
        """The claims by id that this run has the experiments for."""
        every = (claim for each in self.outlines.values() for claim in each.claims)
        return {claim.id: claim for claim in every if self._has(claim.reads)}

    @cached_property
    def judged(self) -> list[str]:
        """The studies whose figure this run draws, or that have a claim which it judges."""
        return [
            name
            for name, each in self.outlines.items()
            if name in self.studies or any(claim.id in self.claims for claim in each.claims)
        ]

    def _has(self, reads: Iterable[Table]) -> bool:
        return all(set(table.experiments) <= set(self.sections) for table in reads)

    def study_of(self, name: str) -> str:
        """The study that has the claim of this name; a study itself."""
        claims = {claim.id: study for study, each in self.outlines.items() for claim in each.claims}
        return claims.get(name, name)

    def statements(self, name: str = "") -> dict[str, str]:
        """Statements by the claim's id: of one claim, of a study's that are judged, or of all."""
        if not name:
            every = (claim for each in self.outlines.values() for claim in each.claims)
            return {claim.id: claim.statement for claim in every}
        return {claim.id: claim.statement for claim in self._judged(name)}

    def _judged(self, name: str) -> list[ClaimOutline]:
        if name in self.claims:
            return [self.claims[name]]
        return [claim for claim in self.outlines[name].claims if claim.id in self.claims]

    def table_paths(self, reads: Iterable[Table]) -> list[str]:
        """Files that hold the rows of these tables, each once."""
        below = (name for table in reads for name in files_of(table, self.sections))
        return list(dict.fromkeys(f"{self.results}/{name}" for name in below))

    def verdict_reads(self, name: str) -> list[Table]:
        """Tables that the verdicts on a study, or on one claim, are made from."""
        return [table for claim in self._judged(name) for table in claim.reads]

    def study_reads(self, name: str) -> list[Table]:
        """Tables that a study's figure and verdicts are made from."""
        return [*self.outlines[name].figure_reads, *self.verdict_reads(name)]

    def experiments_of(self, reads: Iterable[Table]) -> list[str]:
        """Experiments of this run whose rows are in these tables."""
        named = {name for table in reads for name in table.experiments + table.optional}
        return [name for name in self.sections if name in named]

    def study_files(self, name: str) -> list[str]:
        """Files that a study's figure and verdicts are made from."""
        return self.table_paths(self.study_reads(name))

    def verdict(self, name: str) -> str:
        """The verdicts on the claims of a study, or on one claim."""
        return f"{self.results}/verdicts/{name}.json"

    def figure_files(self) -> list[str]:
        """Every figure as PDF and PNG."""
        return [f"{self.figures}/{name}.{kind}" for name in self.studies for kind in ("pdf", "png")]

    def sidecar(self, figure: str) -> str:
        """What a figure was made from and with, as JSON beside it."""
        return f"{self.figures}/{figure}.json"

    @cached_property
    def plain_config(self) -> dict[str, Any]:
        """The configuration with its defaults, as captions show it: 4 rather than 4.0."""
        plain: dict[str, Any] = _plain(self.config.model_dump())
        return plain

    def study_config(self, name: str) -> dict[str, Any]:
        """The sections of the configuration that a study shows."""
        plain, shown = self.plain_config, self.experiments_of(self.study_reads(name))
        experiments, training = (
            {each: plain[part][each] for each in plain[part] if each in shown}
            for part in ("experiments", "training")
        )
        used = sorted({each for section in experiments.values() for each in section["datasets"]})
        datasets = {each: plain["datasets"][each] for each in used}
        return {"experiments": experiments, "training": training, "datasets": datasets}

    def caption(self, name: str) -> str:
        """The caption of a study's figure, with the parameters of this run."""
        return rendered(self.outlines[name].caption, self.plain_config)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
