"""Forecasts of a grid: a row a point and stage, each that of its own moments, beside the runs it is of."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.config.models import Experiment
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.aligned import AlignedData
from stagewise.data.kinds.power_law import PowerLawData
from stagewise.data.kinds.random_modes import RandomModesData
from stagewise.dynamics.adiabatic import E_FOLDS, FINE_ENOUGH, quasi_adiabatic
from stagewise.pipeline.forecasts import forecasts_table
from stagewise.pipeline.joining import with_forecasts
from stagewise.pipeline.learning_times import learning_times_table
from stagewise.pipeline.simulate import simulate
from stagewise.planning.experiments import expand
from stagewise.problems.moments import Moments
from stagewise.theory.forecast_laws import (
    PooledMoments,
    initial_amplitudes,
    reduced_rank_forecast,
    vanishing_flow_forecast,
)
from stagewise.theory.staged_forecast import staged_forecast

DATASETS = {
    "three": draw_moments(
        "three", AlignedData(kind="aligned", sigma=[2.0, 1.2, 0.6], draws=1), None
    ),
    "pairs": draw_moments("pairs", RandomModesData(kind="random_modes", draws=2), None),
    "flat": [Moments.prescribed(np.diag([1.0, 0.7, 0.5]), np.eye(3, 2) * [1.0, 0.4])],
}
EACH = Experiment.model_validate(
    {
        "datasets": ["three", "pairs", "flat"],
        "depth": [1, 2],
        "initialisation": ["gaussian", "aligned"],
        "delta": [4.0, 6.0],
        "step_size": [0.1, 0.3],
        "step_size_unit": "per_sigma",
        "width": [None, 4],
        "replicates": 3,
        "forecast": True,
    }
)


@pytest.fixture(scope="module")
def forecasts():
    return forecasts_table("trial", EACH, DATASETS)


def test_every_point_and_stage_has_one_row(forecasts):
    rows = forecasts.to_pandas()
    keys = ["dataset", "draw", "width", "relative_step_size", "delta", "mode"]
    assert not rows.duplicated(keys).any()
    stages = {"three": 3, "pairs": 2, "flat": 2}
    for name, own in rows.groupby("dataset", observed=True):
        widths = {min(DATASETS[name][0].problem(True).sigma_xy.shape), 4}
        assert set(own["width"]) == widths
        points = len(DATASETS[name]) * len(widths) * 2 * 2
        assert own.groupby("mode").size().to_dict() == dict.fromkeys(
            range(1, stages[name] + 1), points
        )


def test_a_row_is_the_forecast_of_its_own_moments_step_and_start(forecasts):
    for row in forecasts.to_pylist():
        problem = DATASETS[row["dataset"]][row["draw"]].problem(EACH.centred)
        step = np.array([row["relative_step_size"] / problem.modes.sigma[0]])
        given = PooledMoments.of(problem), step, np.array([row["delta"]]), row["width"]
        for name, law in (
            ("vanishing_flow", vanishing_flow_forecast),
            ("reduced_rank", reduced_rank_forecast),
            ("staged", staged_forecast),
        ):
            assert row[f"predicted_{name}"] == pytest.approx(law(*given)[0, row["mode"] - 1])


def test_the_integrated_forecast_is_near_training(forecasts):
    rows = forecasts.to_pandas()
    first = rows[(rows["mode"] == 1) & (rows["delta"] == 6)]
    # Both start from a typical Gaussian; the time of the first mode has no other part.
    assert_allclose(first["predicted_integrated"] / first["predicted_staged"], 1, atol=0.1)
    assert (rows["largest_curvature"] < 2).all()


def test_the_integrated_forecast_takes_steps_that_suffice_where_inputs_differ_in_size():
    power_law = PowerLawData(kind="power_law", dim_in=40, output_decay=0.65)
    data = {"power_law": draw_moments("power_law", power_law, None)}
    grid = {"datasets": ["power_law"], "step_size": [0.25], "width": [10]}
    each = EACH.model_copy(update=grid | {"delta": [8.0, 40.0]})
    # For the smaller start alone the usual steps would do.
    table = forecasts_table("trial", each, data).to_pandas().query("delta == 8")
    problem = data["power_law"][0].problem(True)
    step = np.array([0.25 / problem.modes.sigma[0]])
    start = initial_amplitudes(np.array([8.0]), problem.dim_in, 10, 10)
    usual, fine = (
        quasi_adiabatic(problem, start, step, np.array([1e7]), len(table), e_folds)
        for e_folds in (E_FOLDS, E_FOLDS / 30)
    )
    exact = fine.learning_iterations[0]
    assert_allclose(table["predicted_integrated"], exact, rtol=2 * FINE_ENOUGH)
    assert np.abs(usual.learning_iterations[0] / exact - 1).max() > 4 * FINE_ENOUGH


def test_forecasts_stand_beside_the_runs_of_their_draw_that_they_are_made_for(forecasts):
    times = learning_times_table([simulate(expand("trial", EACH), EACH, DATASETS)])
    filled = with_forecasts(times, forecasts).to_pandas()
    assert list(filled["run"]) == times["run"].to_pylist()
    fits = (filled["depth"] == 2) & (filled["initialisation"] == "gaussian")
    assert filled.loc[~fits, "predicted_staged"].isna().all()
    wanted = forecasts.to_pandas()
    filled = filled[fits].assign(
        draw=filled["seed"] % filled["dataset"].map({"three": 1, "pairs": 2, "flat": 1}).astype(int)
    )
    keys = ["dataset", "draw", "width", "relative_step_size", "delta", "mode"]
    both = filled.merge(wanted, on=keys, suffixes=("", "_wanted"))
    assert len(both) == len(filled)
    for name in ("vanishing_flow", "reduced_rank", "staged", "integrated"):
        assert_allclose(both[f"predicted_{name}"], both[f"predicted_{name}_wanted"])
