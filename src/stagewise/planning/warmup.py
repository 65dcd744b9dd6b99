"""Compile what is compiled on first use, so that no job of a run has to."""

import numpy as np

from stagewise.planning.processes import pin_threads


def main() -> None:
    """Run one tiny simulation and draw one empty figure."""
    pin_threads()
    from stagewise.dynamics.adiabatic import quasi_adiabatic
    from stagewise.dynamics.on_data import Sampling
    from stagewise.dynamics.small_batches import train_on_small_batches
    from stagewise.dynamics.training import gradient_descent
    from stagewise.problems.problem import Problem
    from stagewise.studies.common import style
    from stagewise.theory.lyapunov import lyapunov_exponents

    weights = [np.full((2, 2), 0.1), np.full((2, 2), 0.1)]
    problem = Problem(np.eye(2), np.diag([1.0, 0.5]))
    gradient_descent(problem, weights, 0.1, [0, 1])
    samples, generators = np.eye(2), [np.random.default_rng(0)]
    train_on_small_batches(
        *(samples, samples, [each[None] for each in weights], 0.1, np.array([0, 1])),
        *(lambda *_: False, Sampling(1), generators),
    )
    lyapunov_exponents(samples, samples, 0.1, np.zeros((4, 1), dtype=np.int64), 1)
    quasi_adiabatic(problem, np.full((1, 2), -1.0), np.array([0.1]), np.array([1.0]))
    style.apply()
    from matplotlib.figure import Figure

    Figure().subplots().get_tightbbox()


if __name__ == "__main__":
    main()
