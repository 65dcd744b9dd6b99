"""A named target builds what it needs and nothing else."""

from .working_copy import FIGURES, planned

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
STAGES, PLATEAUS = "Stages of escape from saddles", "Plateaus of training"
COUNTS = "Table: stage counts"


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
            *("Table: assumption", "Table: learning times", COUNTS, "Verdicts", STAGES, PLATEAUS),
        ]
    )


def test_claims_need_no_figure_and_no_page(unbuilt):
    assert planned(unbuilt, "claims") == sorted(
        [
            *(STAIRCASE, DIGITS, AUTOENCODER, *CLOSED_FORM, *REAL_DATA, FORECASTS, TIMES, CURVES),
            *("Table: assumption", "Verdicts", STAGES, PLATEAUS),
        ]
    )


def test_without_a_target_everything_is_built(unbuilt):
    assert planned(unbuilt) == sorted(
        [
            *(STAIRCASE, DIGITS, AUTOENCODER, *CLOSED_FORM, *REAL_DATA, FORECASTS, TIMES, CURVES),
            *("Table: assumption", "Table: learning times", COUNTS, "Verdicts", STAGES, PLATEAUS),
            *("Figure closed_form", "Figure real_data", "Index page"),
        ]
    )
