"""The number of a claim, where a verdict alone would not tell which rows it came from.

Ties are no wins, a start without an orientation is not of the wrong one, and the value is the worst on
either side of what is expected.
"""

import numpy as np
import pandas as pd
import pytest

from .test_claims import BY_ID, aggregates, autoencoder_times, forecast_times, judge, start_times


def judged(name, **frames):
    return judge(BY_ID[name], aggregates(**frames))


@pytest.mark.parametrize(
    ("claim", "one", "other"),
    [
        ("forecast_limit", "reduced_rank", "discrete"),
        ("forecast_step_and_start", "reduced_rank", "vanishing_flow"),
    ],
)
def test_a_law_that_is_as_good_as_another_is_not_closer(claim, one, other):
    times = forecast_times()
    times[f"predicted_{other}"] = times[f"predicted_{one}"]
    assert judged(claim, times=times).measured == 0


def test_in_scope_of_the_step_and_the_start_is_the_largest_delta():
    times = pd.concat([forecast_times(), forecast_times().query("delta == 64").assign(delta=32.0)])
    early = times["delta"] < 64
    times.loc[early, "predicted_reduced_rank"] = 2 * times.loc[early, "predicted_vanishing_flow"]
    found = judged("forecast_step_and_start", times=times)
    assert found.measured == pytest.approx(1 / 3)
    assert found.in_scope == 1


def test_stages_are_late_beyond_three_times_the_scatter_of_the_seeds():
    """With one seed the slope of mode k scatters by √(ψ′((11 − k)/2)/2)/48, of the first by 0.0068."""
    for factor, late in ((1.0, 0), (1.3, 1 / 3)):
        times = forecast_times(seeds=1)
        law = times["delta"] / np.log1p(times["step_size"] * times["sigma"])
        times["learning_iteration"] = law * np.where(times["mode"] == 2, factor, 0.9)
        found = judged("forecast_upper_bound", times=times)
        assert found.measured == pytest.approx(late)
        assert found.interval[1] == pytest.approx(late)


def test_a_start_without_an_orientation_is_not_of_the_wrong_one():
    times = start_times(late=(1, 3, 5, 7, 9), late_by=3.0)
    times.loc[times["orientation"] > 0, "orientation"] = 0.0
    found = judged("ours_orientation", times=times)
    assert found.measured == pytest.approx(3)
    assert found.interval == pytest.approx((3, 3))
    assert "20 of 20 orthogonal" in found.note
    assert judged("review_starts", times=times).in_scope == pytest.approx(1)


def test_a_law_for_starts_is_judged_by_the_worst_quantile_on_either_side():
    early, late = start_times(), start_times()
    early.loc[early["initialisation"] == "gaussian", "learning_iteration"] *= 0.7
    late.loc[late["initialisation"] == "gaussian", "learning_iteration"] *= 1.2
    assert judged("review_starts", times=early).measured == pytest.approx(0.7)
    assert judged("review_starts", times=late).measured == pytest.approx(1.2)


@pytest.mark.parametrize(("ratios", "worst"), [((0.45, 0.6), 0.6), ((0.31, 0.6), 0.31)])
def test_the_assumption_is_judged_by_the_ratio_farthest_from_one_half(ratios, worst):
    table = pd.DataFrame(
        [
            {
                "dataset": name,
                "centred": True,
                "completion": completion,
                "delta_x": 0.5,
                "delta_xy": 0.5 * ratio,
                "delta_xy_low": 0.5 * ratio,
                "delta_xy_high": 0.5 * ratio,
            }
            for name, ratio in zip(("mnist_moments", "cifar10_moments"), ratios, strict=True)
            for completion in ("eigen", "random")
        ]
    )
    found = judged("gidel_assumption_half", assumption=table)
    assert found.measured == pytest.approx(worst)
    assert found.in_scope == pytest.approx(worst)
    assert found.interval == pytest.approx((min(ratios), max(ratios)))


def test_a_component_that_is_never_learned_counts_as_one_that_began_at_once():
    times = autoencoder_times(0.03, learned=False)
    # Of three components one pair each run is missing, the other at 0.03; noise is the fourth mode.
    assert judged("gidel_staircase", times=times).measured == pytest.approx((1 + 0.03) / 2)


def stable_steps(ends):
    """Runs at three depths that converge up to a step each and no longer from the next one on."""
    return pd.DataFrame(
        [
            {
                "experiment": "stable_step_deep",
                "depth": depth,
                "mode": 1,
                "sigma": 1.0,
                "relative_step_size": step,
                "outcome": "monotone" if step <= last else "no convergence",
            }
            for depth, (last, first) in ends.items()
            for step in (1.5, last, first)
        ]
    )


@pytest.mark.parametrize("far", [(2.1, 2.3), (1.7, 1.9)])
def test_the_stable_step_is_the_middle_of_the_worst_bracket(far):
    found = judged(
        "depth_stable_step",
        times=stable_steps({2: (1.95, 2.01), 3: far, 4: (1.98, 2.02)}),
        plateaus=pd.DataFrame(
            [
                {
                    "experiment": "saddles",
                    "at_end": True,
                    "depth": depth,
                    "rank": rank,
                    # Of the solution, L σ₁^(2 − 2/L) with σ₁ = 2^(rank − 1).
                    "largest_curvature": depth * 2.0 ** ((rank - 1) * (2 - 2 / depth)),
                }
                for depth in (2, 3)
                for rank in (1, 3)
            ]
        ),
    )
    assert found.measured == pytest.approx(sum(far) / 2)
    assert found.interval == pytest.approx((min(1.95, far[0]), max(2.02, far[1])))
    assert "4 other runs is 1.00000 to 1.00000" in found.note
