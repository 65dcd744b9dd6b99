"""Compare the forecasts with the descent that they stand for, and time the staged law.

Run with ``python benchmarks/forecast.py``; see benchmarks/README.md.
"""

import os

# Libraries read these once, when they are first imported.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from stagewise.data.datasets import data_directory, draw_moments
from stagewise.data.kinds.mnist import MnistData
from stagewise.dynamics import quasi_adiabatic
from stagewise.dynamics.kernel import advance
from stagewise.problems.problem import Problem
from stagewise.theory.forecast_laws import PooledMoments, initial_amplitudes, plain_forecast
from stagewise.theory.staged_forecast import staged_forecast

DELTA, WIDTH, STAGES = 16.0, 10, 9
PRODUCTS = (24, 3)
"""Products of 2·dim_in·10·10 operations in a step of Q and of descent, at ten outputs and width 10.

Q: three residuals, three Gram matrices, three corrections, four and two in the moves of the layers,
one triangular factor, and as much as eight in three sweeps of Jacobi rotations.
"""

CHUNK = 500
"""Iterations of descent that are timed at once; the run has as many as the last stage needs."""


def problems() -> dict[str, Problem]:
    """MNIST, centred, where its files are there, and synthetic moments of the same shape."""
    found = {"synthetic": Problem(*power_law(784))}
    if (data_directory(None) / "mnist").is_dir():
        moments = draw_moments("mnist", MnistData(kind="mnist"), None)[0]
        found = {"mnist": moments.problem(centred=True)} | found
    return found


def power_law(dim: int, dim_out: int = 10) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moments with eigenvalues i^-1.5, as natural images have, and a Gaussian target map."""
    lam = np.arange(1.0, dim + 1) ** -1.5
    teacher = np.random.default_rng(0).standard_normal((dim, dim_out)) * 0.8 ** np.arange(dim_out)
    return np.diag(lam), lam[:, None] * teacher


def cpu_seconds(method: Callable[[], object]) -> float:
    start = time.process_time()
    method()
    return time.process_time() - start


def integrated(name: str, problem: Problem, repeats: int) -> list[str]:
    """Row of the first table: a run of Q, and the descent that it stands for."""
    step = 0.25 / max(problem.eigenvalues[-1], problem.modes.sigma[0])
    steps, delta = np.array([step]), np.array([DELTA])
    start = initial_amplitudes(delta, problem.dim_in, WIDTH, STAGES)
    limit = 3 * plain_forecast(PooledMoments.of(problem), steps, delta, WIDTH)[:, STAGES - 1]
    found = quasi_adiabatic(problem, start, steps, limit, stages=STAGES)
    iterations = float(found.learning_iterations[0, -1])

    random = np.random.default_rng(1)
    target = problem.eigenvectors.T @ problem.sigma_xy
    shapes = [(problem.dim_in, WIDTH), (WIDTH, problem.dim_out)]
    weights = [1e-3 * random.standard_normal((1, *shape)) for shape in shapes]
    curvature = np.broadcast_to(problem.eigenvalues[:, None], target.shape)[None].copy()
    engine = [weight.copy() for weight in weights]

    def descent() -> None:
        advance(engine, target[None], curvature, steps, CHUNK)

    def plain_numpy() -> None:
        first, second = (weight[0] for weight in weights)
        for _ in range(CHUNK):
            gradient = target - problem.eigenvalues[:, None] * (first @ second)
            first, second = (
                first + step * gradient @ second.T,
                second + step * first.T @ gradient,
            )

    def forecast() -> None:
        quasi_adiabatic(problem, start, steps, limit, stages=STAGES)

    descent()
    # Interleaved, so that a slow spell of the machine falls on all alike.
    times = [
        [cpu_seconds(each) for each in (forecast, descent, plain_numpy)] for _ in range(repeats)
    ]
    ours, compiled, numpy = (statistics.median(column) for column in zip(*times, strict=True))
    compiled, numpy = (each * iterations / CHUNK for each in (compiled, numpy))
    share = found.steps / iterations
    return [
        name,
        f"{iterations:,.0f}",
        f"{found.steps}",
        f"{share:.2%}",
        f"{share * PRODUCTS[0] / PRODUCTS[1]:.1%}",
        f"{ours:.3f}",
        f"{compiled:.2f}",
        f"{ours / compiled:.1%}",
        f"{numpy:.2f}",
        f"{ours / numpy:.1%}",
    ]


def staged(dim: int, repeats: int) -> list[str]:
    """Row of the second table: pooling of decomposed moments, and the law."""
    problem = Problem(*power_law(dim))
    pooled = PooledMoments.of(problem)
    pooling = min(cpu_seconds(lambda: PooledMoments.of(problem)) for _ in range(repeats))
    steps, delta = np.array([0.25 / problem.eigenvalues[-1]]), np.array([DELTA])

    def law() -> None:
        staged_forecast(pooled, steps, delta, WIDTH)

    law()
    times = [1e3 * cpu_seconds(law) for _ in range(repeats)]
    cells = [f"{dim}", f"{len(pooled.eigenvalues)}"]
    return [*cells, f"{1e3 * pooling:.0f}", f"{min(times):.0f}", f"{statistics.median(times):.0f}"]


def show(titles: tuple[str, ...], rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in ([*titles], *rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--dim", type=int, default=3072)
    options = parser.parse_args()
    print(f"784 inputs, {STAGES} stages at delta {DELTA:g}; CPU seconds, of Q and of two descents:")
    first = ("data", "iterations", "Q steps", "ratio", "arithmetic", "Q", "engine", "ratio")
    rows = [integrated(*each, options.repeats) for each in problems().items()]
    show((*first, "NumPy", "ratio"), rows)
    print("\nThe staged law, 10 outputs, 9 or 10 stages, CPU time:")
    titles = ("inputs", "bins", "pooling, ms", "law, ms", "median, ms")
    show(titles, [staged(dim, options.repeats) for dim in (784, options.dim)])


if __name__ == "__main__":
    main()
