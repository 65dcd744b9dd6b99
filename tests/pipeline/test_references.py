"""Methods that are solved: their held-out errors against solutions worked out here."""

import numpy as np
import pytest

from stagewise.config.models import Experiment
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.aligned import AlignedData
from stagewise.data.kinds.low_rank_regression import LowRankRegressionData
from stagewise.pipeline.references import references_table

DATASETS = {
    "noisy": draw_moments(
        "noisy",
        LowRankRegressionData(
            kind="low_rank_regression", dim_in=6, dim_out=3, rank=1, samples=20, noise=0.5, draws=3
        ),
        None,
    ),
    "none_held_out": draw_moments("none", AlignedData(kind="aligned", sigma=[1.0]), None),
}
EACH = Experiment.model_validate(
    {"datasets": [*DATASETS], "delta": [3.0], "step_size": [0.1], "replicates": 2}
    | {"references": True}
)


@pytest.fixture(scope="module")
def references():
    return references_table("trial", EACH, DATASETS).to_pandas()


def test_every_rank_and_penalty_of_each_draw_with_held_out_data_is_tried(references):
    assert set(references["dataset"]) == {"noisy"}
    assert set(references["draw"]) == {0, 1}
    for _, rows in references.groupby("draw"):
        ranks = rows[rows["method"] == "reduced_rank"]["parameter"]
        assert list(ranks) == [1, 2, 3]
        penalties = rows[rows["method"] == "ridge"]["parameter"]
        assert (penalties.min(), penalties.max()) == pytest.approx((1e-6, 10))
        assert np.ptp(np.diff(np.log(penalties))) == pytest.approx(0, abs=1e-9)


def test_errors_are_those_of_the_maps_that_minimise_the_loss(references):
    for row in references.itertuples():
        problem = DATASETS["noisy"][row.draw].problem(EACH.centred)
        sigma_x, sigma_xy = problem.sigma_x, problem.sigma_xy
        if row.method == "ridge":
            largest = np.linalg.norm(sigma_x, 2)
            found = np.linalg.solve(sigma_x + row.parameter * largest * np.eye(6), sigma_xy)
        else:
            # In inputs made white the loss is a distance, and its best map a truncated SVD.
            root = np.linalg.cholesky(sigma_x)
            left, values, right = np.linalg.svd(np.linalg.solve(root, sigma_xy))
            kept = slice(int(row.parameter))
            found = np.linalg.solve(root.T, (left[:, :3] * values)[:, kept] @ right[kept])
        assert row.test_error == pytest.approx(problem.held_out.error(found), rel=1e-6)
