import math

import pandas as pd
import pyarrow as pa
import pytest

from stagewise.pipeline.joining import SCHEMAS
from stagewise.store.parquet import write_table
from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.judging import MISSING, RunTables, judge
from stagewise.studies.common.measures import share_confidence
from stagewise.studies.common.study import (
    Interval,
    Measurement,
    Study,
    Table,
    assumption,
    learning_times,
    trajectory_summary,
)


class Given(RunTables):
    """Tables given by kind, without files."""

    def __init__(self, frames, experiments=("one",)):
        super().__init__(None, experiments)
        self.frames = frames

    def frame(self, table: Table) -> pd.DataFrame:
        return self.frames[table.kind].copy()


TIMES = learning_times("one")


def claim_of(measure, reads=TIMES):
    study = Study("somewhere.doubling", question="?", title="!", caption="", alt="")
    declare = study.claim(
        "a_claim", source="ours", statement="It is small.", reads=reads, holds=at_most(1)
    )
    return declare(measure)


def measured(value, **more):
    return lambda times: Measurement(
        value, Interval(value, value, "range", "runs"), "A note.", **more
    )


TABLES = Given({"learning_times": pd.DataFrame({"value": [0.5, 0.75]})})


@pytest.mark.parametrize(
    ("measure", "verdict"),
    [
        (measured(0.5), "supported"),
        (measured(2.0), "refuted"),
        (measured(2.0, in_scope=0.5, scope="at small steps"), "qualified"),
        (measured(2.0, in_scope=1.5, scope="at small steps"), "refuted"),
        (measured(0.5, in_scope=1.5, scope="at small steps"), "supported"),
        (measured(math.nan), "refuted"),
        (lambda times: None, "not run"),
    ],
)
def test_a_value_means_a_verdict(measure, verdict):
    assert judge(claim_of(measure), TABLES).verdict == verdict


def test_a_claim_whose_experiments_the_run_lacks_is_not_measured():
    def fail(times):
        raise AssertionError("measured")

    judgement = judge(claim_of(fail, learning_times("one", "two")), TABLES)
    assert (judgement.verdict, judgement.note, judgement.measured) == ("not run", MISSING, None)


def test_a_note_ends_with_what_its_interval_is():
    assert judge(claim_of(measured(0.5)), TABLES).note == (
        "A note. The interval is the range over runs."
    )
    share = share_confidence(3, 4)
    judged = judge(claim_of(lambda times: Measurement(0.75, share, "A note.")), TABLES)
    assert judged.note.endswith(
        "The interval is a 95 % confidence interval (Wilson's, for a share of 4)."
    )


def test_what_could_not_be_measured_has_no_number():
    judgement = judge(claim_of(measured(math.nan)), TABLES)
    assert (judgement.measured, judgement.interval) == (None, None)
    assert judgement.note == "It could not be measured. A note."


def largest(times):
    value = float(times["value"].max())
    return Measurement(
        value, Interval(float(times["value"].min()), value, "range", "runs"), "A note."
    )


def test_rivals_are_measured_like_the_claim_and_rejected_where_it_falls():
    claim = claim_of(largest)
    claim.rival("twice as large")(lambda times: times * 2)
    claim.rival("half as large")(lambda times: times / 2)
    twice, half = judge(claim, TABLES).rival
    assert (twice.measured, twice.rejected) == (1.5, True)
    assert (half.measured, half.rejected) == (0.375, False)


def test_a_rival_that_passes_in_the_scope_of_the_claim_is_not_rejected():
    def scoped(times):
        value = float(times["value"].max())
        found = Interval(value, value, "range", "rows")
        return Measurement(10 * value, found, "A note.", in_scope=value, scope="at small steps")

    claim = claim_of(scoped)
    claim.rival("as large")(lambda times: times)
    claim.rival("twice as large")(lambda times: times * 2)
    same, twice = judge(claim, TABLES).rival
    assert (same.measured, same.rejected) == (7.5, False)
    assert (twice.measured, twice.rejected) == (15.0, True)


def test_a_rival_that_changes_its_table_does_not_change_the_claims():
    claim = claim_of(largest)

    def spoil(times):
        times["value"] = 7.0
        return times

    claim.rival("seven")(spoil)
    judgement = judge(claim, TABLES)
    assert (judgement.measured, judgement.rival[0].measured) == (0.75, 7.0)


def test_files_of_a_table_are_those_of_its_experiments_that_the_run_has(tmp_path):
    tables = RunTables(tmp_path, ["two", "one"])
    names = [path.name for path in tables.files(learning_times("one", optional=("two", "three")))]
    assert names == ["one.parquet", "two.parquet"]
    assert tables.files(assumption()) == [tmp_path / "tables" / "assumption.csv"]


def test_only_the_data_sets_that_a_table_declares_are_given(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "assumption.csv").write_text("dataset,n\ndigits,1\nmnist,2\n")
    frame = RunTables(tmp_path, []).frame(assumption(datasets=("mnist",)))
    assert frame.to_dict("list") == {"dataset": ["mnist"], "n": [2]}


def written(folder, kind, experiment, **columns):
    """The results of a run with one table, whose other columns are missing."""
    rows = len(next(iter(columns.values())))
    schema = SCHEMAS[kind]
    arrays = [pa.array(columns.get(each.name, [None] * rows), type=each.type) for each in schema]
    (folder / kind).mkdir()
    write_table(pa.table(arrays, schema=schema), folder / kind / f"{experiment}.parquet")
    return RunTables(folder, [experiment])


def test_columns_of_observables_that_a_claim_does_not_declare_are_not_given(tmp_path):
    tables = written(
        tmp_path, "learning_times", "one", learning_iteration=[7.0], final_imbalance=[0.1]
    )
    assert "final_imbalance" not in tables.frame(learning_times("one"))
    assert tables.frame(learning_times("one"))["learning_iteration"].tolist() == [7.0]
    balance = tables.frame(learning_times("one", of=("imbalance",)))
    assert balance["final_imbalance"].tolist() == [0.1]
    with pytest.raises(KeyError, match="final_imbalance"):
        judge(
            claim_of(lambda times: times["final_imbalance"].max()),
            tables,
        )


def test_curves_that_a_claim_does_not_declare_are_not_given(tmp_path):
    quantities = ["loss", "mode_strength", "alignment"]
    tables = written(tmp_path, "trajectory_summary", "one", quantity=quantities)
    for observables, given in (
        (("loss",), ["loss"]),
        (("mode_strengths",), ["mode_strength"]),
        (("mode_strengths", "response_values"), ["mode_strength", "alignment"]),
    ):
        frame = tables.frame(trajectory_summary("one", of=observables))
        assert frame["quantity"].tolist() == given
