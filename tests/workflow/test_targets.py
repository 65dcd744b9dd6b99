"""A named target builds what it needs and nothing else."""

import pytest
import yaml
from snakemake.utils import update_config

from stagewise.claims import CLAIMS
from stagewise.claims.tables import read_claims
from stagewise.config import Experiment
from stagewise.figures import FIGURES as SPECS
from stagewise.pipeline.one_claim import Evidence, judge_alone
from stagewise.plan import make_plan
from stagewise.targets import claim_targets

from .working_copy import FIGURES, RESULTS, build, planned

STAIRCASE, DIGITS, AUTOENCODER = (
    f"Moments of the data set {name}" for name in ("staircase", "digits", "autoencoder")
)
CLOSED_FORM, REAL_DATA = (
    [f"Training shard {shard} of {name}" for shard in (0, 1)]
    for name in ("closed_form", "real_data")
)
FORECASTS, TIMES, CURVES = (
    "Forecasts of learning times",
    "Learning times of every run",
    "Curves over training",
)


def test_figures_need_no_table_and_no_verdict(unbuilt):
    assert planned(unbuilt, "figures") == sorted(
        [
            *(STAIRCASE, DIGITS, *CLOSED_FORM, *REAL_DATA, FORECASTS, TIMES, CURVES),
            *("Figure closed_form", "Figure real_data"),
        ]
    )


def test_one_figure_needs_the_experiments_it_shows(unbuilt):
    assert planned(unbuilt, f"{FIGURES}/closed_form.png") == sorted(
        [STAIRCASE, *CLOSED_FORM, CURVES, "Figure closed_form"]
    )


def test_a_figure_of_the_default_run_is_a_target_by_its_name(fresh):
    jobs = planned(fresh, "figures/closed_form.png")
    assert "Figure closed_form" in jobs
    assert not [job for job in jobs if job.startswith(("Table", "Verdicts", "Index", TIMES))]
    assert "Training shard 0 of step_size" not in jobs


def test_tables_need_no_figure_and_no_page(unbuilt):
    assert planned(unbuilt, "tables") == sorted(
        [
            *(STAIRCASE, DIGITS, AUTOENCODER, *CLOSED_FORM, *REAL_DATA, FORECASTS, TIMES, CURVES),
            *("Table: assumption", "Table: learning times", "Verdicts"),
        ]
    )


def test_claims_need_no_figure_and_no_page(unbuilt):
    assert planned(unbuilt, "claims") == sorted(
        [
            *(STAIRCASE, DIGITS, AUTOENCODER, *CLOSED_FORM, *REAL_DATA, FORECASTS, TIMES, CURVES),
            *("Table: assumption", "Verdicts"),
        ]
    )


def test_without_a_target_everything_is_built(unbuilt):
    assert planned(unbuilt) == sorted(
        [
            *(STAIRCASE, DIGITS, AUTOENCODER, *CLOSED_FORM, *REAL_DATA, FORECASTS, TIMES, CURVES),
            *("Table: assumption", "Table: learning times", "Verdicts"),
            *("Figure closed_form", "Figure real_data", "Index page"),
        ]
    )


def test_the_name_of_a_figure_is_a_target(unbuilt):
    assert planned(unbuilt, "closed_form") == sorted(
        [STAIRCASE, *CLOSED_FORM, CURVES, "Figure closed_form"]
    )


@pytest.mark.parametrize(
    ("claim", "jobs"),
    [
        ("gidel_sequential", [STAIRCASE, *CLOSED_FORM]),
        ("gidel_assumption_half", [DIGITS, AUTOENCODER, "Table: assumption"]),
        ("review_commutation", [DIGITS, *REAL_DATA]),
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
def smoke_targets(default_config, smoke):
    overlay = yaml.safe_load((smoke / "config/smoke.yaml").read_text(encoding="utf-8"))
    update_config(default_config, overlay)
    return claim_targets(make_plan(default_config))


@pytest.mark.parametrize("claim", [claim.id for claim in CLAIMS])
def test_a_claim_reads_no_other_runs_than_its_target_builds(claim, smoke, smoke_targets):
    target = smoke_targets[claim]
    evidence = Evidence(
        shards={
            name: [smoke / path for path in target.plan.shards(name)] for name in target.experiments
        },
        summarised=target.summarised,
        forecasting={
            name: Experiment.model_validate(each) for name, each in target.forecasting.items()
        },
        moments={
            dataset: smoke / target.plan.moments(dataset)
            for each in target.forecasting.values()
            for dataset in each["datasets"]
        },
        tables={name: smoke / path for name, path in target.tables.items()},
    )
    whole = {each.id: each for each in read_claims(smoke / "results/smoke/claims.json")}
    assert judge_alone(claim, evidence) == whole[claim]


def test_figures_and_claims_have_names_of_their_own():
    names = [*SPECS, *(claim.id for claim in CLAIMS), "all", "figures", "tables", "claims"]
    assert len(names) == len(set(names))
