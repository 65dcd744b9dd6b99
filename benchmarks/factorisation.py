"""Compare steps of deep matrix factorisation with a plain NumPy loop and with automatic gradients.

Run with ``python benchmarks/factorisation.py``; see benchmarks/README.md. PyTorch and JAX are timed
where they are installed and are no dependency.
"""

import os

# Libraries read these once, when they are first imported.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import argparse
import importlib
import statistics
import sys
import time
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from stagewise.dynamics.kernel import advance

Layers = list[NDArray[np.float64]]
Method = Callable[[int], None]

# Size n, layers L and runs of a batch; the last line is the run of config/large.yaml.
CASES = [(20, 2, 30), (20, 3, 30), (20, 4, 30), (50, 3, 10), (100, 3, 1)]
SECONDS_PER_SAMPLE = 0.3
STEP_SIZE = 1e-3
OBSERVED = 0.6


class Completion:
    """Random completions of one size: weights of every run, targets and masks."""

    def __init__(self, size: int, depth: int, runs: int) -> None:
        random = np.random.default_rng(0)
        shape = (runs, size, size)
        self.weights = [random.standard_normal(shape) * 0.3 / np.sqrt(size) for _ in range(depth)]
        self.target = random.standard_normal(shape) / size
        self.observed = (random.uniform(size=shape) < OBSERVED).astype(np.float64)


def engine(problem: Completion) -> Method:
    weights = [weight.copy() for weight in problem.weights]
    target, rate = problem.observed * problem.target, np.full(len(weights[0]), STEP_SIZE)
    return lambda steps: advance(weights, target, problem.observed, rate, steps)


def numpy_loop(problem: Completion) -> Method:
    """The loop one would write first, run by run."""

    def take(steps: int) -> None:
        for run in range(len(problem.target)):
            layers = [weight[run] for weight in problem.weights]
            for _ in range(steps):
                layers = _stepped(layers, problem.target[run], problem.observed[run])

    return take


def _stepped(layers: Layers, target: Any, observed: Any) -> Layers:
    before = [layers[0]]
    for layer in layers[1:]:
        before.append(before[-1] @ layer)
    back = observed * (target - before[-1])
    changes = []
    for at in range(len(layers) - 1, 0, -1):
        changes.append(before[at - 1].T @ back)
        back = back @ layers[at].T
    changes.append(back)
    return [layer + STEP_SIZE * change for layer, change in zip(layers, changes[::-1], strict=True)]


def torch_autograd(problem: Completion) -> Method | None:
    """All runs at once, gradients by PyTorch."""
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return None
    torch.set_num_threads(1)
    layers = [torch.tensor(weight, requires_grad=True) for weight in problem.weights]
    target, observed = torch.tensor(problem.target), torch.tensor(problem.observed)

    def take(steps: int) -> None:
        for _ in range(steps):
            loss = 0.5 * (observed * (reduce(torch.matmul, layers) - target)).square().sum()
            gradients = torch.autograd.grad(loss, layers)
            with torch.no_grad():
                for layer, gradient in zip(layers, gradients, strict=True):
                    layer -= STEP_SIZE * gradient

    return take


def jax_autograd(problem: Completion) -> Method | None:
    """All runs at once, gradients by JAX, the loop compiled."""
    try:
        jax = importlib.import_module("jax")
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)

    def loss(layers: Any) -> Any:
        gap = problem.observed * (reduce(jax.numpy.matmul, layers) - problem.target)
        return 0.5 * (gap**2).sum()

    gradient = jax.grad(loss)

    def step(_: Any, layers: Any) -> Any:
        return [w - STEP_SIZE * g for w, g in zip(layers, gradient(layers), strict=True)]

    run = jax.jit(lambda layers, steps: jax.lax.fori_loop(0, steps, step, layers))
    return lambda steps: jax.block_until_ready(run(problem.weights, steps))


METHODS = [engine, numpy_loop, torch_autograd, jax_autograd]


def rate(method: Method, repeats: int) -> float:
    """Median steps a CPU second of a method, over samples of a length that can be timed."""
    method(1)
    steps = 1
    while (seconds := _seconds(method, steps)) < SECONDS_PER_SAMPLE / 4:
        steps *= 2
    steps = max(1, round(steps * SECONDS_PER_SAMPLE / seconds))
    return statistics.median(steps / _seconds(method, steps) for _ in range(repeats))


def _seconds(method: Method, steps: int) -> float:
    start = time.process_time()  # steadier than the wall where others work too
    method(steps)
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    print("Run-steps a CPU second; in brackets the engine's rate over it.")
    for size, depth, runs in CASES:
        problem = Completion(size, depth, runs)
        made = {each.__name__: each(problem) for each in METHODS}
        rates = {name: runs * rate(each, repeats) for name, each in made.items() if each}
        cells = [
            f"{name} {found:,.0f} ({rates['engine'] / found:.1f})" for name, found in rates.items()
        ]
        absent = [f"{name} not installed" for name, each in made.items() if each is None]
        print(f"n = {size}, L = {depth}, {runs} runs: " + ", ".join(cells + absent))


if __name__ == "__main__":
    main()
