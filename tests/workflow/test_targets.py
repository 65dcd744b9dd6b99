"""A named target builds what it needs and nothing else."""

import pytest

from stagewise.studies.common.ledger import read_claims
from stagewise.studies.common.registry import claims, study_names

from .working_copy import FIGURES, RESULTS, build, planned

STAIRCASE, DIGITS, AUTOENCODER = (
    f"Moments of the data set {name}" for name in ("staircase", "digits", "autoencoder")
)
CLOSED_FORM, REAL_DATA = (
    [f"Training shard {shard} of {name}" for shard in (0, 1)]
    for name in ("closed_form", "real_data")
)
STATISTICS = [f"Statistics of {name}" for name in ("closed_form", "real_data")]
FORECASTS = "forecasts of real_data"
EVERYTHING = (STAIRCASE, DIGITS, *CLOSED_FORM, *REAL_DATA, FORECASTS, *STATISTICS)
ASSUMPTION = [AUTOENCODER, DIGITS, "Table assumption"]
STUDIES = ["Study closed_form", "Study joint_decomposition", "Study real_data"]
TABLES = [f"Table {name}" for name in ("learning_times", "stage_counts", "claims")]
ALL_RUNS = sorted({*EVERYTHING, *ASSUMPTION, *STUDIES})
JOINED = "Tables of all experiments"


def test_figures_need_no_table_of_all_experiments_and_no_page(unbuilt):
    assert planned(unbuilt, "figures") == ALL_RUNS


def test_one_figure_needs_the_experiments_it_shows(unbuilt):
    assert planned(unbuilt, f"{FIGURES}/closed_form.png") == sorted(
        [STAIRCASE, *CLOSED_FORM, STATISTICS[0], "Study closed_form"]
    )


def test_a_figure_of_the_default_run_is_a_target_by_its_name(fresh):
    jobs = planned(fresh, "figures/closed_form.png")
    assert "Study closed_form" in jobs
    assert not [job for job in jobs if job.startswith(("Table", "Verdicts", "Page", JOINED))]
    assert "Training shard 0 of step_size" not in jobs


def test_tables_need_no_page(unbuilt):
    assert planned(unbuilt, "tables") == sorted([*ALL_RUNS, JOINED, *TABLES, "Verdicts"])


def test_claims_need_no_page(unbuilt):
    assert planned(unbuilt, "claims") == sorted([*ALL_RUNS, "Verdicts"])


def test_without_a_target_everything_is_built(unbuilt):
    assert planned(unbuilt) == sorted([*ALL_RUNS, JOINED, *TABLES, "Verdicts", "Page"])


def test_the_name_of_a_figure_is_a_target(unbuilt):
    assert planned(unbuilt, "closed_form") == sorted(
        [STAIRCASE, *CLOSED_FORM, STATISTICS[0], "Study closed_form"]
    )


def test_a_study_needs_what_its_figure_and_its_claims_read(unbuilt):
    assert planned(unbuilt, "real_data") == sorted(
        [DIGITS, *REAL_DATA, FORECASTS, STATISTICS[1], "Study real_data"]
    )


@pytest.mark.parametrize(
    ("claim", "jobs"),
    [
        ("gidel_sequential", [STAIRCASE, *CLOSED_FORM, STATISTICS[0]]),
        ("gidel_assumption_half", [DIGITS, AUTOENCODER, "Table assumption"]),
    ],
)
def test_the_id_of_a_claim_is_a_target_that_needs_the_runs_it_reads(unbuilt, claim, jobs):
    assert planned(unbuilt, claim) == sorted([*jobs, f"Verdict on {claim}"])


def test_a_claim_built_by_its_id_has_the_verdict_of_the_whole_run(built):
    jobs = build(built, "gidel_closed_form").jobs
    assert jobs == ["Verdict on gidel_closed_form"]
    (alone,) = read_claims(built / RESULTS / "verdicts/gidel_closed_form.json")
    assert alone in read_claims(built / RESULTS / "claims.json")
    assert planned(built) == []


def test_studies_and_claims_have_names_of_their_own():
    names = [
        *study_names(),
        *(claim.id for claim in claims()),
        "all",
        "figures",
        "tables",
        "claims",
    ]
    assert len(names) == len(set(names))
