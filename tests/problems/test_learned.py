"""The share at which a mode is learned is decided in one place."""

import subprocess
import sys

import numpy as np
import pytest

from stagewise.problems.learned import crossing_fraction

TRIAL = """
import numpy as np
from stagewise.problems import learned

learned.LEARNED_SHARE = {share}

from stagewise import Problem, gradient_descent, learning_times
from stagewise.analysis.crossings import FirstCrossings

problem = Problem(np.eye(1), np.eye(1))
start = [np.array([[np.exp(-4.0)]])] * 2
for refine in (False, True):
    run = gradient_descent(problem, start, 1e-3, np.arange(0, 6000, 200), refine=refine)
    print(*learning_times(run, problem).learning_iteration)
waited_for = np.ones((1, 1), dtype=bool)
print(FirstCrossings(lambda layers, _: layers[0], waited_for, stride=1)(0, [np.array([[0.6]])]))
"""


@pytest.mark.parametrize(("share", "ended"), [(0.5, True), (0.8, False)])
def test_one_constant_moves_every_learning_time(share, ended):
    command = [sys.executable, "-c", TRIAL.format(share=share)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    recorded, located, end = done.stdout.split()
    # The flow of one mode: ln(w/(1 − w)) rises by twice the time from ln(e^−8/(1 − e^−8)).
    start = -8.0
    expected = (np.log(share / (1 - share)) - start) / 2e-3
    assert float(recorded) == pytest.approx(expected, rel=2e-3)
    assert float(located) == pytest.approx(expected, rel=2e-3)
    assert end == str(ended)


@pytest.mark.parametrize(
    ("before", "after", "fraction"),
    [
        (0.2, 0.8, 0.5),
        (0.5, 0.9, 0.0),
        (0.1, 0.5, 1.0),
        (1 / 17, 0.8, 2 / 3),  # odds of 1:16, of 1:1 on the way, of 4:1
        (0.0, 0.8, 0.5 / 0.8),
        (-0.3, 0.7, 0.8),
        (0.2, 1.0, 0.3 / 0.8),
        (0.4, 1.4, 0.1),
    ],
)
def test_between_records_odds_grow_evenly_and_shares_do_where_they_have_no_odds(
    before, after, fraction
):
    assert crossing_fraction(np.array(before), np.array(after)) == pytest.approx(fraction)
