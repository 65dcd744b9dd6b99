"""Studies of practice on tables made from their own laws: claims hold there and rivals fall."""

import numpy as np
import pandas as pd
import pytest

from stagewise.studies import (
    forecast,
    minibatch,
    optimisers,
    perceptron,
    real_training,
    sgd_saddles,
)

from .practice import (
    batch_table,
    frame,
    memory_table,
    network_table,
    real_table,
    rule_table,
    timed,
)

CASES = [
    (optimisers, rule_table),
    (minibatch, batch_table),
    (sgd_saddles, batch_table),
    (real_training, real_table),
    (perceptron, network_table),
]
CLAIMS = [(claim, table) for study, table in CASES for claim in study.STUDY.claims]
CLAIMS.append((forecast.memory, memory_table))
LIMITS = {"practice_batch_limit", "sgd_saddle_dynamics", "sgd_diffusion_peak"}
"""Claims whose value is where they fail."""


@pytest.mark.parametrize(("claim", "table"), CLAIMS, ids=lambda each: getattr(each, "id", ""))
def test_a_claim_holds_where_its_law_is_exact_and_its_rivals_fall(claim, table):
    measured = claim.measure(table())
    assert measured.interval.low <= measured.value <= measured.interval.high
    assert claim.holds.holds_for(measured.value) == (claim.id not in LIMITS)
    assert claim.rivals
    for rival in claim.rivals:
        assert not claim.holds.holds_for(claim.measure(rival.tables(table())).value), rival.law


@pytest.mark.parametrize(
    "name", ["sgd_saddle_dynamics", "sgd_diffusion_peak", "practice_batch_limit"]
)
def test_a_limit_holds_where_it_could_at_best(name):
    claim, table = next(case for case in CLAIMS if case[0].id == name)
    measured = claim.measure(table())
    assert claim.holds.holds_for(measured.in_scope)
    assert measured.scope


def test_the_effective_step_misses_heavy_ball_by_more_than_a_twentieth():
    found = optimisers.two_layers(rule_table())
    ball = found[found["rule"] == "heavy_ball"]
    assert (ball["step_size"] * ball["sigma"] >= 0.2 * (1 - ball["momentum"]) ** 2).all()
    assert (ball["over_rival"] - 1 > 0.05).all()


def test_the_effective_step_is_measured_where_the_growth_is_not_small():
    """With β = ½ from ησ = 0.05 on, which of the two modes the first has and the second has not."""
    shared = {"dataset": "diagonal", "rule": "heavy_ball", "momentum": 0.5, "step_size": 0.1}
    rows = [
        shared | {"setting": 0, "mode": mode, "sigma": sigma, "growth": 0.1, "rival_growth": rival}
        for mode, sigma, rival in ((1, 0.6, 0.12), (2, 0.4, 0.11))
    ]
    note = optimisers.growth_functions.measure(frame(timed(rows, (10.0, 20.0)))).note
    assert "gives 1.2 to 1.2 for heavy ball" in note


def test_momentum_of_deep_networks_is_measured_between_the_outermost_scales():
    shared = {"dataset": "deep_momentum", "rule": "heavy_ball", "momentum": 0.9, "depth": 3}
    shared |= {"setting": 0, "seed": 0, "mode": 1, "sigma": 1.0, "step_size": 0.1}
    rows = [
        shared | {"delta": delta, "learning_iteration": time, "forecast": 100 * delta}
        for delta, time in ((5.0, 520.0), (4.0, 470.0), (6.0, 670.0))
    ]
    assert optimisers.deep_momentum.measure(frame(rows)).value == pytest.approx(1)


@pytest.mark.parametrize(("large", "small", "worst"), [(1.02, 0.97, 0.97), (1.04, 0.97, 1.04)])
def test_times_of_held_out_images_are_judged_by_the_worse_of_large_and_small_starts(
    large, small, worst
):
    """Starts are small from δ = 4 on, which is where the narrower band of the claim begins."""
    runs = network_table().replace({"delta": {2.0: 3.0}})
    runs["learning_iteration"] *= np.where(runs["delta"] >= 4, small, large)
    found = perceptron.held_out_times.measure(runs)
    assert found.value == pytest.approx(worst, abs=2e-3)
    assert found.in_scope == pytest.approx(small, abs=2e-3)
    for kept, only in ((runs["delta"] < 4, large), (runs["delta"] >= 4, small)):
        assert perceptron.held_out_times.measure(runs[kept]).value == pytest.approx(only, abs=2e-3)


def test_scatter_is_of_seeds_over_the_law():
    rows = batch_table()
    measured = minibatch.STUDY.claims[1].measure(rows)
    assert measured.value == pytest.approx(1.0)


@pytest.mark.parametrize(("study", "table"), CASES, ids=lambda each: getattr(each, "__name__", ""))
def test_a_figure_is_drawn_from_what_a_run_may_lack(study, table):
    rows = table()
    assert study.STUDY.draw(rows).axes
    first = rows[rows["setting"] == rows["setting"].min()]
    assert isinstance(first, pd.DataFrame)
    assert study.STUDY.draw(rows[rows["seed"] == 0]).axes


@pytest.mark.parametrize(("claim", "table"), CLAIMS, ids=lambda each: getattr(each, "id", ""))
def test_a_run_with_one_setting_is_measured_or_said_not_to_be(claim, table):
    rows = table()
    few = rows[rows["setting"] == 0]
    measured = claim.measure(few)
    assert measured is None or np.isfinite(measured.value)
