"""Claims count the rows that they are about, and no others: whatever is outside is spoiled here.

The tables are small enough to read off what must be measured, and so are the rivals' numbers.
"""

import numpy as np
import pandas as pd
import pytest

from stagewise.studies.common.judging import judge as judge_with_rivals
from stagewise.studies.common.registry import claims
from stagewise.studies.stage_counts import IDENTIFIED
from stagewise.theory import descent_iteration

from .given import Given, in_its_interval

BY_ID = {claim.id: claim for claim in claims()}


def judged(name, **frames):
    return in_its_interval(judge_with_rivals(BY_ID[name], Given(**frames)))


def rivals(found):
    return [each.measured for each in found.rival]


def crossed(**columns):
    """A row for each combination of the values."""
    index = pd.MultiIndex.from_product(columns.values(), names=list(columns))
    return index.to_frame(index=False)


def test_the_closed_form_is_compared_for_each_mode_of_two_layers_over_all_of_training():
    curves = crossed(depth=[1, 2], quantity=["mode_strength", "trace_norm"], mode=[1, 2], at=[0, 1])
    mine = (curves["depth"] == 2) & (curves["quantity"] == "mode_strength")
    strength = np.where(curves["mode"] == 1, 2.0, 0.5) * curves["at"]
    deviation = curves["mode"].map({1: 0.02, 2: 0.004}) / (1 + curves["at"])
    curves = curves.assign(
        experiment="closed_form",
        dataset="staircase",
        relative_step_size=0.002,
        delta=4.0,
        predicted=strength,
        largest_deviation=deviation.where(mine, 9.0),
    )
    found = judged("gidel_closed_form", trajectory_summary=curves)
    assert found.measured == pytest.approx(0.01)
    assert found.interval == pytest.approx((0.008, 0.01))
    assert "at ησ₁ = 0.002 and δ up to 4." in found.note
    # λ/σ in place of σ/λ: ½ for 2, and 2 for ½.
    assert rivals(found) == pytest.approx([1.5 / 0.5])


def test_overlaps_are_the_worst_pairs_of_one_depth_at_the_smallest_start():
    times = crossed(depth=[1, 2], delta=[2.0, 8.0], mode=[1, 2]).assign(
        experiment="closed_form", next_overlap=[0.6, 0.5, 0.4, 0.66, 0.3, 0.5, 0.006, 0.003]
    )
    two = judged("gidel_sequential", learning_times=times)
    assert (two.measured, two.interval) == (0.006, (0.006, 0.5))
    assert rivals(two) == [0.66]
    one = judged("gidel_linear_simultaneous", learning_times=times)
    assert one.measured == pytest.approx(1.1)
    assert one.interval == pytest.approx((1, 1.1))
    assert "at δ = 8 over that at δ = 2: 0.660 against 0.600" in one.note
    assert rivals(one) == pytest.approx([0.012])


def test_the_order_of_pairs_is_that_at_the_smaller_step_and_the_largest_start():
    times = crossed(
        dataset=["pairs", "pairs_equal_lam"],
        relative_step_size=[0.1, 0.5],
        delta=[1.5, 3.0],
        seed=range(4),
        mode=[1, 2],
    )
    times["run"] = np.arange(len(times)) // 2
    first = (times["delta"] == 1.5) & (times["seed"] == 0)
    swapped = (times["dataset"] == "pairs") & ((times["relative_step_size"] == 0.5) | first)
    late = times["mode"].where(~swapped, 3 - times["mode"])
    times = times.assign(experiment="mode_order", mode_learning_iteration=10.0 * late)
    found = judged("gidel_order", learning_times=times)
    assert found.measured == 0.25
    assert found.interval == pytest.approx((0.0456, 0.6994), abs=1e-4)  # Wilson's, of 1 in 4
    assert (found.in_scope, found.verdict) == (0, "qualified")
    assert "ησ₁ = 0.1: 1 of 4 at δ = 1.5, 0 of 4 at δ = 3; ησ₁ = 0.5: 4 of 4" in found.note
    assert "with equal λ 0 of 16" in found.note
    assert rivals(found) == [0.75]


def test_gaussian_starts_are_judged_by_the_strongest_mode_between_the_two_largest_scales():
    times = crossed(
        initialisation=["gaussian", "aligned"],
        relative_step_size=[0.1, 0.5],
        delta=[5.0, 10.0, 20.0],
        seed=[0, 1],
        mode=[1, 2],
    )
    step, sigma = times["relative_step_size"] / 2, 2.0
    law = times["delta"] / np.log1p(step * sigma)
    factor = np.where(times["seed"] == 0, 0.99, 1.03)
    mine = times["initialisation"] == "gaussian"
    mine &= (times["relative_step_size"] == 0.5) & (times["mode"] == 1) & (times["delta"] > 5)
    times = times.assign(
        experiment="learning_times",
        sigma=sigma,
        step_size=step,
        predicted_discrete=law,
        predicted_flow=times["delta"] / (step * sigma),
        learning_iteration=np.where(mine, factor, 2.0) * law + 7,
    )
    found = judged("review_alignment", learning_times=times)
    assert found.measured == pytest.approx(1.01)
    assert found.interval == pytest.approx((0.99, 1.03))
    assert "mean over 2 seeds: 2.0000 at ησ₁ = 0.1, 1.0100 at ησ₁ = 0.5" in found.note
    over_law = [(2 + 7 * np.log1p(step) / 5) for step in (0.1, 0.5)]
    assert f"{np.mean(over_law):.3f} at δ = 5" in found.note
    x, one = 0.5, np.log(1.5)
    assert rivals(found) == pytest.approx([one / x, one * (1 + x) / x, one / (np.sqrt(2) - 1)])


def test_uncentred_data_are_judged_by_the_mode_farthest_from_the_law_in_the_mean_over_seeds():
    times = crossed(delta=[2.0, 16.0], mode=[1, 2, 3], seed=[0, 1])
    ratio = [1.3, 1.3, 1.2, 1.2, 1.1, 1.1, 1.0, 1.1, 0.9, 0.95, 1.0, np.nan]
    times = times.assign(
        experiment="real_data_uncentred",
        dataset="digits",
        relative_step_size=0.1,
        predicted_discrete=50.0,
        learning_iteration=50.0 * np.array(ratio),
    )
    found = judged("review_uncentred", learning_times=times)
    assert found.measured == pytest.approx(0.925)
    assert found.interval == pytest.approx((0.9, 1.1))
    assert "at δ = 16 (1 not learned); at δ = 2 it is at 1.30" in found.note
    assert rivals(found) == pytest.approx([0.925 / 2])


def test_forecasts_of_real_data_are_judged_at_the_smallest_step_and_start_by_the_worst_set():
    times = crossed(
        dataset=["digits", "wine"], relative_step_size=[0.1, 0.5], delta=[4.0, 16.0], mode=[1, 2]
    )
    mine = (times["relative_step_size"] == 0.1) & (times["delta"] == 16)
    off = times["dataset"].map({"digits": 0.01, "wine": 0.02}).where(mine, 0.5)
    sign = np.where(times["mode"] == 1, 1, -1)
    times = times.assign(experiment="real_data", learning_iteration=100.0)
    for law, factor in (("staged", 1), ("discrete", 3), ("reduced_rank", 2), ("integrated", 0.5)):
        times[f"predicted_{law}"] = 100 * np.exp(sign * factor * off)
    found = judged("forecast_real_data", learning_times=times)
    assert found.measured == pytest.approx(0.02)
    assert found.interval == pytest.approx((0.01, 0.02))
    assert "digits 0.030, 0.020, 0.010, 0.005; wine 0.060, 0.040, 0.020, 0.010" in found.note
    assert rivals(found) == pytest.approx([0.06])


def test_greedy_maps_are_compared_with_deep_saddles_where_most_is_observed():
    rests = crossed(depth=[2, 3], observed=[0.4, 0.6], at_end=[False, True], learned=[0, 1, 2])
    mine = (rests["depth"] == 3) & (rests["observed"] == 0.6)
    mine &= ~rests["at_end"] & (rests["learned"] > 0)
    shallow = (rests["depth"] == 2) & (rests["observed"] == 0.4)
    distance = np.where(mine, 0.01 * rests["learned"], np.where(shallow, 3.0, 5.0))
    rests = rests.assign(
        experiment="completion_path",
        delta=3.0,
        greedy_distance=distance,
        greedy_loss=1.0,
        loss=np.where(mine, np.where(rests["learned"] == 1, 0.98, 0.995), 1.0),
    )
    found = judged("depth_greedy", plateaus=rests)
    assert found.measured == pytest.approx(0.0195)  # 19/20 of the way from 0.01 to 0.02
    assert found.interval == pytest.approx((0.01, 0.02))
    assert "Medians: 3.0e+00 (L = 2, 40%), 5.0e+00 (L = 3, 40%), 5.0e+00 (L = 2, 60%)" in found.note
    assert "At 12% of all plateaus" in found.note  # one of eight
    assert rivals(found) == [3.0]


def deep_times(off):
    """Runs at three depths, two scales and two steps: `off` is the factor on the closed form."""
    times = crossed(depth=[2, 3, 4], scale=[0, 1], relative_step_size=[0.1, 0.4], mode=[1, 2])
    depth = times["depth"]
    delta = depth.map({2: 8.0, 3: 5.0, 4: 3.0}) + times["scale"]
    sigma, step = np.where(times["mode"] == 1, 2.0, 1.0), times["relative_step_size"] / 2
    laws = np.full(len(times), np.nan)
    for each in (3, 4):
        own = (depth == each).to_numpy()
        ones = np.ones(own.sum())
        laws[own] = descent_iteration(sigma[own], ones, delta[own], step[own], each)
    times = times.assign(
        experiment="depth_law", observed=1.0, delta=delta, sigma=sigma, lam=1.0, step_size=step
    )
    times["predicted_flow"] = delta / (step * sigma)
    return times.assign(mode_learning_iteration=off(times) * laws), laws


def test_the_closed_form_of_deep_networks_is_judged_by_the_worst_mode_on_either_side():
    for far in (0.99, 1.008):
        times, laws = deep_times(lambda rows, far=far: np.where(rows.index == 13, far, 1.001))
        times.loc[times["depth"] == 2, "mode_learning_iteration"] = 1.0
        times.loc[14, "mode_learning_iteration"] = np.nan
        found = judged("depth_closed_form", learning_times=times)
        assert found.measured == pytest.approx(far)
        assert found.interval == pytest.approx((min(far, 1.001), max(far, 1.001)))
        assert "the worst of 15 modes" in found.note
        gap = (far - 1) * laws[13]
        others = 0.001 * np.delete(laws, [13, 14])
        every = np.abs(np.append(others[np.isfinite(others)], gap))
        listed = f"the largest gap is {every.max():.2f}, its median {np.median(every):.3f}."
        assert listed in found.note


def test_the_correction_of_deep_networks_is_measured_at_the_smallest_start_and_the_largest_step():
    times, _ = deep_times(lambda rows: 1.0)
    x = times["step_size"] * times["sigma"]
    flow = np.exp(times["delta"] * (times["depth"] - 2)) / ((times["depth"] - 2) * x)
    flow = flow.where(times["depth"] > 2, times["predicted_flow"])
    chosen = (times["scale"] == 1) & (times["relative_step_size"] == 0.4) & (times["mode"] == 1)
    factor = times["depth"].map({2: 1.2, 3: 0.98, 4: 1.01}).where(chosen, 3.0)
    found = judged(
        "depth_no_correction", learning_times=times.assign(mode_learning_iteration=factor * flow)
    )
    assert found.measured == pytest.approx(0.98)
    assert found.interval == pytest.approx((0.98, 1.01))
    assert "ησ = 0.4" in found.note
    assert "1.2000 at L = 2, 0.9800 at L = 3, 1.0100 at L = 4" in found.note
    correction = 0.4 / np.log(1.4)
    assert f"x/ln(1 + x) is {correction:.4f}" in found.note
    assert rivals(found) == pytest.approx([1.01 * correction])


def staged(clean, recovered):
    """Runs with one row at the end and one before it; a run that is not clean has merged stages."""
    runs = crossed(
        depth=[2, 3], observed=[0.4, 0.6, 1.0], dim_in=[6, 8], rank=[1, 2, 3], seed=range(6)
    )
    runs["run"] = np.arange(len(runs))
    runs = runs.assign(
        experiment="stage_counts_3",
        dim_out=runs["dim_in"],
        delta=3.0,
        stages=runs["rank"],
        distance=np.where(recovered(runs), 0.04, 0.06),
        merged=np.where(clean(runs), 1, 2),
    )
    middle = runs.assign(stage=runs["stages"], rises=runs["merged"], distance=1.0)
    return pd.concat([middle, runs.assign(stage=runs["stages"] + 1, rises=0)])


def test_completion_counts_runs_of_rank_two_and_more_where_most_is_observed():
    def clean(runs):
        deep = (runs["depth"] == 3) & (runs["observed"] == 0.6) & (runs["rank"] > 1)
        shallow = (runs["depth"] == 2) & (runs["observed"] == 0.6) & (runs["rank"] > 1)
        whole = (runs["depth"] == 2) & (runs["observed"] == 1)
        small = (runs["dim_in"] == 6) & (runs["rank"] == 3)
        return (deep & ((runs["seed"] > 0) | small)) | (shallow & (runs["seed"] == 0)) | whole

    rows = staged(clean, lambda runs: runs["seed"] < 0)
    deep = judged("depth_completion_deep", stages=rows)
    assert deep.measured == pytest.approx(21 / 24)
    assert "n = 6 and rank 3 or more: 1.00" in deep.note
    assert "0.00 (L = 3, n = 6, 40%), 0.92 (L = 3, n = 6, 60%)" in deep.note
    assert "Mean stages over rank at 60%: 1.00" in deep.note
    shallow = judged("depth_completion_shallow", stages=rows)
    assert shallow.measured == pytest.approx(1 / 6)
    assert rivals(deep) == pytest.approx([1 / 6])
    assert rivals(shallow) == [1]


def test_recovery_counts_clean_runs_of_deep_networks_that_see_a_part():
    def clean(runs):
        return (runs["seed"] > 0) & (runs["depth"] == 3) & (runs["observed"] < 1)

    def known(runs):
        unknowns = runs["rank"] * (2 * runs["dim_in"] - runs["rank"])
        return unknowns / (runs["observed"] * runs["dim_in"] ** 2)

    def recovered(runs):
        return clean(runs) & ((known(runs) <= IDENTIFIED) | (runs["seed"] == 1))

    rows = staged(clean, recovered)
    found = judged("depth_completion_recovery", stages=rows)
    share = known(rows[(rows["stage"] > rows["stages"]) & clean(rows)])
    few, many = (share <= IDENTIFIED).sum(), (share > 0.75).sum()
    assert 0 < few < len(share) - many
    assert many > 0
    assert found.in_scope == 1
    assert found.measured == pytest.approx((few + (len(share) - few) / 5) / len(share))
    assert f"Of the {few} with at most" in found.note
    assert f"of the {many} with more than 0.75 20%" in found.note


LAWS = [(version, law) for version in ("asymptotic", "finite") for law in ("flow", "discrete")]


def teachers(name, points, errors):
    """Curves from 1 to ¼ of both errors, in a band of ± .05, and theories off by so much at the end.

    points : rows of dataset, strength, white, relative_step_size. errors : of a point, by theory and
    quantity.
    """
    shared = {"experiment": name, "initialisation": "aligned", "delta": 5.0}
    curves, theory = [], []
    for point in points:
        where = shared | {each: point[each] for each in ("dataset", "relative_step_size")}
        for iteration, mean in ((0, 1.0), (10, 0.25)):
            place = where | {"iteration": iteration}
            for quantity, size in (("test_error", 1.0), ("loss", 8.0)):
                band = {"mean": mean, "low": mean - 0.05, "high": mean + 0.05}
                row = {each: size * value for each, value in band.items()}
                curves.append(place | row | {"quantity": quantity, "seeds": 20})
            known = {"teacher_rank": 1, "strength": point["strength"], "white": point["white"]}
            known["fastest"] = point["relative_step_size"]
            for version, law in LAWS:
                off = {
                    quantity: mean + (iteration > 0) * errors(point, version, law, quantity)
                    for quantity in ("test_error", "train_error")
                }
                theory.append(place | known | {"version": version, "law": law} | off)
    return pd.DataFrame(curves), pd.DataFrame(theory)


def test_the_training_error_of_noisy_teachers_is_a_share_of_that_at_the_start():
    points = [
        {"dataset": f"m_{m:g}", "strength": m, "white": True, "relative_step_size": 0.1}
        for m in (0.84, 4.0, 6.0)
    ]

    def off(point, version, law, quantity):
        mine = (version, law, quantity) == ("asymptotic", "flow", "train_error")
        return {0.84: 0.3, 4.0: 0.07, 6.0: -0.08}[point["strength"]] if mine else 0.5

    both = [teachers(name, points, off) for name in ("lampinen_ganguli_own", "lampinen_ganguli")]
    curves, theory = (pd.concat(tables) for tables in zip(*both, strict=True))
    found = judged("lampinen_train_error", trajectory_summary=curves, teachers=theory)
    assert found.measured == pytest.approx(0.25)
    assert found.in_scope == pytest.approx(0.03)
    assert found.interval == pytest.approx((0.02, 0.25))
    assert "0.250 at m = 0.84, 0.020 at m = 4, 0.030 at m = 6" in found.note
    assert "is within 0.450 of the band" in found.note
    assert rivals(found) == pytest.approx([0.7])


def test_growth_is_compared_by_the_finite_theory_of_white_inputs_at_the_worst_step():
    points = [
        {"dataset": name, "strength": 4.0, "white": white, "relative_step_size": step}
        for name, white in (("white", True), ("coloured", False))
        for step in (0.5, 0.1)
    ]

    def off(point, version, law, quantity):
        if (version, quantity) != ("finite", "test_error") or not point["white"]:
            return 0.01 if law == "flow" else 0.9
        return {"flow": {0.1: 0.4, 0.5: 0.5}, "discrete": {0.1: 0.1, 0.5: -0.2}}[law][
            point["relative_step_size"]
        ]

    curves, theory = teachers("lampinen_ganguli_steps", points, off)
    found = judged("ours_teacher_growth", trajectory_summary=curves, teachers=theory)
    assert found.measured == pytest.approx(0.4)
    assert found.interval == pytest.approx((0.25, 0.4))
    assert "0.400 and 0.100 at ησ₁ = 0.1, 0.500 and 0.200 at ησ₁ = 0.5" in found.note
    assert rivals(found) == pytest.approx([1.0])
