"""A named target builds what it needs and nothing else."""

from pathlib import Path

import pyarrow.compute as pc
import pytest

from stagewise.aggregates import Aggregates
from stagewise.claims import CLAIMS, claim_named, judge
from stagewise.claims.tables import read_claims
from stagewise.figures import FIGURES as SPECS
from stagewise.files import read_table, write_table
from stagewise.plan import AGGREGATES, make_plan
from stagewise.targets import claim_targets

from .working_copy import FIGURES, REPOSITORY, RESULTS, build, planned

REFERENCE = REPOSITORY / "reference"

STAIRCASE, DIGITS, AUTOENCODER = (
    f"Moments of the data set {name}" for name in ("staircase", "digits", "autoencoder")
)
CLOSED_FORM, REAL_DATA = (
    [f"Training shard {shard} of {name}" for shard in (0, 1)]
    for name in ("closed_form", "real_data")
)
STATISTICS = [f"Statistics of {name}" for name in ("closed_form", "real_data")]
FORECASTS = "Forecasts of real_data"
EVERYTHING = (STAIRCASE, DIGITS, *CLOSED_FORM, *REAL_DATA, FORECASTS, *STATISTICS)
TABLES = [f"Table: {name}" for name in ("assumption", "learning times", "stage counts")]
JOINED = "Aggregates of all experiments"


def test_figures_need_no_table_and_no_verdict(unbuilt):
    assert planned(unbuilt, "figures") == sorted(
        [*EVERYTHING, "Figure closed_form", "Figure real_data"]
    )


def test_one_figure_needs_the_experiments_it_shows(unbuilt):
    assert planned(unbuilt, f"{FIGURES}/closed_form.png") == sorted(
        [STAIRCASE, *CLOSED_FORM, STATISTICS[0], "Figure closed_form"]
    )


def test_a_figure_of_the_default_run_is_a_target_by_its_name(fresh):
    jobs = planned(fresh, "figures/closed_form.png")
    assert "Figure closed_form" in jobs
    assert not [job for job in jobs if job.startswith(("Table", "Verdicts", "Index", JOINED))]
    assert "Training shard 0 of step_size" not in jobs


def test_tables_need_no_figure_and_no_page(unbuilt):
    assert planned(unbuilt, "tables") == sorted(
        [*EVERYTHING, AUTOENCODER, JOINED, *TABLES, "Verdicts"]
    )


def test_claims_need_no_figure_and_no_page(unbuilt):
    assert planned(unbuilt, "claims") == sorted(
        [*EVERYTHING, AUTOENCODER, JOINED, TABLES[0], "Verdicts"]
    )


def test_without_a_target_everything_is_built(unbuilt):
    assert planned(unbuilt) == sorted(
        [
            *(*EVERYTHING, AUTOENCODER, JOINED, *TABLES, "Verdicts"),
            *("Figure closed_form", "Figure real_data", "Index page"),
        ]
    )


def test_the_name_of_a_figure_is_a_target(unbuilt):
    assert planned(unbuilt, "closed_form") == sorted(
        [STAIRCASE, *CLOSED_FORM, STATISTICS[0], "Figure closed_form"]
    )


@pytest.mark.parametrize(
    ("claim", "jobs"),
    [
        ("gidel_sequential", [STAIRCASE, *CLOSED_FORM, STATISTICS[0]]),
        ("gidel_assumption_half", [DIGITS, AUTOENCODER, "Table: assumption"]),
        ("review_commutation", [DIGITS, *REAL_DATA, FORECASTS, STATISTICS[1]]),
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


@pytest.fixture(scope="module")
def default_targets(default_config):
    return claim_targets(make_plan(default_config))


@pytest.mark.parametrize("claim", [claim.id for claim in CLAIMS])
def test_a_claim_reads_no_other_runs_than_its_target_builds(claim, default_targets, tmp_path):
    given: dict[str, list[Path]] = {}
    for kind, parts in default_targets[claim].tables.items():
        if kind not in AGGREGATES:
            given[kind] = [REFERENCE / Path(path).name for path in parts]
            continue
        whole = read_table(REFERENCE / f"{kind}.parquet")
        for experiment in (Path(path).stem for path in parts):
            part = whole.filter(pc.equal(whole["experiment"].cast("string"), experiment))
            given.setdefault(kind, []).append(tmp_path / kind / f"{experiment}.parquet")
            write_table(part, given[kind][-1])
    archived = {each.id: each for each in read_claims(REFERENCE / "claims.json")}
    assert judge(claim_named(claim), Aggregates(given)) == archived[claim]


def test_figures_and_claims_have_names_of_their_own():
    names = [*SPECS, *(claim.id for claim in CLAIMS), "all", "figures", "tables", "claims"]
    assert len(names) == len(set(names))
