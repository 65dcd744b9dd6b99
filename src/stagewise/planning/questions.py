"""What a run has of the studies: which figures it draws, which claims it judges, from what."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from stagewise.studies.common.registry import ClaimOutline, Outline
from stagewise.studies.common.study import Table


@dataclass(frozen=True)
class Questions:
    """The studies as far as a run can answer them.

    outlines : what every study declares, by name, in the order of the page. sections : experiments
    of the run. results : its folder.
    """

    outlines: Mapping[str, Outline]
    sections: Collection[str]
    results: str

    @cached_property
    def claims(self) -> dict[str, ClaimOutline]:
        """Every claim whose experiments the run has, by id."""
        every = (claim for study in self.outlines.values() for claim in study.claims)
        return {claim.id: claim for claim in every if self.has(claim.reads)}

    @cached_property
    def drawn(self) -> list[str]:
        """Studies whose figure the run has the experiments of, in the order of the page."""
        return [
            study.name
            for study in self.outlines.values()
            if study.figure_reads and self.has(study.figure_reads)
        ]

    @cached_property
    def judged(self) -> list[str]:
        """Studies that the run draws the figure or has a claim of."""
        return [
            study.name
            for study in self.outlines.values()
            if study.name in self.drawn or any(each.id in self.claims for each in study.claims)
        ]

    def has(self, reads: Iterable[Table]) -> bool:
        """Whether the run has every experiment that these tables need."""
        return all(set(table.experiments) <= set(self.sections) for table in reads)

    def files(self, reads: Iterable[Table]) -> list[str]:
        """Files of the tables that a figure or a claim reads."""
        return list(
            dict.fromkeys(
                path.as_posix()
                for table in reads
                for path in table.files(Path(self.results), self.sections)
            )
        )

    def study_of(self, name: str) -> str:
        """The study of this name, or that has the claim of this name."""
        found = (
            study.name
            for study in self.outlines.values()
            if name in (study.name, *(claim.id for claim in study.claims))
        )
        return next(found)

    def claims_of(self, name: str) -> list[ClaimOutline]:
        """Claims of a study that the run has the experiments of, or the claim of this name."""
        claims = self.outlines[self.study_of(name)].claims
        return [
            each for each in claims if each.id in self.claims and name in (each.figure, each.id)
        ]

    def judged_from(self, name: str) -> list[Table]:
        """Tables that the verdicts on a study, or on one claim, are made from."""
        return [table for claim in self.claims_of(name) for table in claim.reads]

    def study_reads(self, study: str) -> list[Table]:
        """Tables that the figure and the verdicts of a study are made from."""
        return [*self.outlines[study].figure_reads, *self.judged_from(study)]

    def sections_of(self, reads: Iterable[Table]) -> list[str]:
        """Experiments of the run that these tables name."""
        named = (name for table in reads for name in table.experiments + table.optional)
        return sorted({name for name in named if name in self.sections})

    def statements(self, name: str = "") -> dict[str, str]:
        """Statements by the id of the claim: of a study, of one claim, or of all there are."""
        some = (
            self.claims_of(name)
            if name
            else [claim for study in self.outlines.values() for claim in study.claims]
        )
        return {claim.id: claim.statement for claim in some}

    def words(self, name: str) -> dict[str, str]:
        """What the page says about a study."""
        study = self.outlines[name]
        return {"question": study.question, "title": study.title, "caption": study.caption}
