"""Claims come out as their measurements say, refuted ones included."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stagewise.studies.common.judging import judge as judge_with_rivals
from stagewise.studies.common.registry import claims
from stagewise.theory import waiting_growth

from .given import Given, judge

ROOT = Path(__file__).resolve().parents[2]
BY_ID = {claim.id: claim for claim in claims()}


def aggregates(times=None, curves=None, **frames):
    """Tables of a run from given frames."""
    named = {"learning_times": times, "trajectory_summary": curves} | frames
    return Given(**{kind: frame for kind, frame in named.items() if frame is not None})


def limit_times(law):
    """Learning times that obey a law but for an offset, as the experiment would record them."""
    rows = []
    for delta in (80.0, 160.0):
        for seed, growth in enumerate([0.02, 0.1, 0.5] * 5):
            for mode, sigma in enumerate([1.0, 0.5], start=1):
                slope = {"flow": 1 / (growth * sigma), "discrete": 1 / np.log1p(growth * sigma)}
                rows += [
                    {
                        "experiment": name,
                        "seed": seed,
                        "mode": mode,
                        "delta": delta,
                        "sigma": sigma,
                        "step_size": growth,
                        "relative_step_size": growth,
                        "learning_iteration": delta * slope[law] + 3.0,
                    }
                    for name in ("learning_times_limit", "learning_times_limit_gaussian")
                ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("law", "ours", "flow"),
    [("discrete", "supported", "qualified"), ("flow", "refuted", "supported")],
)
def test_the_two_laws_of_learning_times_cannot_both_be_supported(law, ours, flow):
    given = aggregates(limit_times(law))
    assert judge(BY_ID["ours_discrete_law"], given).verdict == ours
    assert judge(BY_ID["gidel_flow_scaling"], given).verdict == flow


def test_one_step_off_the_discrete_law_refutes_it():
    times = limit_times("discrete")
    late = (times["delta"] == 160.0) & (times["step_size"] == 0.1)
    times.loc[late, "learning_iteration"] *= 1.01
    assert judge(BY_ID["ours_discrete_law"], aggregates(times)).verdict == "refuted"


def outcome_times(overshoot_from, failure_from):
    steps = np.round(np.arange(0.4, 1.2, 0.01), 2)
    names = np.where(steps < overshoot_from, "monotone", "overshoot")
    names = np.where(steps >= failure_from, "no convergence", names)
    times = pd.DataFrame({"relative_step_size": steps, "outcome": names})
    return times.assign(experiment="step_size", lam=1.0, sigma=1.0)


@pytest.mark.parametrize(
    ("overshoot_from", "failure_from", "verdicts"),
    [
        (0.51, 1.01, ("supported", "supported")),
        (0.60, 1.01, ("refuted", "supported")),
        (0.51, 0.90, ("supported", "refuted")),
        (9.0, 9.0, ("refuted", "refuted")),
    ],
)
def test_thresholds_are_read_off_the_outcomes(overshoot_from, failure_from, verdicts):
    given = aggregates(outcome_times(overshoot_from, failure_from))
    found = tuple(
        judge(BY_ID[name], given).verdict for name in ("gidel_overshoot", "gidel_convergence")
    )
    assert found == verdicts


@pytest.mark.parametrize(("worst", "verdict"), [(1.05, "supported"), (0.85, "refuted")])
def test_one_mode_that_the_law_misses_refutes_the_headline(worst, verdict):
    ratio = np.array([1.0, 1.02, worst])
    times = pd.DataFrame(
        {
            "experiment": "real_data",
            "dataset": "digits",
            "delta": 16.0,
            "mode": [1, 2, 3],
            "sigma": 1.0,
            "step_size": 0.1,
            "relative_step_size": 0.1,
            "learning_iteration": 100 * ratio,
            "predicted_discrete": 100.0,
            "predicted_flow": 95.0,
            "predicted_staged": 80.0,
        }
    )
    assert judge(BY_ID["review_commutation"], aggregates(times)).verdict == verdict


def stable_times(unbalanced_from):
    """Runs of two problems, of the second from steps as much larger in its unit on; λ differs."""
    rows = [
        {
            "experiment": name,
            "run": 10 * seed + place,
            "seed": seed,
            "mode": mode,
            "sigma": sigma,
            "lam": lam,
            "step_size": step / (1.0 + 2.0 * seed),
            "relative_step_size": step,
            "outcome": "overshoot",
            "final_imbalance": 0.5 if step >= unbalanced_from else 0.001,
        }
        for seed in (0, 1)
        for place, step in enumerate([0.97, 0.99, 1.01, 1.03])
        # max λᵢ(wᵢ + wⱼ) is 2 for equal λ and 5(1 + 0.2) = 6 for the other.
        for mode, sigma, lam in ((1, 1.0, 1.0), (2, 1.0, 5.0 if seed else 1.0))
        for name in ("stable_step", "stable_step_bracket")
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("unbalanced_from", "verdict"),
    [(1.0, "supported"), (1.02, "supported"), (0.9, "refuted"), (9.0, "refuted")],
)
def test_the_change_must_come_at_the_stable_step(unbalanced_from, verdict):
    given = aggregates(stable_times(unbalanced_from))
    judged = judge(BY_ID["ours_stable_step"], given)
    assert judged.verdict == verdict
    assert judged.interval[0] <= judged.measured <= judged.interval[1]


def test_rivals_of_the_stable_step_fall_where_they_differ_from_it():
    claim, times = BY_ID["ours_stable_step"], stable_times(1.0)
    near = times[times["experiment"] == "stable_step_bracket"]
    for rival in claim.rivals:
        value = claim.measure(*rival.tables(near, near)).value
        assert value == pytest.approx({"λ": 1 / 3, "T": 1.0}[rival.law[0]], rel=0.05)


def autoencoder_times(overlap, learned=True):
    rows = [
        {
            "experiment": "autoencoder",
            "run": run,
            "depth": 2,
            "mode": mode,
            "sigma": sigma,
            "learning_iteration": 10.0 * mode if learned or mode < 3 else np.nan,
            "next_overlap": overlap if learned or mode < 2 else np.nan,
        }
        for run in range(3)
        for mode, sigma in enumerate([1.0, 0.5, 0.2, 1e-9], start=1)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("overlap", "learned", "verdict"),
    [(0.03, True, "supported"), (0.57, True, "refuted"), (0.03, False, "refuted")],
)
def test_a_staircase_has_every_step_and_no_overlap(overlap, learned, verdict):
    given = aggregates(autoencoder_times(overlap, learned))
    assert judge(BY_ID["gidel_staircase"], given).verdict == verdict


@pytest.mark.parametrize(
    ("delta_xy", "verdict"),
    [
        ({"eigen": 0.3, "random": 0.31}, "supported"),
        ({"eigen": 0.1, "random": 0.27}, "qualified"),
        ({"eigen": 0.5, "random": 0.55}, "refuted"),
    ],
)
def test_the_assumption_is_judged_on_both_completions(delta_xy, verdict):
    table = pd.DataFrame(
        {
            "dataset": "mnist_moments",
            "centred": True,
            "completion": list(delta_xy),
            "delta_x": 0.6,
            "delta_xy": list(delta_xy.values()),
            "delta_xy_low": list(delta_xy.values()),
            "delta_xy_high": list(delta_xy.values()),
        }
    )
    assert judge(BY_ID["gidel_assumption_half"], aggregates(assumption=table)).verdict == verdict


def forecast_times(integrated=1.0, plain=1.3, staged=1.02, seeds=8):
    """Two data sets whose measured times are off the laws by given factors."""
    rows = [
        {
            "experiment": "forecast",
            "dataset": dataset,
            "relative_step_size": 0.25,
            "step_size": 0.25,
            "sigma": 1 / mode,
            "width": 10,
            "delta": delta,
            "seed": seed,
            "mode": mode,
            "learning_iteration": 10.0 * delta * mode,
            "predicted_discrete": 10.0 * delta * mode * plain,
            "predicted_reduced_rank": 10.0 * delta * mode * 1.2,
            "predicted_vanishing_flow": 10.0 * delta * mode * 1.25,
            "predicted_staged": 10.0 * delta * mode * staged,
            "predicted_integrated": 10.0 * delta * mode * integrated,
            "nearest_reduced_rank": 0.4,
            "nearest_reduced_rank_response": 0.01,
        }
        for dataset in ("power_law", "held_out_power_law")
        for delta in (16.0, 64.0)
        for seed in range(seeds)
        for mode in (1, 2, 3)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("claim", "factors", "verdict"),
    [
        ("forecast_integrated", {"integrated": 1.01}, "supported"),
        ("forecast_integrated", {"integrated": 1.05}, "refuted"),
        ("forecast_held_out", {"integrated": 1.05}, "refuted"),
        ("forecast_staged", {}, "supported"),
        ("forecast_staged", {"staged": 1.05}, "refuted"),
        ("forecast_plain_fails", {"plain": 1.3}, "refuted"),
        ("forecast_plain_fails", {"plain": 1.01}, "supported"),
        ("forecast_limit", {"plain": 1.3}, "supported"),
        ("forecast_limit", {"plain": 1.1}, "refuted"),
        ("forecast_reduced_rank_points", {}, "supported"),
        ("forecast_step_and_start", {}, "supported"),
    ],
)
def test_forecasts_are_judged_by_their_errors(claim, factors, verdict):
    assert judge(BY_ID[claim], aggregates(forecast_times(**factors))).verdict == verdict


def test_the_staged_forecast_is_also_judged_where_moments_commute():
    commuting = forecast_times(staged=1.05).assign(dataset="rotated_0")
    times = pd.concat([forecast_times(), commuting])
    assert judge(BY_ID["forecast_staged"], aggregates(times)).verdict == "refuted"
    assert judge(BY_ID["forecast_integrated"], aggregates(times)).verdict == "supported"


@pytest.mark.parametrize(("delta", "verdict"), [(64.0, "refuted"), (8.0, "qualified")])
@pytest.mark.parametrize("claim", ["forecast_integrated", "forecast_staged"])
def test_a_forecast_that_fails_at_one_scale_fails(claim, delta, verdict):
    times = forecast_times()
    changed = times["delta"] == 64.0
    times.loc[changed, ["predicted_integrated", "predicted_staged"]] *= 1.05
    times.loc[changed, "delta"] = delta
    assert judge(BY_ID[claim], aggregates(times)).verdict == verdict


def test_data_sets_of_fixed_spectra_count_for_the_integrated_forecast():
    rotated = forecast_times(integrated=1.05).assign(dataset="rotated_2")
    times = pd.concat([forecast_times(), rotated])
    assert judge(BY_ID["forecast_integrated"], aggregates(times)).verdict == "refuted"


def test_notes_of_forecasts_say_what_the_error_summarises():
    times = forecast_times()
    times["run"] = np.arange(len(times)) // 3
    times.loc[(times["seed"] == 0) & (times["mode"] == 2), "learning_iteration"] *= 1.2
    times.loc[(times["seed"] == 1) & (times["mode"] == 3), "learning_iteration"] = np.nan
    note = judge(BY_ID["forecast_integrated"], aggregates(times)).note
    # The mean over eight seeds of one stage of three is 1.025 times the forecast.
    assert "power_law 0.0143, 0.0143" in note
    assert "Worst stage of any data set 0.0247, 0.0247" in note
    assert "a single run 0.1823, 0.1823" in note
    assert "2 of 48 learning times" in note


def spiked_times(integrated, staged, draws=10):
    """Draws of which a given number is missed by each of the two forecasts, by 5 %."""
    parts = []
    for draw in range(draws):
        off = {"integrated": 1 + 0.05 * (draw < integrated), "staged": 1 + 0.05 * (draw < staged)}
        own = forecast_times(**off, seeds=2)
        own = own[own["dataset"] == "power_law"]
        run = 100 * draw + own["seed"]
        parts.append(own.assign(run=run, sigma=own["sigma"] * (1 + 0.01 * draw)))
    return pd.concat(parts).assign(experiment="forecast_spiked", dataset="spiked")


@pytest.mark.parametrize(("missed", "verdict"), [(1, "supported"), (2, "refuted")])
def test_spiked_draws_are_told_apart_and_counted(missed, verdict):
    found = judge(BY_ID["forecast_spiked"], aggregates(spiked_times(missed, 6)))
    assert found.verdict == verdict
    assert found.measured == 1 - missed / 10
    assert "staged (F) 60%, 60%" in found.note


def test_the_staged_forecast_holds_outside_the_spectra_that_break_it():
    plain, broken = forecast_times(), spiked_times(0, 1)
    found = judge(BY_ID["forecast_staged"], aggregates(pd.concat([plain, broken])))
    assert found.verdict == "qualified"
    assert found.measured == pytest.approx(np.log(1.05))
    assert found.in_scope == pytest.approx(np.log(1.02))


@pytest.mark.parametrize(
    ("claim", "frame"),
    [
        *((f"forecast_{name}", forecast_times) for name in ("integrated", "held_out", "staged")),
        ("forecast_spiked", lambda: spiked_times(0, 6)),
        ("forecast_step_and_start", forecast_times),
    ],
)
def test_rivals_in_place_of_forecasts_are_rejected(claim, frame):
    found = judge_with_rivals(BY_ID[claim], aggregates(frame()))
    assert found.rival
    assert all(each.rejected for each in found.rival)


def test_without_its_experiments_every_claim_says_not_run():
    verdicts = [judge(claim, aggregates()) for claim in claims()]
    assert {each.verdict for each in verdicts} == {"not run"}
    assert all(each.measured is None for each in verdicts)


def start_times(slope=1.0, late=(), swapped=False, late_by=np.nan):
    """Runs of five square modes from two starts, obeying the law but for a factor."""
    rows = []
    run = 0
    for start in ("aligned", "orthogonal", "gaussian"):
        for delta in (8.0, 16.0):
            for seed in range(10):
                orientation = -1.0 if start == "orthogonal" and seed % 2 else 1.0
                for mode in range(1, 6):
                    law = delta / np.log1p(0.2 / mode)
                    time = slope * law if mode == 2 else law
                    wrong = start == "orthogonal" and mode == 5 and seed in late
                    rows.append(
                        {
                            "experiment": "initialisation",
                            "initialisation": start,
                            "width": 5,
                            "dim_in": 5,
                            "delta": delta,
                            "relative_step_size": 0.2,
                            "run": run,
                            "seed": seed,
                            "mode": mode,
                            "sigma": 1 / mode,
                            "step_size": 0.2,
                            "orientation": orientation,
                            "predicted_discrete": law,
                            "learning_iteration": late_by * law if wrong else time,
                            "mode_learning_iteration": 1.0 if swapped and mode == 4 else time,
                        }
                    )
                run += 1
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("slope", "late", "verdict"),
    [
        (1.0, (), "supported"),
        (1.3, (), "refuted"),
        (1.0, (1, 3, 5, 7, 9), "qualified"),
        (1.0, (0, 2, 4, 6, 8), "refuted"),
    ],
)
def test_the_law_is_for_all_starts_but_orthogonal_ones_of_the_wrong_orientation(
    slope, late, verdict
):
    given = aggregates(start_times(slope, late))
    assert judge(BY_ID["review_starts"], given).verdict == verdict


@pytest.mark.parametrize(("swapped", "verdict"), [(False, "supported"), (True, "refuted")])
def test_neighbours_out_of_order_at_the_largest_delta_refute_the_order(swapped, verdict):
    given = aggregates(start_times(swapped=swapped))
    assert judge(BY_ID["review_order"], given).verdict == verdict


@pytest.mark.parametrize(
    ("late", "late_by", "verdict"),
    [
        ((1, 3, 5, 7, 9), 3.05, "supported"),
        ((1, 3, 5, 7, 9), 2.0, "refuted"),
        ((1, 3, 5, 7, 9), np.nan, "refuted"),
        ((), 3.0, "refuted"),
        ((0, 2, 4), 3.0, "refuted"),
    ],
)
def test_starts_of_the_wrong_orientation_take_three_times_the_law(late, late_by, verdict):
    given = aggregates(start_times(late=late, late_by=late_by))
    assert judge(BY_ID["ours_orientation"], given).verdict == verdict


def moved_times(power=1.0, ratio=1.2):
    rows = [
        {
            "experiment": "perturbation",
            "dataset": f"perturbed_{size}",
            "run": 10 * index + seed,
            "seed": seed,
            "dim_in": 3,
            "delta": 8.0,
            "non_commuting": size * (1 + seed),
            "largest_deviation": (size * (1 + seed)) ** power,
            "largest_deviation_iteration": 10.0,
            "final_deviation": (size * (1 + seed)) ** power / ratio,
            "learning_iteration": 20.0,
        }
        for index, size in enumerate((0.01, 0.1, 1.0))
        for seed in range(4)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("power", "verdict"), [(1.0, "supported"), (2.0, "refuted")])
def test_the_slope_of_the_deviation_decides_whether_it_is_linear(power, verdict):
    given = aggregates(moved_times(power=power))
    assert judge(BY_ID["gidel_perturbation"], given).verdict == verdict


@pytest.mark.parametrize(("ratio", "verdict"), [(1.2, "supported"), (4.0, "refuted")])
def test_a_path_that_strays_far_beyond_its_end_refutes_that_it_does_not(ratio, verdict):
    given = aggregates(moved_times(ratio=ratio))
    assert judge(BY_ID["ours_perturbation_end"], given).verdict == verdict


def passing_times(**nearest):
    rows = [
        {
            "experiment": "reduced_rank_path",
            "dataset": dataset,
            "delta": 16.0,
            "mode": mode,
            "nearest_reduced_rank": value if mode == 1 else 0.0,
        }
        for dataset, value in nearest.items()
        for mode in (1, 2)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("nearest", "verdict"),
    [
        ({"staircase": 1e-4, "misordered": 1e-4}, "supported"),
        ({"staircase": 1e-4, "misordered": 1.0}, "qualified"),
        ({"staircase": 0.5, "misordered": 1.0}, "refuted"),
    ],
)
def test_passing_by_regression_where_orders_agree_alone_qualifies_the_claim(nearest, verdict):
    given = aggregates(passing_times(**nearest))
    assert judge(BY_ID["gidel_reduced_rank"], given).verdict == verdict


def held_out(two_layers):
    times = pd.DataFrame(
        {
            "experiment": "generalisation",
            "dataset": ["noisy_regression", "noisy_regression", "digits_split", "digits_split"],
            "seed": 0,
            "depth": [1, 2, 1, 2],
            "best_test_error": [0.5, two_layers[0], 0.5, two_layers[1]],
        }
    )
    references = pd.DataFrame(
        {
            "experiment": "generalisation",
            "dataset": ["noisy_regression", "noisy_regression", "digits_split", "digits_split"],
            "draw": 0,
            "method": ["ridge", "reduced_rank"] * 2,
            "test_error": 0.5,
        }
    )
    return aggregates(times, references=references)


@pytest.mark.parametrize(
    ("two_layers", "verdict"),
    [((0.4, 0.4), "supported"), ((0.4, 0.6), "qualified"), ((0.6, 0.6), "refuted")],
)
def test_two_layers_must_do_better_on_every_data_set(two_layers, verdict):
    assert judge(BY_ID["gidel_generalisation"], held_out(two_layers)).verdict == verdict


def noisy_teachers(strong=0.5, weak=0.5, discrete=None, white=True):
    """Curves of two strengths whose theory is at the given test errors, training at ½ ± .05."""
    point = {"initialisation": "aligned", "delta": 5.0, "relative_step_size": 0.5}
    curves, theory = [], []
    names = ("lampinen_ganguli_own", "lampinen_ganguli") if white else ("lampinen_ganguli_steps",)
    for name, strength, error in (
        (name, *each) for name in names for each in ((0.84, weak), (4.0, strong))
    ):
        shared = point | {"experiment": name, "dataset": f"teacher_{strength:g}"}
        for iteration in (0, 10):
            for quantity in ("test_error", "loss"):
                band = {"mean": 0.5, "low": 0.45, "high": 0.55, "seeds": 20}
                row = {"quantity": quantity, "iteration": iteration, "flow_time": iteration / 2}
                curves.append(shared | row | band)
            for version in ("asymptotic", "finite"):
                for law in ("flow", "discrete"):
                    there = discrete if law == "discrete" and discrete is not None else error
                    row = {"version": version, "law": law, "iteration": iteration}
                    row |= {"teacher_rank": 1, "strength": strength, "white": white, "fastest": 0.1}
                    theory.append(shared | row | {"test_error": there, "train_error": 1.0})
    return aggregates(curves=pd.DataFrame(curves), teachers=pd.DataFrame(theory))


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        ({}, "supported"),
        ({"weak": 0.9}, "qualified"),
        ({"strong": 0.9, "discrete": 0.5}, "refuted"),
        ({"strong": 0.9}, "refuted"),
    ],
)
def test_the_theory_is_qualified_where_only_drowned_teachers_miss(given, verdict):
    assert judge(BY_ID["lampinen_test_error"], noisy_teachers(**given)).verdict == verdict


@pytest.mark.parametrize(("error", "verdict"), [(0.9, "supported"), (0.5, "refuted")])
def test_coloured_inputs_matter_if_the_theory_for_white_ones_misses(error, verdict):
    given = noisy_teachers(strong=error, weak=error, white=False)
    assert judge(BY_ID["ours_coloured_inputs"], given).verdict == verdict


def waiting_times(factor=1.0):
    """Pairs whose deviation grows by a factor times what is derived, and one that does not grow."""
    rows = []
    for seed, lam in enumerate((0.1, 0.2, 0.3, 2.0)):
        sigma, pair = np.array([1.0, 0.8]), np.array([1.0, lam])
        rate = float(waiting_growth(sigma, pair)) * (1 / 0.8 - 1)
        for delta in (16.0, 96.0):
            for mode in (1, 2):
                rows.append(
                    {
                        "experiment": "perturbation_growth",
                        "dataset": "pairs",
                        "run": seed + delta,
                        "seed": seed,
                        "dim_in": 2,
                        "delta": delta,
                        "mode": mode,
                        "sigma": sigma[mode - 1],
                        "lam": pair[mode - 1],
                        "non_commuting": 1e-7,
                        "largest_deviation": 1e-7 * np.exp(factor * rate * delta),
                        "largest_deviation_iteration": 1.0,
                        "final_deviation": 1e-7,
                        "learning_iteration": 1.0,
                    }
                )
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "supported"), (0.5, "refuted")])
def test_the_growth_while_waiting_must_be_that_of_the_saddle(factor, verdict):
    given = aggregates(waiting_times(factor))
    assert judge(BY_ID["ours_perturbation_growth"], given).verdict == verdict


def test_no_note_holds_a_number_that_was_not_measured():
    recorded = json.loads((ROOT / "reference" / "claims.json").read_text(encoding="utf-8"))
    notes = {each["id"]: each["note"] for each in recorded}
    assert len(notes) == len(BY_ID)
    assert [name for name, note in notes.items() if re.search(r"\bnan\b", note)] == []
