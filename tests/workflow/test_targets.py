"""A named target builds what it needs and nothing else."""

import shutil
from pathlib import Path

import pyarrow.compute as pc
import pytest
from stagewise.claims import CLAIMS, claim_named, judge
from stagewise.claims.tables import read_claims
from stagewise.planning.targets import claim_targets
from stagewise.store.aggregates import Aggregates

from stagewise.figures import FIGURES as SPECS
from stagewise.planning.checking import make_plan
from stagewise.planning.plan import AGGREGATES
from stagewise.store.files import read_table, write_table

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
def default_plan(default_config):
    return make_plan(default_config)


@pytest.fixture(scope="module")
def archived_parts(default_plan, tmp_path_factory):
    """The reference dealt to the files of its experiments, as the default run has them."""
    root = tmp_path_factory.mktemp("archived")
    for kind in AGGREGATES:
        whole = read_table(REFERENCE / f"{kind}.parquet")
        for path in default_plan.parts(kind):
            mine = pc.equal(whole["experiment"].cast("string"), Path(path).stem)
            write_table(whole.filter(mine), root / path)
    for path in default_plan.aggregates(("assumption",)).values():
        (root / path).parent.mkdir(parents=True)
        shutil.copyfile(REFERENCE / Path(path).name, root / path)
    return root


@pytest.mark.parametrize("claim", [claim.id for claim in CLAIMS])
def test_a_claim_reads_no_other_runs_than_its_target_builds(claim, default_plan, archived_parts):
    target = claim_targets(default_plan)[claim]
    given = {
        kind: [archived_parts / path for path in paths] for kind, paths in target.tables.items()
    }
    whole = {each.id: each for each in read_claims(REFERENCE / "claims.json")}
    assert judge(claim_named(claim), Aggregates(given)) == whole[claim]


def test_figures_and_claims_have_names_of_their_own():
    names = [*SPECS, *(claim.id for claim in CLAIMS), "all", "figures", "tables", "claims"]
    assert len(names) == len(set(names))
