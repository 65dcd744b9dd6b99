"""Tables of a run given as frames, for tests of what studies make of them."""

from dataclasses import replace

import pandas as pd

from stagewise.pipeline.joining import SCHEMAS
from stagewise.studies.common.judging import Judgement, RunTables
from stagewise.studies.common.judging import judge as judge_with_rivals
from stagewise.studies.common.study import Claim, Table


class Given(RunTables):
    """Frames by the kind of table; kinds that are not given are empty."""

    def __init__(self, **frames: pd.DataFrame) -> None:
        super().__init__(None, ())
        self.frames = frames

    def has(self, reads) -> bool:
        return any(not self.frame(table).empty for table in reads)

    def frame(self, table: Table) -> pd.DataFrame:
        if table.kind in self.frames:
            frame = self.frames[table.kind]
        elif table.kind == "assumption":
            columns = {"dataset": "str", "completion": "str", "centred": "bool"}
            frame = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
        else:
            frame = SCHEMAS[table.kind].empty_table().to_pandas()
        if table.kind != "assumption" and "experiment" in frame:
            frame = frame[frame["experiment"].isin(table.experiments + table.optional)]
        if table.datasets is not None and "dataset" in frame:
            frame = frame[frame["dataset"].isin(table.datasets)]
        return frame.reset_index(drop=True)


def judge(claim: Claim, tables: Given) -> Judgement:
    """The verdict on a claim alone; its rivals are judged on the tables of a whole run."""
    return in_its_interval(judge_with_rivals(replace(claim, rivals=[]), tables))


def in_its_interval(judgement: Judgement) -> Judgement:
    """A verdict, after a look whether the value lies where its interval says."""
    if judgement.measured is not None and judgement.interval is not None:
        low, high = judgement.interval
        slack = 1e-9 * max(abs(low), abs(high))
        assert low - slack <= judgement.measured <= high + slack, judgement
    return judgement
