"""A shard of runs becomes a table that says all there is to say about them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.testing import assert_allclose

from stagewise.config.models import Experiment
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.aligned import AlignedData
from stagewise.data.kinds.low_rank_matrix import LowRankMatrixData
from stagewise.data.kinds.random_modes import RandomModesData
from stagewise.pipeline.curves import summary_table
from stagewise.pipeline.learning_times import learning_times_table
from stagewise.pipeline.simulate import absolute_step, run_length, simulate
from stagewise.planning.experiments import expand, shard, shard_count
from stagewise.problems.moments import Moments
from stagewise.store.parquet import canonical_hash
from stagewise.store.schemas import GRID_COLUMNS, LEARNING_TIMES, SUMMARY, TRAJECTORIES, units_of
from stagewise.theory import completion_curvature

DATASETS = {
    "three": draw_moments(
        "three", AlignedData(kind="aligned", sigma=[1.0, 0.6, 0.3], draws=2), None
    ),
    "pairs": draw_moments("pairs", RandomModesData(kind="random_modes", draws=3), None),
}


def experiment(**changes):
    fields = {
        "datasets": ["three", "pairs"],
        "depth": [1, 2, 3],
        "initialisation": ["gaussian"],
        "delta": [1.5],
        "step_size": [0.1, 0.3],
        "replicates": 3,
        "records_per_decade": 30,
        "summarise": True,
    }
    return Experiment.model_validate(fields | changes)


def all_shards(each):
    return [
        simulate(shard("trial", each, index), each, DATASETS) for index in range(shard_count(each))
    ]


def test_rows_follow_the_schema_and_are_sorted():
    table = simulate(expand("trial", experiment()), experiment(), DATASETS)
    assert [*table.schema, TRAJECTORIES.field("deviation")] == list(TRAJECTORIES)
    keys = table.select(["run", "iteration", "mode"]).to_pandas()
    assert keys.equals(keys.sort_values(["run", "iteration", "mode"]).reset_index(drop=True))
    assert not keys.duplicated().any()
    assert set(table["run"].to_pylist()) == set(range(36))


def test_an_observable_that_nobody_asks_for_is_no_column_and_missing_in_statistics():
    asked, all_of_it = experiment(observables=["mode_strengths"], stages=True), experiment()
    few, every = (simulate(expand("trial", each), each, DATASETS) for each in (asked, all_of_it))
    needed = {"mode_strength", "response_value", "loss", "gradient_norm", "reduced_rank_distance"}
    left_out = {"trace_norm", "imbalance", "test_error", "reduced_rank_response_distance"}
    assert set(every.column_names) - set(few.column_names) == left_out
    assert needed <= set(few.column_names)
    times, full = (learning_times_table([table]) for table in (few, every))
    assert full["final_imbalance"].null_count == 0
    for name in LEARNING_TIMES.names:
        missing = name in ("final_imbalance", "nearest_reduced_rank_response")
        if missing:
            assert times[name].null_count == len(times)
        else:
            assert times[name].equals(full[name])


def test_a_mode_that_is_not_followed_has_no_status():
    each = experiment(observables=["loss"], datasets=["three"], depth=[2])
    times = learning_times_table([simulate(expand("trial", each), each, DATASETS)])
    assert times["status"].null_count == len(times)
    each = experiment(observables=["mode_strengths"], datasets=["three"], depth=[2])
    times = learning_times_table([simulate(expand("trial", each), each, DATASETS)])
    assert times["learning_iteration"].null_count == len(times)
    reached = times["mode_learning_iteration"].is_valid().to_pylist()
    assert [status == "ok" for status in times["status"].to_pylist()] == reached
    assert any(reached)


def test_every_run_starts_at_iteration_zero_and_reaches_its_horizon():
    each = experiment()
    table = simulate(expand("trial", each), each, DATASETS).to_pandas()
    weakest = table.groupby("run").agg(
        sigma=("sigma", "min"),
        step=("step_size", "first"),
        depth=("depth", "first"),
        first=("iteration", "min"),
        last=("iteration", "max"),
    )
    assert (weakest["first"] == 0).all()
    growth = weakest["step"] * weakest["sigma"]
    horizon = 1.5 * np.where(weakest["depth"] < 3, 1.5 / np.log1p(growth), np.exp(1.5) / growth)
    assert (weakest["last"] >= horizon).all()
    assert (weakest["last"] <= 1.15 * horizon + 2).all()


@pytest.mark.parametrize("runs_per_shard", [1, 7, 1000])
def test_the_shard_size_changes_no_bit_of_any_aggregate(runs_per_shard):
    one, other = experiment(runs_per_shard=12), experiment(runs_per_shard=runs_per_shard)
    expected, found = (
        (
            canonical_hash(learning_times_table(all_shards(each))),
            canonical_hash(summary_table([all_shards(each)])),
        )
        for each in (one, other)
    )
    assert found == expected


@pytest.mark.parametrize(
    ("unit", "scale"), [("absolute", 1.0), ("per_sigma", 2.0), ("per_curvature", 5.0)]
)
def test_a_step_size_is_read_in_its_unit(unit, scale):
    spec = AlignedData(kind="aligned", sigma=[2.0, 1.0, 0.5], lam=[5.0, 1.0, 3.0])
    problem = draw_moments("units", spec, None)[0].problem(centred=True)
    assert_allclose(absolute_step(0.3, unit, problem), 0.3 / scale)


def test_a_step_per_solution_is_in_units_of_the_curvature_of_what_is_observed():
    spec = LowRankMatrixData(kind="low_rank_matrix", rank=[2], observed=[1, 0.6], draws=1)
    whole, part = (draw.problem(centred=False) for draw in draw_moments("units", spec, None))
    assert_allclose(absolute_step(0.3, "per_solution", whole, 3), 0.3 / (3 * 2 ** (4 / 3)))
    curvature = completion_curvature(part.sigma_xy, part.observed, 3)
    assert_allclose(absolute_step(0.3, "per_solution", part, 3), 0.3 / curvature)
    assert absolute_step(0.3, "per_solution", part, 1) == 0.3
    spec = AlignedData(kind="aligned", sigma=[2.0, 1.0], lam=[5.0, 1.0])
    coloured = draw_moments("units", spec, None)[0].problem(centred=True)
    # Of two layers max λᵢ(wᵢ + wⱼ), with w = 0.4 and 1.
    assert_allclose(absolute_step(0.3, "per_solution", coloured), 0.3 / (5 * 1.4))


@pytest.mark.parametrize(
    ("changes", "modes", "sigma"),
    [
        ({}, 3, 0.3),
        ({}, 2, 0.6),
        ({"horizon_mode": 1}, 3, 1.0),
        ({"horizon_mode": 2}, 3, 0.6),
        ({"horizon_mode": 3}, 2, 0.6),
    ],
)
def test_a_run_is_as_long_as_the_last_mode_that_it_waits_for_takes(changes, modes, sigma):
    problem = DATASETS["three"][0].problem(centred=True)
    each = experiment(horizon=1.5, extra_iterations=7, **changes)
    for depth, takes in ((2, 4 / np.log1p(0.1 * sigma)), (3, np.exp(4) / (0.1 * sigma))):
        length = run_length(problem, each, depth, 4.0, 0.1, modes)
        assert length == np.ceil(1.5 * takes + 7)


def test_a_run_may_be_given_its_length_and_waits_for_entries_that_it_does_not_see():
    spec = LowRankMatrixData(kind="low_rank_matrix", rank=[2], observed=[0.6], draws=1)
    (part,) = (draw.problem(centred=False) for draw in draw_moments("units", spec, None))
    each = experiment(horizon=1, extra_iterations=0)
    takes = 4 / np.log1p(0.1 * part.observed.mean() * part.modes.sigma[1])
    assert run_length(part, each, 2, 4.0, 0.1, 2) == np.ceil(takes)
    assert run_length(part, experiment(iterations=90, extra_iterations=7), 2, 4.0, 0.1, 2) == 97


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_a_network_without_a_width_is_as_wide_as_the_smaller_side(shape):
    moments = Moments.prescribed(np.eye(shape[0]), np.eye(*shape))
    each = experiment(datasets=["flat"], depth=[2, 3], step_size=[0.1])
    table = simulate(expand("trial", each), each, {"flat": [moments]})
    assert set(table["width"].to_pylist()) == {2}


def test_learning_times_have_one_row_a_run_and_mode_and_the_declared_columns():
    table = learning_times_table(all_shards(experiment()))
    assert table.schema.equals(LEARNING_TIMES)
    assert table.num_rows == 3 * 2 * 3 * 3 + 3 * 2 * 3 * 2
    two = table.filter(pc.equal(table["depth"], 2)).to_pandas()
    law = two["delta"] / np.log1p(two["step_size"] * two["sigma"])
    assert_allclose(two["predicted_discrete"], law)
    assert table.filter(pc.equal(table["depth"], 3))["predicted_discrete"].null_count == 30


def test_a_diverging_run_is_a_result():
    each = experiment(
        depth=[2],
        datasets=["pairs"],
        step_size=[0.1, 30.0],
        extra_iterations=300,
        step_size_unit="per_sigma",
    )
    times = learning_times_table(all_shards(each)).to_pandas()
    by_step = times.groupby("relative_step_size")["status"].agg(lambda column: set(column))
    assert by_step[30.0] == {"diverged"}
    assert by_step[0.1] == {"ok"}
    assert set(times[times["relative_step_size"] == 30.0]["outcome"]) == {"no convergence"}


def test_a_run_that_is_too_short_is_not_reached():
    each = experiment(depth=[2], datasets=["three"], horizon=0.2)
    times = learning_times_table(all_shards(each))
    weakest = times.filter(pc.equal(times["mode"], 3))
    assert set(weakest["status"].to_pylist()) == {"not_reached"}
    assert weakest["learning_iteration"].null_count == len(weakest)


def test_a_summary_is_the_mean_and_quantiles_of_its_runs():
    each = experiment(depth=[2], datasets=["three"], step_size=[0.1], replicates=5)
    shards = all_shards(each)
    summary = summary_table([shards])
    assert summary.schema.equals(SUMMARY)
    runs = pa.concat_tables(shards).to_pandas()
    chosen = runs[(runs["iteration"] == 20) & (runs["mode"] == 2) & ~runs["refined"]]
    row = summary.to_pandas().query("quantity == 'mode_strength' and mode == 2 and iteration == 20")
    assert_allclose(row["mean"], chosen["mode_strength"].mean())
    assert_allclose(row["low"], chosen["mode_strength"].quantile(0.05))
    assert_allclose(row["high"], chosen["mode_strength"].quantile(0.95))
    assert row["seeds"].item() == 5


def test_a_summary_ends_with_its_shortest_run():
    draws = [
        Moments.prescribed(np.eye(3), np.diag([1.0, 0.6, weakest])) for weakest in (0.3, 0.45, 0.35)
    ]
    each = experiment(depth=[2], datasets=["ragged"], step_size=[0.1])
    table = simulate(expand("trial", each), each, {"ragged": draws})
    summary = summary_table([[table]]).to_pandas().query("quantity == 'mode_strength'")
    runs = table.to_pandas().query("not refined")
    assert set(summary["mode"]) == {1, 2, 3}
    assert summary["iteration"].max() == runs.groupby("run")["iteration"].max().min()
    expected = runs.groupby(["mode", "iteration"])["mode_strength"].mean()
    assert_allclose(summary["mean"], expected[summary.set_index(["mode", "iteration"]).index])
    assert (summary["seeds"] == 3).all()


def test_a_summary_is_sorted_by_grid_point_whatever_the_order_of_shards():
    each = experiment(delta=[2.5, 1.5], runs_per_shard=12, depth=[2, 1])
    shards = all_shards(each)
    assert len(shards) > 2
    summary = summary_table([shards])
    assert summary.equals(summary_table([shards[::-1]]))
    points = summary.select(GRID_COLUMNS).to_pylist()
    assert points == sorted(points, key=lambda point: str(tuple(point.values())))
    assert len({str(point) for point in points}) == 2 * 2 * 2 * 2


@pytest.mark.parametrize("depth", [1, 2])
def test_an_aligned_run_with_a_small_step_lies_on_the_predicted_curve(depth):
    each = experiment(
        depth=[depth], datasets=["three"], initialisation=["aligned"], step_size=[0.002], delta=[3]
    )
    summary = summary_table([all_shards(each)]).to_pandas()
    for quantity in ("mode_strength", "trace_norm", "loss"):
        rows = summary[summary["quantity"] == quantity]
        assert rows["largest_deviation"].max() < 5e-3 * rows["predicted"].max()
        assert rows["largest_deviation"].max() > 0


def test_every_column_of_every_schema_says_what_it_means():
    for schema in (TRAJECTORIES, LEARNING_TIMES, SUMMARY):
        assert all(units_of(schema)[name] for name in schema.names)
    assert "(iterations)" in units_of(LEARNING_TIMES)["learning_iteration"]


def test_modes_are_learned_at_half_of_sigma_over_lam_and_end_aligned_where_moments_commute():
    each = experiment(datasets=["pairs"], depth=[2], initialisation=["aligned"], step_size=[0.1])
    table = simulate(expand("trial", each), each, DATASETS)
    times = learning_times_table([table]).to_pandas().set_index(["run", "mode"])
    assert (np.abs(times["lam"] / times["sigma"] - 1) > 0.05).any()
    for place, records in table.to_pandas().groupby(["run", "mode"]):
        row = times.loc[place]
        reached = np.interp(
            row["mode_learning_iteration"], records["iteration"], records["mode_strength"]
        )
        assert_allclose(reached * row["lam"] / row["sigma"], 0.5, atol=0.02)
    curves = summary_table([[table]]).to_pandas()
    alignment = curves[(curves["quantity"] == "alignment") & curves["mean"].notna()]
    end = alignment[alignment["iteration"] == alignment["iteration"].max()]
    assert_allclose(end["mean"], 1, atol=1e-3)
