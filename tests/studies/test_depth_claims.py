"""Claims on saddles and depth say what constructed measurements say, refuted ones included."""

import numpy as np
import pandas as pd
import pytest

from stagewise.studies.common.registry import claims

from .given import Given, judge

BY_ID = {claim.id: claim for claim in claims()}
KINDS = {"times_of": "learning_times", "stages_of": "stages", "plateaus_of": "plateaus"}


def verdict(name, **frames):
    return judge(BY_ID[name], Given(**{KINDS[kind]: frame for kind, frame in frames.items()}))


def plateau_rows(saddle, exponent, end_rank=3, loss=1.0):
    """Runs at three scales whose saddles bend by saddle(depth)·ε^exponent(depth)."""
    rows, run = [], 0
    for depth in (2, 3, 4):
        for scale in (1e-4, 1e-6, 1e-9):
            for seed in range(5):
                for stage in range(1, 5):
                    at_end = stage == 4
                    predicted = [10.5, 2.5, 0.5, 0.0][stage - 1]
                    bend = saddle * scale ** exponent(depth)
                    rows.append(
                        {
                            "experiment": "saddles",
                            "run": run,
                            "seed": seed,
                            "depth": depth,
                            "delta": -np.log(scale) / depth,
                            "observed": 1.0,
                            "rank": 3,
                            "relative_step_size": 1.0,
                            "stage": stage,
                            "stages": 3,
                            "learned": stage - 1,
                            "at_end": at_end,
                            "gradient_norm": 1e-6,
                            "loss": 1e-12 if at_end else loss * predicted,
                            "predicted_loss": predicted,
                            "smallest_curvature": 0.0 if at_end else -bend,
                            "largest_curvature": depth * 4 ** (2 - 2 / depth),
                            "product_rank": end_rank if at_end else stage - 1,
                        }
                    )
                run += 1
    return pd.DataFrame(rows)


def law(depth):
    return (depth - 2) / depth


def test_saddles_that_bend_as_predicted_support_the_exponent_and_others_refute_it():
    name = "depth_saddle_curvature"
    gaussian = plateau_rows(4, law)
    for exponent, expected in ((law, "supported"), (lambda depth: law(depth) / 2, "refuted")):
        balanced = plateau_rows(4, exponent).assign(experiment="saddles_balanced")
        assert verdict(name, plateaus_of=pd.concat([gaussian, balanced])).verdict == expected


def test_the_second_order_test_is_empty_only_if_deep_saddles_pass_it():
    name = "depth_second_order_empty"
    assert verdict(name, plateaus_of=plateau_rows(4, law)).measured == 1
    constant = plateau_rows(4, lambda depth: 0.0)
    assert verdict(name, plateaus_of=constant).verdict == "refuted"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "supported"),
        ({"product_rank": 2}, "refuted"),
        ({"loss": 0.5}, "refuted"),
        ({"smallest_curvature": -1.0}, "refuted"),
        ({"gradient_norm": 0.1}, "refuted"),
        ({"stages": 2}, "refuted"),
    ],
    ids=lambda value: next(iter(value), "all well") if isinstance(value, dict) else value,
)
def test_an_end_must_be_critical_without_residual_and_of_full_rank(change, expected):
    rows = plateau_rows(4, law)
    for column, value in change.items():
        rows.loc[rows["at_end"], column] = value
    assert verdict("cao_second_order", plateaus_of=rows).verdict == expected


def test_losses_at_plateaus_are_compared_at_the_smallest_scale():
    assert verdict("cao_plateau_loss", plateaus_of=plateau_rows(4, law, loss=1.04)).verdict == (
        "supported"
    )
    off = verdict("cao_plateau_loss", plateaus_of=plateau_rows(4, law, loss=1.2))
    assert off.measured == pytest.approx(0.2)
    assert off.verdict == "refuted"


def stage_rows(
    rises, observed=1.0, distance=0.0, depth=3, dim=20, rank=3, ratio=0.5, scale=1e-4, runs=40
):
    """Runs of one experiment whose stages have the rises given."""
    rows = []
    for run in range(runs):
        for stage, rise in enumerate([*rises, 0], start=1):
            rows.append(
                {
                    "experiment": f"stage_ratios_{depth}" if runs < 40 else "stage_counts_3",
                    "run": run,
                    "depth": depth,
                    "delta": -np.log(scale) / depth,
                    "sigma_ratio": ratio,
                    "dim_in": dim,
                    "dim_out": dim,
                    "relative_step_size": 1.0,
                    "observed": observed,
                    "rank": rank,
                    "stage": stage,
                    "stages": len(rises),
                    "rises": rise,
                    "distance": distance,
                }
            )
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("rises", "expected"),
    [([1, 1, 1], "supported"), ([2, 1], "refuted"), ([1, 2, 1], "refuted"), ([1, 1], "refuted")],
    ids=str,
)
def test_stages_count_if_there_are_as_many_as_the_rank_with_one_rise_each(rises, expected):
    assert verdict("cao_stages", stages_of=stage_rows(rises)).verdict == expected


def ratio_rows(clean):
    """Runs of two layers by ratio and product scale, with or without a stage for each value."""
    parts = []
    for ratio in (0.5, 0.9):
        for scale in (1e-6, 1e-28):
            rises = [1, 1, 1] if clean(ratio, scale) else [2, 1]
            rows = stage_rows(rises, depth=2, ratio=ratio, scale=scale, runs=10)
            parts.append(rows.assign(run=rows["run"] + 100 * len(parts)))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(
    ("clean", "stages", "start"),
    [
        (lambda ratio, scale: ratio < 0.9 or scale < 1e-20, "qualified", "supported"),
        (lambda ratio, scale: True, "supported", "refuted"),
        (lambda ratio, scale: ratio < 0.9, "refuted", "refuted"),
    ],
    ids=["small starts only", "always", "never when close"],
)
def test_close_values_need_a_small_start(clean, stages, start):
    rows = ratio_rows(clean)
    assert verdict("cao_stages", stages_of=rows).verdict == stages
    assert verdict("depth_stage_start", stages_of=rows).verdict == start


def test_recovery_asks_for_the_whole_target():
    name = "depth_completion_recovery"
    near, far = (stage_rows([1, 1, 1], observed=0.6, distance=gap) for gap in (0.01, 0.3))
    assert verdict(name, stages_of=near).verdict == "supported"
    assert verdict(name, stages_of=far).verdict == "refuted"


def test_completion_is_judged_by_depth():
    deep = stage_rows([1, 1, 1], observed=0.6)
    shallow = stage_rows([2, 1], observed=0.6, depth=2)
    assert verdict("depth_completion_deep", stages_of=deep).verdict == "supported"
    assert verdict("depth_completion_deep", stages_of=shallow).verdict == "not run"
    assert verdict("depth_completion_shallow", stages_of=shallow).verdict == "supported"
    kept = stage_rows([1, 1, 1], observed=0.6, depth=2)
    assert verdict("depth_completion_shallow", stages_of=kept).verdict == "refuted"


def escape_rows(exponent):
    rows = []
    for depth in (2, 3, 4):
        for start in ("aligned", "gaussian"):
            for scale in (1e-3, 1e-5, 1e-7):
                power = scale ** -exponent(depth) if depth > 2 else -np.log(scale) / 2
                shared = {
                    "experiment": "escape_times",
                    "run": len(rows),
                    "initialisation": start,
                    "depth": depth,
                    "delta": -np.log(scale) / depth,
                    "observed": 1.0,
                    "seed": 0,
                    "step_size": 0.01,
                }
                strongest = {"mode": 1, "sigma": 4.0, "learning_iteration": power / 0.04}
                rows.append(shared | strongest | {"next_value_overlap": scale * 10.0**-depth})
                rows.append(shared | {"mode": 2, "sigma": 2.0})
    return pd.DataFrame(rows)


def test_escape_times_are_judged_by_their_exponent():
    assert verdict("depth_escape_time", times_of=escape_rows(law)).verdict == "supported"
    slow = escape_rows(lambda depth: law(depth) + 0.1)
    assert verdict("depth_escape_time", times_of=slow).measured == pytest.approx(-0.1)


def test_separation_must_grow_with_every_layer():
    rows = escape_rows(law)
    assert verdict("depth_separation", times_of=rows).verdict == "supported"
    rows.loc[rows["depth"] == 4, "next_value_overlap"] = 0.5
    assert verdict("depth_separation", times_of=rows).verdict == "refuted"


def separation_rows(overlaps, rates=(0.001, 0.01)):
    """Runs of every optimiser with the overlaps given, larger rates faster."""
    rows, run = [], 0
    for (optimizer, depth), overlap in overlaps.items():
        experiment = "descent_separation" if optimizer == "gradient_descent" else "rmsprop"
        for rate in rates:
            for seed in range(12):
                rows.append(
                    {
                        "experiment": experiment,
                        "run": run,
                        "seed": seed,
                        "optimizer": optimizer,
                        "depth": depth,
                        "delta": 3.0,
                        "observed": 1.0,
                        "relative_step_size": rate,
                        "next_value_overlap": overlap,
                        "learning_iteration": 1 / rate,
                    }
                )
                run += 1
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("coordinate", "shared", "expected"),
    [(0.8, 0.05, "refuted"), (0.8, 0.5, "refuted"), (0.05, 0.5, "supported")],
)
def test_the_stages_of_rmsprop_depend_on_which_rmsprop(coordinate, shared, expected):
    overlaps = {
        (optimizer, depth): value
        for optimizer, value in (
            ("gradient_descent", 0.01),
            ("rmsprop", coordinate),
            ("rmsprop_shared", shared),
        )
        for depth in (2, 3)
    }
    rows = separation_rows(overlaps)
    for name in ("cao_rmsprop_stages", "cao_rmsprop_stages_deep"):
        assert verdict(name, times_of=rows).verdict == expected
        slow = (rows["relative_step_size"] == 0.001) & (rows["optimizer"] == "rmsprop")
        apart = rows.assign(next_value_overlap=rows["next_value_overlap"].mask(slow, 0.01))
        qualified = "qualified" if expected == "refuted" else expected
        assert verdict(name, times_of=apart).verdict == qualified
    assert verdict("cao_rmsprop_rate", times_of=rows).verdict == "supported"


def test_rmsprop_is_judged_in_scope_by_the_worst_of_the_rates_that_keep_the_stages_apart():
    kinds = ("gradient_descent", "rmsprop", "rmsprop_shared")
    rows = separation_rows(dict.fromkeys(((kind, 2) for kind in kinds), 0.03), (1e-4, 1e-3, 1e-2))
    coordinate = rows["optimizer"] == "rmsprop"
    for rate, overlap in ((1e-4, 0.05), (1e-3, 0.02), (1e-2, 0.8)):
        rows.loc[coordinate & (rows["relative_step_size"] == rate), "next_value_overlap"] = overlap
    found = verdict("cao_rmsprop_stages", times_of=rows)
    assert (found.measured, found.in_scope) == (0.8, 0.05)
    assert found.scope.endswith("up to 0.001")
    assert "under descent 0.03" in found.note


@pytest.mark.parametrize(
    "name", [claim.id for claim in claims() if claim.id.startswith(("cao_", "depth_"))]
)
def test_without_its_experiments_a_claim_is_not_run(name):
    assert verdict(name).verdict == "not run"
