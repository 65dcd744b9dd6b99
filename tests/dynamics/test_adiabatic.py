"""The coarse integrator against descent from its own start, and its own convergence."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stagewise.analysis import learning_times
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds.digits import DigitsData
from stagewise.data.kinds.power_law import PowerLawData
from stagewise.dynamics import gradient_descent, quasi_adiabatic
from stagewise.problems.problem import Problem
from stagewise.theory.forecast_laws import initial_amplitudes

# The plain law is 2e-2 away on the digits and 1e-1 on the power law.


def problem_of(name):
    spec = {
        "digits": DigitsData(kind="digits"),
        "power_law": PowerLawData(kind="power_law", dim_in=40, dim_out=6),
    }[name]
    return draw_moments(name, spec, None)[0].problem(centred=True)


@pytest.mark.parametrize(("name", "stages", "rtol"), [("digits", 9, 3e-3), ("power_law", 5, 5e-3)])
def test_it_agrees_with_descent_from_the_same_start(name, stages, rtol):
    problem, delta = problem_of(name), 16.0
    step = 0.25 / max(problem.modes.sigma[0], problem.eigenvalues[-1])
    amplitudes = initial_amplitudes(np.array([delta]), problem.dim_in, 10, stages)
    found = quasi_adiabatic(problem, amplitudes, np.array([step]), np.array([1e7]))
    scale = np.exp(amplitudes[0]) / np.sqrt(2)
    weights = [
        problem.modes.left[:, :stages] * scale,
        scale[:, None] * problem.modes.right[:, :stages].T,
    ]
    last = int(1.2 * found.learning_iterations.max())
    records = np.unique(np.geomspace(1, last, 250).round().astype(int))
    trajectory = gradient_descent(problem, weights, step, records, modes=stages, refine=True)
    measured = learning_times(trajectory, problem).learning_iteration
    error = np.log(measured / found.learning_iterations[0])
    assert np.sqrt(np.mean(error**2)) < rtol
    plain = delta / np.log1p(step * problem.modes.sigma[:stages])
    assert np.sqrt(np.mean(np.log(measured / plain) ** 2)) > 5 * rtol
    assert found.steps < last / 3


def test_cases_of_a_batch_do_not_touch_each_other():
    problem = problem_of("digits")
    step = 0.25 / problem.eigenvalues[-1]
    delta = np.array([8.0, 32.0])
    amplitudes = initial_amplitudes(delta, problem.dim_in, 10, 5)
    both = quasi_adiabatic(problem, amplitudes, np.full(2, step), np.full(2, 1e7))
    for case in range(2):
        alone = quasi_adiabatic(
            problem, amplitudes[case : case + 1], np.array([step]), np.array([1e7])
        )
        mine = both.learning_iterations[case]
        assert_allclose(mine, alone.learning_iterations[0], rtol=1e-9)


def test_a_stage_that_does_not_come_in_time_is_missing():
    problem = Problem(np.eye(2), np.diag([1.0, 0.01]))
    found = quasi_adiabatic(problem, np.full((1, 2), -8.0), np.array([0.1]), np.array([300.0]))
    assert np.isfinite(found.learning_iterations[0, 0])
    assert np.isnan(found.learning_iterations[0, 1])


def test_the_largest_curvature_is_that_of_the_solution_for_commuting_moments():
    problem = Problem(np.diag([2.0, 1.0]), np.diag([1.0, 0.5]))
    found = quasi_adiabatic(problem, np.full((1, 2), -8.0), np.array([0.1]), np.array([3000.0]))
    assert_allclose(found.largest_curvature, 0.1 * 2.0 * 0.5, rtol=0.02)
