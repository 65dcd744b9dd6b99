"""Compare the descent engine with NumPy and with the matrix-product peak of one core.

Run with ``python benchmarks/engine.py``; see benchmarks/README.md.
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
from itertools import pairwise
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from stagewise.dynamics.kernel import advance

FloatArray = NDArray[np.float64]
Method = Callable[[int], None]

# Layer sizes from input to output, and the number of runs.
CASES = [
    ((5, 5, 5), 256),
    ((10, 10, 10), 64),
    ((20, 20, 20), 64),
    ((20, 20, 20, 20), 64),
    ((33, 33, 33), 64),
    ((50, 50, 50), 32),
    ((100, 100, 100), 16),
    ((200, 200, 200), 4),
    ((64, 10, 10), 64),
    ((784, 10, 10), 16),
]
PEAK_SIZE = 1200
SECONDS_PER_SAMPLE = 0.1
STEP_SIZE = 1e-3


class Problem:
    """Random runs of one size; the input covariance is diagonal."""

    def __init__(self, sizes: tuple[int, ...], runs: int) -> None:
        random = np.random.default_rng(0)
        self.runs = runs
        self.sizes = sizes
        self.weights = [
            0.1 * random.standard_normal((runs, rows, columns)) / np.sqrt(rows)
            for rows, columns in pairwise(sizes)
        ]
        eigenvalues = random.uniform(0.5, 1.5, (runs, sizes[0], 1))
        self.target = random.standard_normal((runs, sizes[0], sizes[-1])) / np.sqrt(sizes[0])
        self.curvature = np.broadcast_to(eigenvalues, self.target.shape).copy()
        # One covariance for all runs: as many dense ones as runs would not fit at 784.
        self.covariance = np.diag(eigenvalues[0, :, 0])
        self.step_size = np.full(runs, STEP_SIZE)

    def flops_per_step(self) -> int:
        """Multiplications and additions of the products a step cannot avoid, for one run."""
        inputs = self.sizes[0]
        pairs = pairwise(self.sizes[1:])
        return sum(3 * 2 * inputs * rows * columns for rows, columns in pairs)


def engine(problem: Problem) -> Method:
    weights = [weight.copy() for weight in problem.weights]

    def take(steps: int) -> None:
        advance(weights, problem.target, problem.curvature, problem.step_size, steps)

    return take


def dense_loop(problem: Problem) -> Method:
    """The loop one would write first: one run at a time, with the full covariance."""
    rate, covariance = STEP_SIZE, problem.covariance

    def take(steps: int) -> None:
        for run in range(problem.runs):
            target = problem.target[run]
            w1, w2 = (weight[run] for weight in problem.weights)
            for _ in range(steps):
                g = target - covariance @ (w1 @ w2)
                w1, w2 = w1 + rate * g @ w2.T, w2 + rate * w1.T @ g

    return take


def diagonal_loop(problem: Problem) -> Method:
    """The same loop doing only the arithmetic that the engine does."""
    rate = STEP_SIZE

    def take(steps: int) -> None:
        for run in range(problem.runs):
            target, curvature = problem.target[run], problem.curvature[run]
            w1, w2 = (weight[run] for weight in problem.weights)
            for _ in range(steps):
                g = target - curvature * (w1 @ w2)
                w1, w2 = w1 + rate * g @ w2.T, w2 + rate * w1.T @ g

    return take


def batched(problem: Problem) -> Method:
    """All runs at once, one NumPy call per product."""

    def take(steps: int) -> None:
        w1, w2 = problem.weights
        rate = STEP_SIZE
        for _ in range(steps):
            g = problem.target - problem.curvature * (w1 @ w2)
            w1, w2 = w1 + rate * g @ w2.swapaxes(1, 2), w2 + rate * w1.swapaxes(1, 2) @ g

    return take


@njit
def _compiled_blas(w1, w2, target, curvature, rate, steps):  # type: ignore[no-untyped-def]
    product = np.empty_like(target)
    change_1, change_2 = np.empty_like(w1), np.empty_like(w2)
    for _ in range(steps):
        np.dot(w1, w2, product)
        residual = target - curvature * product
        np.dot(residual, w2.T, change_1)
        np.dot(w1.T, residual, change_2)
        w1 += rate * change_1
        w2 += rate * change_2


def compiled_blas(problem: Problem) -> Method:
    """One run at a time in compiled code, its products done by the BLAS library."""
    weights = [weight.copy() for weight in problem.weights]

    def take(steps: int) -> None:
        for run in range(problem.runs):
            w1, w2 = (weight[run] for weight in weights)
            _compiled_blas(w1, w2, problem.target[run], problem.curvature[run], STEP_SIZE, steps)

    return take


METHODS = [engine, dense_loop, diagonal_loop, batched, compiled_blas]


def timed(method: Method, steps: int) -> float:
    start = time.perf_counter()
    method(steps)
    return time.perf_counter() - start


def calibrated(method: Method) -> int:
    """Number of steps that makes a sample long enough to time."""
    timed(method, 1)
    steps = 1
    while (seconds := timed(method, steps)) < SECONDS_PER_SAMPLE / 4:
        steps *= 2
    return max(1, round(steps * SECONDS_PER_SAMPLE / seconds))


def measure(problem: Problem, repeats: int) -> tuple[list[float], float]:
    """Median run-steps a second of each method, and the median peak in flops a second."""
    factors = np.random.default_rng(1).standard_normal((2, PEAK_SIZE, PEAK_SIZE))
    product = np.empty((PEAK_SIZE, PEAK_SIZE))
    shallow = len(problem.sizes) == 3
    methods = [make(problem) for make in (METHODS if shallow else METHODS[:1])]
    steps = [calibrated(method) for method in methods]
    rates: list[list[float]] = [[] for _ in methods]
    peaks = []
    # Interleaved, so that a slow spell of the machine falls on all alike.
    for _ in range(repeats):
        start = time.perf_counter()
        np.matmul(factors[0], factors[1], out=product)
        peaks.append(2 * PEAK_SIZE**3 / (time.perf_counter() - start))
        for method, count, rate in zip(methods, steps, rates, strict=True):
            rate.append(problem.runs * count / timed(method, count))
    return [statistics.median(rate) for rate in rates], statistics.median(peaks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    titles = ["sizes", "runs", *(method.__name__ + "/s" for method in METHODS)]
    titles += ["x dense", "x diagonal", "x batched", "x blas", "peak", "share"]
    rows = []
    for sizes, runs in CASES:
        problem = Problem(sizes, runs)
        rates, peak = measure(problem, repeats)
        share = rates[0] * problem.flops_per_step() / peak
        absent = [""] * (len(METHODS) - len(rates))
        row = ["-".join(map(str, sizes)), str(runs), *(f"{rate:,.0f}" for rate in rates), *absent]
        row += [*(f"{rates[0] / rate:.1f}" for rate in rates[1:]), *absent]
        row += [f"{peak / 1e9:.1f}", f"{share:.0%}"]
        rows.append(row)
    print("Run-steps a second on one thread; x = engine over the other method;")
    print("peak = Gflop/s of a large matrix product; share = engine's share of it.")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for line in (titles, *rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


if __name__ == "__main__":
    main()
