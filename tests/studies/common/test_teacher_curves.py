"""Theory and training of noisy teachers are put side by side, iteration by iteration."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from stagewise.studies.common.teacher_curves import teacher_curves, teacher_misses

POINT = {"dataset": "teacher", "initialisation": "aligned", "delta": 5.0, "relative_step_size": 0.1}


def given(measured, spread=0.1):
    iterations = [0, 1, 2]
    rows = []
    for quantity, values in (("test_error", measured), ("loss", [8.0, 4.0, 2.0])):
        for iteration, value in zip(iterations, values, strict=True):
            band = {"mean": value, "low": value - spread, "high": value + spread}
            rows.append(POINT | band | {"quantity": quantity, "iteration": iteration})
    theory = [
        POINT
        | {"experiment": "trial", "teacher_rank": 1, "strength": 2.0, "white": True, "fastest": 0.1}
        | {"version": version, "law": law, "iteration": iteration}
        | {"test_error": 1.0 - 0.2 * iteration, "train_error": 0.5**iteration}
        for version in ("asymptotic", "finite")
        for law in ("flow", "discrete")
        for iteration in [*iterations, 3]
    ]
    return pd.DataFrame(rows), pd.DataFrame(theory)


def test_training_error_is_the_loss_over_that_of_the_start():
    curves = teacher_curves(*given([1.0, 0.8, 0.6]))
    train = curves[curves["quantity"] == "train_error"]
    assert_allclose(train["mean"], [1.0, 0.5, 0.25])
    assert_allclose(train["mean"], train["theory"])


@pytest.mark.parametrize(
    ("measured", "miss", "beyond"),
    [([1.0, 0.8, 0.6], 0.0, 0.0), ([1.0, 0.85, 0.6], 0.05, 0.0), ([1.0, 0.8, 0.9], 0.3, 0.2)],
)
def test_a_miss_counts_beyond_the_band_only_where_it_leaves_it(measured, miss, beyond):
    curves = teacher_curves(*given(measured))
    row = teacher_misses(curves[curves["quantity"] == "test_error"]).iloc[0]
    for law in ("theory", "theory_discrete", "finite", "finite_discrete"):
        assert_allclose([row[law], row[f"{law}_beyond"]], [miss, beyond], atol=1e-12)
