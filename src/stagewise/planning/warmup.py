"""Compile what is compiled on first use, so that no job of a run has to."""

import numpy as np

from stagewise.planning.processes import pin_threads


def main() -> None:
    """Run one tiny simulation and draw one empty figure."""
    pin_threads()
    from stagewise.dynamics.adiabatic import quasi_adiabatic
    from stagewise.dynamics.training import gradient_descent
    from stagewise.problems.problem import Problem
    from stagewise.studies.common import style

    weights = [np.full((2, 2), 0.1), np.full((2, 2), 0.1)]
    problem = Problem(np.eye(2), np.diag([1.0, 0.5]))
    gradient_descent(problem, weights, 0.1, [0, 1])
    quasi_adiabatic(problem, np.full((1, 2), -1.0), np.array([0.1]), np.array([1.0]))
    style.apply()
    from matplotlib.figure import Figure

    Figure().subplots().get_tightbbox()


if __name__ == "__main__":
    main()
