"""Changing steps in the laws, against sums over iterations."""

import numpy as np
import pytest

from stagewise.problems.problem import Problem
from stagewise.theory.forecast_laws import PooledMoments
from stagewise.theory.growth import schedule_learning_iteration
from stagewise.theory.schedules import CONSTANT, Schedule
from stagewise.theory.staged_forecast import staged_forecast

LENGTH = 300.0


def falling(elapsed):
    return 0.1 + 0.9 * (1 + np.cos(np.pi * min(elapsed / LENGTH, 1))) / 2


def levels(elapsed):
    return (1.0, 0.3, 0.1)[min(int(3 * elapsed / LENGTH), 2)]


@pytest.mark.parametrize("factor", [falling, levels])
@pytest.mark.parametrize("iterations", [40, 299, 700])
def test_moments_are_sums_over_iterations(factor, iterations):
    each = np.array([factor(place + 0.5) for place in range(iterations)])
    found = Schedule(factor, LENGTH).moments(iterations)
    np.testing.assert_allclose(found, [each.sum(), (each**2).sum()], rtol=2e-3)


@pytest.mark.parametrize("factor", [falling, levels])
def test_what_starts_lower_is_later_by_as_much_as_the_step_has_fallen(factor):
    """Time until Σ f = a, and the derivative of its logarithm to that of a."""
    grown = np.cumsum([factor(place + 0.5) for place in range(2000)])
    schedule = Schedule(factor, LENGTH)
    for level in (60.0, 120.0, 160.0):
        late, early = (np.interp(level * (1 + e), grown, np.arange(1, 2001)) for e in (1e-3, -1e-3))
        found = schedule.stretch((late + early) / 2)
        assert found == pytest.approx(np.log(late / early) / 2e-3, rel=0.02)


@pytest.mark.parametrize("factor", [falling, levels])
def test_pieces_cover_the_schedule_and_the_last_one_stays(factor):
    schedule, elapsed, count = Schedule(factor, LENGTH), 0.0, 0
    while True:
        value, lasting = schedule.piece(elapsed)
        assert value == pytest.approx(factor(elapsed + min(lasting, 1) / 2), rel=0.02)
        if lasting == np.inf:
            break
        elapsed, count = elapsed + lasting, count + 1
    assert elapsed == pytest.approx(LENGTH)
    assert count < 310
    assert CONSTANT.piece(0.0) == (1.0, np.inf)


@pytest.mark.parametrize("factor", [falling, levels])
def test_the_first_stage_comes_when_growths_add_up_to_what_a_constant_step_climbs(factor):
    problem = Problem(np.diag([1.0, 0.5, 0.3]), np.diag([0.4, 0.2, 0.1]))
    pooled, step = PooledMoments.of(problem), 0.3
    case = pooled, np.array([step]), np.array([14.0]), 3
    constant = staged_forecast(*case)[0, 0]
    steps = step * np.array([factor(place + 0.5) for place in range(5000)])
    climbed = constant * np.log1p(step * 0.4)
    expected = schedule_learning_iteration(np.array(0.4), climbed, steps)
    found = staged_forecast(*case, schedule=Schedule(factor, LENGTH))[0]
    assert found[0] == pytest.approx(float(expected), rel=2e-3)
    assert (np.diff(found) > 0).all()
