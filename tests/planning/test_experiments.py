from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stagewise.config.models import Experiment
from stagewise.planning.experiments import expand, record_iterations, shard, shard_count


def experiment(**changes: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "datasets": ["one", "other"],
            "depth": [1, 2, 3],
            "initialisation": ["aligned", "gaussian"],
            "delta": [4, 8.5],
            "step_size": [0.1, 0.2],
            "replicates": 3,
        }
        | changes
    )


experiments = st.builds(
    experiment,
    datasets=st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True),
    depth=st.lists(st.integers(1, 4), min_size=1, max_size=2, unique=True),
    initialisation=st.lists(
        st.sampled_from(["aligned", "orthogonal", "gaussian"]), min_size=1, unique=True
    ),
    delta=st.lists(st.integers(1, 20), min_size=1, max_size=3, unique=True),
    step_size=st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=1, unique=True),
    replicates=st.integers(1, 6),
    runs_per_shard=st.integers(1, 400),
)


def test_the_grid_is_every_combination_with_the_first_axis_outermost_and_replicates_innermost():
    runs = expand("name", experiment())
    axes = (["one", "other"], [1, 2, 3], ["aligned", "gaussian"], [4.0, 8.5], [0.1, 0.2], range(3))
    assert [
        (each.dataset, each.depth, each.initialisation, each.delta, each.step_size, each.replicate)
        for each in runs
    ] == list(product(*axes))
    assert len(runs) == 2 * 3 * 2 * 2 * 2 * 3


def test_runs_are_numbered_by_their_position_in_the_grid():
    runs = expand("name", experiment())
    assert [each.run for each in runs] == list(range(len(runs)))


def test_every_run_carries_what_its_experiment_fixes():
    runs = expand("name", experiment(centred=False, width=[7], step_size_unit="absolute"))
    fixed = {(each.experiment, each.centred, each.width, each.step_size_unit) for each in runs}
    assert fixed == {("name", False, 7, "absolute")}


@settings(max_examples=100, deadline=None, derandomize=True)
@given(experiments)
def test_shards_hold_every_run_exactly_once_whatever_their_size(spec):
    shards = [shard("name", spec, index) for index in range(shard_count(spec))]
    dealt = sorted((each for runs in shards for each in runs), key=lambda each: each.run)
    assert dealt == expand("name", spec)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(experiments)
def test_shards_are_full_within_their_limit_and_differ_by_one_run_at_most(spec):
    sizes = [len(shard("name", spec, index)) for index in range(shard_count(spec))]
    assert 1 <= min(sizes) <= max(sizes) <= spec.runs_per_shard
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("runs_per_shard", "count"), [(1, 144), (71, 3), (72, 2), (143, 2), (144, 1), (10_000, 1)]
)
def test_there_are_as_many_shards_as_the_runs_fill(runs_per_shard, count):
    assert shard_count(experiment(runs_per_shard=runs_per_shard)) == count


def first_draws(spec: Experiment, name: str = "name") -> dict[tuple[Any, ...], list[int]]:
    """First draws of every run, by what the run is, shard after shard."""
    return {
        (
            each.dataset,
            each.depth,
            each.initialisation,
            each.delta,
            each.step_size,
            each.replicate,
        ): each.generator().integers(0, 2**62, 2).tolist()
        for index in range(shard_count(spec))
        for each in shard(name, spec, index)
    }


@pytest.mark.parametrize("runs_per_shard", [1, 5, 144])
def test_the_seed_of_a_run_does_not_depend_on_its_shard(runs_per_shard):
    assert first_draws(experiment(runs_per_shard=runs_per_shard)) == first_draws(experiment())


@pytest.mark.parametrize(
    "changes",
    [
        {"datasets": ["new", "other", "one"]},
        {"depth": [4, 3, 2, 1]},
        {"initialisation": ["orthogonal", "gaussian", "aligned"]},
        {"delta": [2, 4, 6, 8.5]},
        {"step_size": [0.05, 0.2, 0.1]},
        {"replicates": 5},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_grid_that_grows_or_is_reordered_keeps_the_seeds_of_its_runs(changes):
    before, after = first_draws(experiment()), first_draws(experiment(**changes))
    assert len(after) > len(before) or "step_size" in changes
    assert {run: after[run] for run in before} == before


def test_no_two_runs_of_an_experiment_share_a_seed():
    draws = first_draws(experiment())
    assert len({tuple(each) for each in draws.values()}) == len(draws) == 144


@pytest.mark.parametrize(
    "other",
    [{"name": "another"}, {"spec": experiment(width=[5])}],
    ids=["another experiment", "another width"],
)
def test_another_experiment_or_width_has_other_seeds(other):
    draws = first_draws(**{"spec": experiment(), **other})
    assert all(draws[run] != mine for run, mine in first_draws(experiment()).items())


PER_DECADE = [5, 20, 100, 2000]
HORIZONS = [0, 1, 2, 17, 1000, 12_345, 1_000_000]


@pytest.mark.parametrize("last", HORIZONS)
@pytest.mark.parametrize("per_decade", PER_DECADE)
def test_records_start_at_zero_and_ascend_to_the_first_at_or_past_the_horizon(per_decade, last):
    records = record_iterations(per_decade, last)
    assert records.dtype == np.int64
    assert records[0] == 0
    assert (np.diff(records) > 0).all()
    assert records[-1] >= last
    if last > 0:
        assert records[-2] < last


@pytest.mark.parametrize("per_decade", PER_DECADE)
def test_every_iteration_is_recorded_until_the_log_spacing_exceeds_one(per_decade):
    dense = int(1 / (10 ** (1 / per_decade) - 1))
    records = record_iterations(per_decade, 10 * dense + 10)
    assert records[: dense + 1].tolist() == list(range(dense + 1))
    assert records[-1] - records[-2] > 1


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(5, 2000), st.integers(1, 10**7), st.integers(1, 10**7))
def test_horizons_share_their_records(per_decade, one, other):
    shorter, longer = sorted(
        (record_iterations(per_decade, one), record_iterations(per_decade, other)), key=len
    )
    assert longer[: len(shorter)].tolist() == shorter.tolist()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(5, 2000), st.integers(1, 10**7))
def test_records_are_no_further_apart_than_the_log_spacing_and_rounding(per_decade, last):
    records = record_iterations(per_decade, last)[1:]
    ratio = 10 ** (1 / per_decade)
    assert (records[1:] <= (records[:-1] + 0.5) * ratio + 0.5).all()


@pytest.mark.parametrize("per_decade", PER_DECADE)
def test_a_decade_holds_no_more_records_than_asked_for(per_decade):
    records = record_iterations(per_decade, 10**7)
    assert np.sum((records > 10**5) & (records <= 10**6)) == per_decade
