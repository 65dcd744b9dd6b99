"""From runs to stages, plateaus and their table."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.config.models import Experiment
from stagewise.config.sentences import parse_config
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.low_rank_matrix import LowRankMatrixData
from stagewise.pipeline.learning_times import learning_times_table
from stagewise.pipeline.plateaus import plateaus_table
from stagewise.pipeline.simulate import simulate
from stagewise.pipeline.stages import stages_table
from stagewise.planning.experiments import expand, shard, shard_count
from stagewise.store.parquet import canonical_hash
from stagewise.store.schemas import PLATEAUS, STAGES
from stagewise.studies.common.depth import (
    log_slope,
    passing_tolerance,
    run_separation,
    stage_counts,
    staged_runs,
    with_depth_law,
    with_product_scale,
)

DATASETS = {
    "factors": draw_moments(
        "factors",
        LowRankMatrixData(
            kind="low_rank_matrix", dim_in=10, dim_out=10, rank=[1, 3], observed=[1, 0.5], draws=2
        ),
        None,
    )
}


def experiment(**changes):
    fields = {
        "datasets": ["factors"],
        "depth": [2],
        "product_scale": [1e-7],
        "step_size": [0.5],
        "step_size_unit": "per_solution",
        "replicates": 8,
        "horizon": 2.5,
        "records_per_decade": 60,
        "refine": False,
        "stages": True,
    }
    return Experiment.model_validate(fields | changes)


def frame(table):
    found = table.to_pandas()
    return found.astype(dict.fromkeys(found.select_dtypes("category").columns, "str"))


@pytest.fixture(scope="module")
def stages():
    each = experiment(depth=[2, 3], product_scale=[1e-5])
    return stages_table([simulate(expand("trial", each), each, DATASETS)])


def test_rows_follow_the_schema_one_more_than_stages_a_run(stages):
    assert stages.schema.equals(STAGES)
    rows = frame(stages)
    counts = rows.groupby("run").agg(rows=("stage", "size"), stages=("stages", "first"))
    assert (counts["rows"] == counts["stages"] + 1).all()
    assert len(counts) == 16


def test_fully_observed_runs_have_as_many_stages_as_their_rank(stages):
    runs = staged_runs(frame(stages))
    full = runs[runs["observed"] == 1]
    assert (full["stages"] == full["rank"]).all()
    assert full["clean"].all()
    assert full["recovered"].all()


def test_losses_at_plateaus_are_predicted_where_all_is_observed_and_not_elsewhere(stages):
    rows = frame(stages)
    full = rows[(rows["observed"] == 1) & (rows["stage"] <= rows["stages"])]
    assert_allclose(full["loss"], full["predicted_loss"], rtol=0.1)
    first = full[(full["rank"] == 3) & (full["stage"] == 1)]
    assert_allclose(first["predicted_loss"], 10.5)
    assert rows[rows["observed"] < 1]["predicted_loss"].isna().all()


def test_the_table_of_counts_has_a_row_a_grid_point(stages):
    table = stage_counts(frame(stages))
    assert len(table) == 2 * 2 * 2
    row = table[(table["depth"] == 3) & (table["observed"] == 1) & (table["rank"] == 3)].iloc[0]
    assert (row["runs"], row["stages"], row["equal"], row["clean"]) == (2, 3, 1, 1)


@pytest.mark.parametrize("runs_per_shard", [1, 3])
def test_the_shard_size_changes_no_bit_of_the_stages(runs_per_shard):
    def table(each):
        return stages_table(
            simulate(shard("trial", each, index), each, DATASETS)
            for index in range(shard_count(each))
        )

    assert canonical_hash(table(experiment(runs_per_shard=runs_per_shard))) == canonical_hash(
        table(experiment())
    )


def test_a_completion_has_a_longer_horizon_as_its_gradient_is_smaller():
    each = experiment(step_size=[0.03], step_size_unit="absolute")
    lengths = frame(simulate(expand("trial", each), each, DATASETS)).groupby(["rank", "observed"])
    last = lengths["iteration"].max()
    assert_allclose(last[3, 0.5] / last[3, 1.0], 2, rtol=0.15)


def test_a_length_in_iterations_takes_the_place_of_the_horizon():
    each = experiment(iterations=777, optimizer=["gradient_descent", "rmsprop"])
    rows = frame(simulate(expand("trial", each), each, DATASETS))
    assert rows.groupby("run")["iteration"].max().between(777, 777 * 1.05).all()
    assert set(rows["optimizer"]) == {"gradient_descent", "rmsprop"}


def test_the_step_is_in_units_of_the_curvature_at_the_solution():
    each = experiment(depth=[3])
    rows = frame(simulate(expand("trial", each), each, DATASETS))
    steps = rows.groupby("rank")["step_size"].first()
    assert_allclose(steps, [0.5 / 3, 0.5 / (3 * 4 ** (4 / 3))])


@pytest.fixture(scope="module")
def plateaus():
    each = experiment(depth=[2, 3], initialisation=["aligned"], plateaus=True, replicates=5)
    return plateaus_table("trial", each, DATASETS)


def test_plateaus_follow_the_schema(plateaus):
    assert plateaus.schema.equals(PLATEAUS)
    rows = frame(plateaus)
    assert (rows.groupby("run")["at_end"].sum() == 1).all()


def test_the_curvature_at_plateaus_is_that_of_the_closed_forms(plateaus):
    rows = frame(plateaus)
    rows = rows[(rows["observed"] == 1) & (rows["rank"] == 3)]
    two = rows[(rows["depth"] == 2) & ~rows["at_end"]]
    assert_allclose(two["smallest_curvature"], [-4, -2, -1], rtol=0.02)
    first = rows[(rows["depth"] == 3) & (rows["stage"] == 1)]
    assert_allclose(first["smallest_curvature"], -2 * 4 * 1e-7 ** (1 / 3), rtol=1e-3)
    ends = rows[rows["at_end"]].set_index("depth")["largest_curvature"]
    assert_allclose(ends[[2, 3]], [8, 3 * 4 ** (4 / 3)], rtol=1e-3)


def test_plateaus_of_a_fully_observed_target_are_its_truncations(plateaus):
    rows = frame(plateaus)
    rows = rows[(rows["observed"] == 1) & (rows["depth"] == 3)]
    assert (rows["greedy_distance"] < 1e-4).all()
    assert_allclose(rows["greedy_loss"], rows["predicted_loss"], atol=1e-9)
    ends = rows[rows["at_end"]]
    assert (ends["product_rank"] == ends["rank"]).all()


def test_curvature_can_be_left_out():
    each = experiment(plateaus=True, curvature=False, replicates=1)
    table = plateaus_table("trial", each, DATASETS)
    assert table["smallest_curvature"].null_count == table.num_rows


def test_the_tolerance_that_passes_is_the_larger_of_gradient_and_squared_curvature():
    rows = frame(plateaus_table("trial", experiment(plateaus=True, replicates=1), DATASETS))
    rows["gradient_norm"], rows["smallest_curvature"] = 0.1, -0.5
    assert_allclose(passing_tolerance(rows), 0.25)
    rows["smallest_curvature"] = 0.5
    assert_allclose(passing_tolerance(rows), 0.1)


def test_an_exponent_is_recovered():
    scale = np.array([1e-2, 1e-4, 1e-6])
    rows = frame(stages_table([])).reindex(range(3))
    rows["product_scale"], rows["value"] = scale, -3 * scale**0.4
    assert log_slope(rows, "value") == pytest.approx(0.4)


def test_learning_times_of_deep_aligned_runs_are_those_of_the_closed_form():
    each = experiment(depth=[2, 3], initialisation=["aligned"], refine=True, replicates=6)
    times = frame(learning_times_table([simulate(expand("trial", each), each, DATASETS)]))
    times = with_depth_law(times[times["observed"] == 1])
    deep = times[times["depth"] == 3]
    assert (abs(deep["learning_iteration"] - deep["predicted_closed"]) < 0.2).all()
    assert times[times["depth"] == 2]["predicted_closed"].isna().all()
    assert_allclose(with_product_scale(times)["product_scale"], 1e-7)


def test_the_separation_of_a_run_is_its_worst_pair():
    each = experiment(refine=True, product_scale=[1e-6])
    times = frame(learning_times_table([simulate(expand("trial", each), each, DATASETS)]))
    runs = run_separation(times[(times["rank"] == 3) & (times["observed"] == 1)])
    assert runs["overlap"].between(0, 0.1).all()
    assert runs["last_iteration"].notna().all()


def test_curvature_where_training_rests_is_the_same_to_the_last_bit_each_time(default_config):
    # From this start two runs rest where Lanczos exhausts its space and goes on from a random one.
    config = parse_config(default_config)
    factors = draw_moments("factors", config.datasets["factors"], None)
    changes = {"depth": [2], "product_scale": [1e-4]}
    each = config.experiments["saddles"].model_copy(update=changes)
    once, again = (plateaus_table("saddles", each, {"factors": factors}) for _ in range(2))
    assert canonical_hash(once) == canonical_hash(again)
