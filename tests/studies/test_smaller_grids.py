"""A configuration with less in it gives verdicts, or says that there is nothing to measure."""

import numpy as np
import pytest

from stagewise.studies.common.drawing import draw
from stagewise.studies.common.judging import RunTables, judge
from stagewise.studies.common.registry import claims, studies

from .given import in_its_interval

GRID = ("depth", "product_scale", "delta", "relative_step_size", "initialisation", "dataset")

UNDECIDED = {"ours_stable_step", "forecast_upper_bound"}
"""Claims whose runs here are too few to tell them from their rivals."""


class Fewer(RunTables):
    """Tables of a run whose experiments have one value each of some column, or one mode."""

    def __init__(self, tables, column, end):
        super().__init__(tables.results, tables.experiments)
        self.column, self.end = column, end

    def frame(self, table):
        frame = super().frame(table)
        if self.column not in frame or frame.empty or table.kind == "assumption":
            return frame
        values = frame.groupby("experiment")[self.column].transform(self.end)
        return frame[frame[self.column] == values].reset_index(drop=True)


@pytest.fixture(
    params=[("mode", "min"), *((name, end) for name in GRID for end in ("min", "max"))],
    ids=" ".join,
)
def fewer(request, aggregates):
    return Fewer(aggregates, *request.param)


@pytest.mark.filterwarnings("ignore::numpy.exceptions.RankWarning")
def test_claims_are_judged_or_said_not_to_be_run(fewer):
    for claim in claims():
        if fewer.has(claim.reads):
            judged = in_its_interval(judge(claim, fewer))
            assert judged.measured is None or np.isfinite(judged.measured), claim.id


@pytest.mark.filterwarnings("ignore:No artists with labels")
@pytest.mark.parametrize("column", ["delta", "dataset"])
def test_figures_are_drawn_or_say_what_they_need(aggregates, column):
    words = []
    for study in studies():
        if aggregates.has(study.figure_reads):
            figure = draw(study, Fewer(aggregates, column, "max"))
            figure.draw_without_rendering()
            words += [text.get_text() for text in figure.texts if "Not drawn" in text.get_text()]
    assert all("which the run does not have" in each for each in words)
    assert bool(words) == (column == "delta")


def test_a_rival_is_rejected_or_measures_something_else_than_its_claim(aggregates):
    for claim in claims():
        if aggregates.has(claim.reads):
            judged = judge(claim, aggregates)
            for rival in judged.rival:
                changed = rival.measured != judged.measured
                assert rival.rejected or changed or claim.id in UNDECIDED, (claim.id, rival.law)
