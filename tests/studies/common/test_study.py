import pytest

from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.study import (
    Interval,
    Measurement,
    Study,
    Table,
    learning_times,
    stages,
    trajectory_summary,
)

TIMES = learning_times("one", "two", datasets=("digits",))


@pytest.fixture
def study():
    return Study("somewhere.doubling", question="?", title="!", caption="", alt="")


def declare(study, reads, measure):
    return study.claim(
        "a_claim", source="ours", statement="It holds.", reads=reads, holds=at_most(1)
    )(measure)


def test_a_study_is_named_after_its_module(study):
    assert study.name == "doubling"


def test_a_claim_belongs_to_its_study_and_names_the_experiments_it_needs(study):
    claim = declare(study, (TIMES, stages("two", "three")), lambda times, stages: None)
    assert study.claims == [claim]
    assert claim.figure == "doubling"
    assert claim.experiments == ("one", "two", "three")


def test_a_claim_that_declares_less_than_it_reads_cannot_be_declared(study):
    with pytest.raises(
        ValueError,
        match=r"the claim a_claim takes 2 tables but declares 1 \(learning_times\); declare each "
        r"table that it reads, in the order of its arguments",
    ):
        declare(study, TIMES, lambda times, stages: None)
    assert study.claims == []


def test_a_figure_that_declares_less_than_it_reads_cannot_be_declared(study):
    with pytest.raises(ValueError, match=r"the figure of doubling takes 1 tables but declares 0"):
        study.figure()(lambda times: None)


def test_a_claim_is_not_named_as_its_study(study):
    with pytest.raises(ValueError, match="The claim doubling has the name of its study"):
        study.claim("doubling", source="ours", statement="", reads=TIMES, holds=at_most(1))


def test_a_rival_is_given_the_tables_of_its_claim(study):
    claim = declare(study, TIMES, lambda times: None)
    with pytest.raises(ValueError, match=r"the rival 'none' of a_claim takes 0 tables"):
        claim.rival("none")(lambda: None)
    claim.rival("some")(lambda times: times)
    assert [rival.law for rival in claim.rivals] == ["some"]


def test_a_figure_is_drawn_from_what_it_is_given(study):
    study.figure(TIMES)(lambda times: f"drawn from {times}")
    assert study.draw("times") == "drawn from times"


def test_a_study_without_a_figure_says_so(study):
    with pytest.raises(ValueError, match="The study doubling declares no figure"):
        study.draw()


def test_a_table_is_one_that_exists():
    with pytest.raises(ValueError, match=r"'learning_time' is no table; there are learning_times"):
        Table("learning_time", ("one",))


def test_a_table_of_runs_names_its_experiments():
    with pytest.raises(ValueError, match="stages needs the names of the experiments"):
        stages()


def test_a_scope_has_a_number_and_words():
    interval = Interval(0, 1, "range", "runs")
    with pytest.raises(ValueError, match="in_scope and scope come together"):
        Measurement(0.5, interval, "", in_scope=0.2)
    with pytest.raises(ValueError, match="in_scope and scope come together"):
        Measurement(0.5, interval, "", scope="for small steps")


def test_a_recorded_table_says_which_observables_it_reads():
    assert learning_times("one").observables == ("response_values",)
    with pytest.raises(ValueError, match=r"trajectory_summary needs the observables that are read"):
        trajectory_summary("one")
    with pytest.raises(ValueError, match=r"losses cannot be recorded; there are loss, "):
        trajectory_summary("one", of=("losses",))
