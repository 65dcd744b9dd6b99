"""Runs beside runs without the perturbation, and errors on held-out data, in the tables."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.config.models import Experiment
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.digits import DigitsData
from stagewise.data.kinds.low_rank_regression import LowRankRegressionData
from stagewise.data.kinds.random_modes import RandomModesData
from stagewise.dynamics.first_weights import initial_weights
from stagewise.errors import StagewiseError
from stagewise.pipeline.learning_times import learning_times_table
from stagewise.pipeline.references import references_table
from stagewise.pipeline.simulate import simulate
from stagewise.pipeline.teachers import teachers_table
from stagewise.planning.experiments import expand
from stagewise.store.schemas import REFERENCES, TEACHERS


def modes(perturbation):
    spec = RandomModesData(kind="random_modes", modes=3, perturbation=perturbation, draws=2)
    return draw_moments("modes", spec, None)


def compared(draws, **changes):
    fields = {"datasets": ["modes"], "initialisation": ["aligned"], "delta": [3], "replicates": 2}
    fields |= {"step_size": [0.1], "horizon": 6, "compare_commuting": True}
    each = Experiment.model_validate(fields | changes)
    table = simulate(expand("trial", each), each, {"modes": draws})
    return learning_times_table([table]).to_pandas()


def test_commuting_moments_deviate_from_themselves_by_rounding_alone():
    times = compared(modes(0.0))
    assert times["largest_deviation"].max() < 1e-12


def test_the_final_deviation_is_that_of_the_solutions_and_the_largest_is_no_smaller():
    draws = modes(0.3)
    times = compared(draws).groupby("seed").first()
    for seed, moments in enumerate(draws):
        problem = moments.problem(True)
        shift = problem.least_squares - problem.commuting.least_squares
        row = times.loc[seed]
        assert_allclose(row["final_deviation"], np.linalg.norm(shift, ord=2), rtol=1e-3)
        assert_allclose(row["non_commuting"], problem.non_commuting, rtol=1e-12)
        assert row["largest_deviation"] >= row["final_deviation"]
        assert row["largest_deviation_iteration"] >= 0


def test_runs_that_are_not_compared_say_so():
    times = compared(modes(0.3), compare_commuting=False)
    assert times[["non_commuting", "largest_deviation", "final_deviation"]].isna().all(axis=None)


def teacher(**changes):
    fields = {"dim_in": 20, "dim_out": 10, "samples": 20, "inputs": "one_hot", "rank": 2}
    spec = LowRankRegressionData(
        kind="low_rank_regression", **fields | {"strength": 4.0, "draws": 3} | changes
    )
    return {"teacher": draw_moments("teacher", spec, None)}


def with_teacher(**changes):
    fields = {
        "datasets": ["teacher"],
        "centred": False,
        "initialisation": ["aligned"],
        "delta": [5],
    }
    fields |= {"step_size": [0.1], "step_size_unit": "absolute", "replicates": 3, "modes": 1}
    return Experiment.model_validate(fields | {"iterations": 900} | changes)


def test_recorded_test_errors_are_summed_up_per_run():
    each = with_teacher()
    table = simulate(expand("trial", each), each, teacher(noise=0.4))
    times = learning_times_table([table]).to_pandas()
    records = table.to_pandas().groupby("run")["test_error"]
    assert_allclose(times["best_test_error"], records.min())
    assert_allclose(times["final_test_error"], records.last())
    assert (times["best_test_error"] < times["final_test_error"]).all()


def test_reduced_rank_regression_of_the_teachers_rank_is_best_among_ranks():
    table = references_table("trial", with_teacher(), teacher(noise=0.4))
    assert table.schema.equals(REFERENCES)
    frame = table.to_pandas()
    ranks = frame[frame["method"] == "reduced_rank"].groupby("parameter")["test_error"].mean()
    assert ranks.idxmin() == 2
    ridge = frame[frame["method"] == "ridge"].groupby("parameter")["test_error"].mean()
    assert_allclose(ridge.iloc[0], ranks.iloc[-1], rtol=1e-3)  # both are least squares there


def test_data_without_held_out_samples_have_no_references():
    draws = {"digits": draw_moments("digits", DigitsData(kind="digits"), None)}
    each = with_teacher(datasets=["digits"])
    assert references_table("trial", each, draws).num_rows == 0


def test_the_theory_is_on_the_grid_of_the_records_and_the_finite_one_is_close_to_them():
    each, draws = with_teacher(), teacher(noise=0.2)
    theory = teachers_table("trial", each, draws)
    assert theory.schema.equals(TEACHERS)
    frame = theory.to_pandas()
    assert set(zip(frame["version"], frame["law"], strict=True)) == {
        (version, law) for version in ("finite", "asymptotic") for law in ("flow", "discrete")
    }
    assert (frame["teacher_rank"] == 2).all()
    assert frame["white"].all()
    assert_allclose(frame["strength"], 4.0, rtol=1e-12)
    finite = frame[(frame["version"] == "finite") & (frame["law"] == "discrete")]
    finite = finite.set_index("iteration")["test_error"]
    records = simulate(expand("trial", each), each, draws).to_pandas()
    measured = records[~records["refined"]].groupby("iteration")["test_error"].mean()
    assert list(measured.index) == list(finite.index)
    assert_allclose(measured, finite, atol=0.02)


def test_random_frames_count_as_the_part_of_them_that_grows():
    """Of a hidden direction ½(W₁ᵀu + W₂v) grows, whose square is the strength of the product."""
    each, draws = with_teacher(initialisation=["orthogonal"], delta=[2.0]), teacher(noise=0.0)
    theory = teachers_table("trial", each, draws).to_pandas().query("version == 'finite'")
    problem = draws["teacher"][0].problem(centred=False)
    rng = np.random.default_rng(0)
    starts = [initial_weights(problem, "orthogonal", 2, 10, 2.0, rng) for _ in range(400)]
    strength = np.mean([np.sum((first[0] + second[:, 0]) ** 2) / 4 for first, second in starts])
    wanted = problem.least_squares  # the teacher, as there is no noise
    missing = 2 * strength * np.linalg.norm(wanted, "nuc") - 10 * strength**2
    missing /= np.linalg.norm(wanted) ** 2
    assert_allclose(1 - theory.query("iteration == 0")["test_error"], missing, rtol=0.05)


def test_inputs_that_are_not_white_are_called_so():
    frame = teachers_table("trial", with_teacher(), teacher(input_decay=0.5)).to_pandas()
    assert not frame["white"].any()


def test_a_data_set_without_a_teacher_has_no_theory():
    draws = {"modes": modes(0.0)}
    with pytest.raises(StagewiseError, match="modes has no teacher"):
        teachers_table("trial", with_teacher(datasets=["modes"]), draws)
