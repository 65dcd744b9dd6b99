"""Tables of a small run of every experiment that figures read, and the figures drawn from them."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml
from matplotlib.figure import Figure

from stagewise.config.models import Experiment
from stagewise.data.datasets import draw_moments
from stagewise.dynamics.adiabatic import E_FOLDS
from stagewise.pipeline import forecasts
from stagewise.pipeline.curves import summary_table
from stagewise.pipeline.joining import with_forecasts
from stagewise.pipeline.learning_times import learning_times_table
from stagewise.pipeline.plateaus import plateaus_table
from stagewise.pipeline.references import references_table
from stagewise.pipeline.simulate import simulate
from stagewise.pipeline.stages import stages_table
from stagewise.pipeline.teachers import teachers_table
from stagewise.planning.checking import make_plan
from stagewise.planning.experiments import expand
from stagewise.store.formats import write_formats
from stagewise.store.parquet import write_table
from stagewise.studies.common import style
from stagewise.studies.common.judging import RunTables
from stagewise.tables.assumption import assumption_table

from .drawn import draw

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "closed_form": {"delta": [2, 6], "replicates": 2},
    "autoencoder": {"replicates": 2, "modes": 4, "horizon_mode": 3},
    "autoencoder_data": {"replicates": 2, "modes": 3},
    "learning_times": {"delta": [4, 8], "step_size": [0.1, 0.2, 0.3, 0.5], "replicates": 3},
    "learning_times_limit": {"delta": [30], "step_size": [0.1, 0.5], "replicates": 2},
    "learning_times_limit_gaussian": {"delta": [30], "step_size": [0.1, 0.5], "replicates": 2},
    "step_size": {"step_size": [0.4, 0.7, 1.1], "replicates": 3},
    "stable_step": {"step_size": [0.1, 0.9], "replicates": 6},
    "stable_step_bracket": {"replicates": 2},
    "mode_order": {"delta": [1.5, 3], "replicates": 10},
    "real_data": {"delta": [3, 5], "replicates": 2},
    "real_data_uncentred": {"delta": [3, 5], "replicates": 2},
    "perturbation": {"delta": [2, 3, 4], "replicates": 2},
    "perturbation_growth": {"delta": [3, 6], "replicates": 4, "step_size": [0.1]},
    "initialisation": {"delta": [3, 6], "replicates": 2},
    "reduced_rank_path": {"delta": [2, 3], "replicates": 2},
    "generalisation": {"delta": [3], "replicates": 2, "horizon": 2},
    "lampinen_ganguli": {"replicates": 2, "iterations": 60},
    "lampinen_ganguli_own": {"replicates": 2, "iterations": 60},
    "lampinen_ganguli_steps": {"replicates": 2, "iterations": 60},
    "forecast": {"delta": [6, 7, 9], "replicates": 2},
    "forecast_spiked": {"delta": [6, 9], "replicates": 2},
    "saddle_stages": {"product_scale": [1e-3], "replicates": 2},
    "stage_counts_2": {"replicates": 4},
    "stage_counts_3": {"product_scale": [1e-3], "replicates": 4},
    "stage_counts_3_50": {"product_scale": [1e-3], "replicates": 4},
    "stage_counts_4": {"product_scale": [1e-2], "replicates": 4},
    "stage_counts_4_50": {"product_scale": [1e-2], "replicates": 4},
    "stage_ratios_2": {"product_scale": [1e-2, 1e-6], "replicates": 4},
    "stage_ratios_3": {"product_scale": [1e-2, 1e-3], "replicates": 4},
    "stable_step_deep": {"product_scale": [1e-2], "step_size": [1.8, 2.2], "replicates": 2},
    "escape_times": {"product_scale": [1e-2, 1e-3], "replicates": 2},
    "depth_law": {"product_scale": [1e-2, 1e-3], "replicates": 2},
    "descent_separation": {"product_scale": [1e-2, 1e-3], "replicates": 2},
    "rmsprop": {"product_scale": [1e-2, 1e-3], "replicates": 2, "iterations": 800},
}
TINY_PLATEAUS = {
    "saddles": {"product_scale": [1e-2, 1e-3], "replicates": 2},
    "saddles_balanced": {"product_scale": [1e-2, 1e-3]},
    "completion_path": {"product_scale": [1e-2], "replicates": 2},
}
TINY_DATA = {
    "autoencoder": {"dim": 6, "rank": 3, "samples": 60},
    "spiked": {"draws": 2},
    "autoencoder_draws": {"dim": 6, "rank": 3, "samples": 60, "draws": 2},
    "matrices_20": {"dim_in": 6, "dim_out": 6, "rank": [1, 2], "observed": [1, 0.6], "draws": 1},
    "matrices_50": {"dim_in": 7, "dim_out": 7, "rank": [1, 2], "observed": [1, 0.6], "draws": 1},
    "matrices_ratios": {"dim_in": 6, "dim_out": 6, "ratio": [0.5, 0.9], "rank": [2], "draws": 2},
    "ladder": {"dim_in": 6, "dim_out": 6, "rank": [1, 3]},
    "factors": {"dim_in": 5, "dim_out": 5, "rank": [2], "draws": 2},
    "completions": {"dim_in": 6, "dim_out": 6, "rank": [2], "draws": 1},
}


@pytest.fixture(scope="session")
def aggregates(once):
    style.apply()
    return RunTables(once("aggregates", write_tables), [*TINY, *TINY_PLATEAUS])


def write_tables(folder):
    """All tables of the small run."""
    raw = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    for name, spec in raw["datasets"].items():
        if name.startswith("teacher"):
            spec |= {"dim_in": 12, "dim_out": 6, "samples": 12, "noise": 0.3, "draws": 2}
    for name, changes in TINY_DATA.items():
        raw["datasets"][name] |= changes
    config = make_plan(raw).config
    experiments = {
        name: Experiment.model_validate(config.experiments[name].model_dump() | changes)
        for name, changes in TINY.items()
    }
    draws = {
        data: draw_moments(data, config.datasets[data], None)
        for data in {data for each in experiments.values() for data in each.datasets}
    }
    for name, changes in TINY_PLATEAUS.items():
        each = Experiment.model_validate(config.experiments[name].model_dump() | changes)
        own = {data: draw_moments(data, config.datasets[data], None) for data in each.datasets}
        write_table(plateaus_table(name, each, own), folder / f"plateaus/{name}.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecasts, "fine_enough", usual_steps)
        for name, each in experiments.items():
            for kind, table in tables_of(name, each, draws).items():
                write_table(table, folder / f"{kind}/{name}.parquet")
    firsts = {name: draws[name][0] for name in experiments["forecast"].datasets}
    write_formats(assumption_table(firsts), [folder / "tables/assumption.csv"])


def usual_steps(integrate, cases):
    """Forecasts in steps that suffice take three times as long, and look the same."""
    e_folds = np.full(cases, E_FOLDS)
    return integrate(np.arange(cases), e_folds), e_folds, None


def tables_of(name, each, draws):
    """All tables of one experiment, as the rules make them."""
    trajectories = simulate(expand(name, each), each, draws)
    times = learning_times_table([trajectories])
    if each.forecast:
        times = with_forecasts(times, forecasts.forecasts_table(name, each, draws))
    tables = {"learning_times": times}
    if each.summarise:
        tables["trajectory_summary"] = summary_table([[trajectories]])
    if each.stages:
        tables["stages"] = stages_table([trajectories])
    if each.references:
        tables["references"] = references_table(name, each, draws)
    if each.teacher_theory:
        tables["teachers"] = teachers_table(name, each, draws)
    return tables


@pytest.fixture(scope="session")
def figure_of(aggregates):
    """Figures by name, drawn once and laid out."""

    @cache
    def once(name) -> Figure:
        figure = draw(name, aggregates)
        figure.draw_without_rendering()
        return figure

    return once
