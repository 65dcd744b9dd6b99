"""Initial scales given per layer or for the product, and update rules, as axes of the grid."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.config.models import Experiment
from stagewise.planning.experiments import expand, shard_count


def experiment(**changes):
    fields = {
        "datasets": ["one"],
        "depth": [2, 3],
        "product_scale": [1e-3, 1e-6],
        "step_size": [0.1],
        "replicates": 2,
    }
    return Experiment.model_validate(
        {key: value for key, value in (fields | changes).items() if value is not None}
    )


def test_a_product_scale_is_shared_out_among_the_layers():
    runs = expand("name", experiment())
    assert_allclose(
        [np.exp(-each.depth * each.delta) for each in runs], 2 * [*[1e-3] * 2, *[1e-6] * 2]
    )


def test_a_delta_is_each_layers_own():
    runs = expand("name", experiment(product_scale=None, delta=[4.0]))
    assert {each.delta for each in runs} == {4.0}


def test_optimisers_start_from_the_same_weights():
    runs = expand("name", experiment(optimizer=["gradient_descent", "rmsprop"]))
    assert len(runs) == 2 * 2 * 2 * 2
    assert shard_count(experiment(optimizer=["gradient_descent", "rmsprop"], runs_per_shard=4)) == 4
    starts = {}
    for each in runs:
        starts.setdefault((each.depth, each.delta, each.replicate), set()).add(
            float(each.generator().standard_normal())
        )
    assert {len(values) for values in starts.values()} == {1}


@pytest.mark.parametrize(
    ("changes", "word"), [({"delta": [4.0]}, "both"), ({"product_scale": None}, "neither")]
)
def test_one_of_the_two_scales_is_given(changes, word):
    with pytest.raises(ValueError, match=f"{word} of delta and product_scale is given"):
        experiment(**changes)
