import subprocess
import sys
import warnings
from itertools import pairwise

import numba
import numpy as np
import pytest

from stagewise.arrays import FloatArray
from stagewise.dynamics import kernel
from stagewise.dynamics.engine import advance_in_numpy, engine
from stagewise.dynamics.kernel import advance

SIZES = [
    (5, 3),
    (1, 1, 1),
    (3, 7, 4),
    (20, 20, 20),
    (33, 20, 7),
    (100, 33, 20),
    (64, 10, 10),
    (20, 130, 3),
    (7, 20, 3, 33),
    (1, 3, 1, 7),
    (16, 12, 8, 4, 9),
    (20, 20, 20, 20, 20),
]


class Runs:
    def __init__(self, sizes: tuple[int, ...], runs: int, mask: bool = False) -> None:
        random = np.random.default_rng([*sizes, runs, mask])
        self.weights = [
            random.standard_normal((runs, rows, columns)) / np.sqrt(columns)
            for rows, columns in pairwise(sizes)
        ]
        shape = (runs, sizes[0], sizes[-1])
        self.target = random.standard_normal(shape)
        self.curvature = random.uniform(0.5, 1.5, shape)
        if mask:
            self.curvature = (self.curvature < 1).astype(float)
            self.target *= self.curvature
        self.step_size = random.uniform(0.001, 0.01, runs)

    def advanced(self, *counts: int, chosen: list[int] | None = None) -> list[FloatArray]:
        order = np.arange(len(self.target)) if chosen is None else np.array(chosen)
        weights = [weight[order] for weight in self.weights]
        for steps in counts:
            advance(
                weights,
                self.target[order],
                self.curvature[order],
                self.step_size[order],
                steps,
            )
        return weights


def reference(runs: Runs, steps: int) -> list[FloatArray]:
    """The definition, with each product of neighbours formed from scratch."""
    results = []
    for run in range(len(runs.target)):
        layers = [weight[run] for weight in runs.weights]
        for _ in range(steps):
            before = [np.eye(len(layers[0]))]
            for layer in layers:
                before.append(before[-1] @ layer)
            after = [np.eye(layers[-1].shape[1])]
            for layer in reversed(layers):
                after.insert(0, layer @ after[0])
            signal = runs.target[run] - runs.curvature[run] * before[-1]
            layers = [
                layer + runs.step_size[run] * before[i].T @ signal @ after[i + 1].T
                for i, layer in enumerate(layers)
            ]
        results.append(layers)
    return [np.stack(layer) for layer in zip(*results, strict=True)]


def assert_same_bits(got: list[FloatArray], expected: list[FloatArray]) -> None:
    for one, other in zip(got, expected, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_agrees_with_the_definition(sizes: tuple[int, ...], mask: bool) -> None:
    steps = 5
    runs = Runs(sizes, 3, mask)
    # A sum of n terms is off by at most n roundings; a step nests one sum per layer twice.
    terms = 2 * len(sizes) * max(sizes)
    for got, expected in zip(runs.advanced(steps), reference(runs, steps), strict=True):
        bound = steps * terms * np.finfo(float).eps * np.abs(expected).max()
        np.testing.assert_allclose(got, expected, rtol=0, atol=bound)


def test_blocks_of_a_large_product_are_all_summed() -> None:
    runs = Runs((300, 140, 270), 1)
    for got, expected in zip(runs.advanced(2), reference(runs, 2), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
def test_bits_do_not_depend_on_the_batch(sizes: tuple[int, ...]) -> None:
    runs = Runs(sizes, 4)
    together = runs.advanced(6)
    order = [2, 0, 3, 1]
    assert_same_bits(runs.advanced(6, chosen=order), [weight[order] for weight in together])
    for run in range(4):
        alone = runs.advanced(6, chosen=[run])
        assert_same_bits(alone, [weight[run : run + 1] for weight in together])


@pytest.mark.parametrize("sizes", SIZES)
def test_bits_do_not_depend_on_how_steps_are_split(sizes: tuple[int, ...]) -> None:
    runs = Runs(sizes, 2)
    assert_same_bits(runs.advanced(4, 0, 1, 2), runs.advanced(7))


def test_bits_do_not_depend_on_the_image_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs((7, 5, 6), 5)
    together = runs.advanced(3)
    monkeypatch.setattr(kernel, "IMAGE_BUDGET", 500)
    assert_same_bits(runs.advanced(3), together)


@pytest.mark.parametrize("sizes", [(5, 3), (7, 5, 6), (4, 3, 2, 5)])
def test_every_run_takes_its_own_number_of_steps(sizes: tuple[int, ...]) -> None:
    runs = Runs(sizes, 4)
    weights = [weight.copy() for weight in runs.weights]
    advance(weights, runs.target, runs.curvature, runs.step_size, np.array([3, 0, 5, 0]))
    for run, steps in enumerate([3, 0, 5, 0]):
        alone = runs.advanced(steps, chosen=[run])
        assert_same_bits([weight[run : run + 1] for weight in weights], alone)
    assert_same_bits(runs.advanced(0), runs.weights)


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
def test_the_engine_in_numpy_agrees(sizes: tuple[int, ...], mask: bool) -> None:
    runs, steps = Runs(sizes, 3, mask), np.array([5, 0, 9])
    for advance_with in (engine("compiled"), engine("numpy")):
        weights = [weight.copy() for weight in runs.weights]
        advance_with(weights, runs.target, runs.curvature, runs.step_size, steps)
        if advance_with is engine("compiled"):
            expected = weights
    assert engine("numpy") is advance_in_numpy
    for got, wanted in zip(weights, expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12 * np.abs(wanted).max())


WITHOUT_NUMBA = """
import sys
sys.modules["numba"] = None
import numpy as np
from stagewise.dynamics import gradient_descent
from stagewise.problems import Problem
weights = [np.full((2, 2), 0.1) + np.diag([0.0, 0.1]), np.full((2, 2), 0.1)]
run = gradient_descent(Problem(np.eye(2), np.diag([1.0, 0.5])), weights, 0.1, [0, 40], rotate=True)
print(repr(run.loss[-1]))
"""


def test_without_numba_numpy_steps_and_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMBA], capture_output=True, text=True, check=True
    )
    found = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMBA.replace('sys.modules["numba"] = None', "")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "The compiled engine is not available" in done.stderr
    assert "available" not in found.stderr
    values = [float(each.stdout.strip().split("(")[1].rstrip(")")) for each in (done, found)]
    np.testing.assert_allclose(*values, rtol=1e-12)


def test_the_installed_numba_is_one_that_the_kernel_was_tried_with() -> None:
    installed = tuple(map(int, numba.__version__.split(".")[:2]))
    oldest, newest = (tuple(map(int, version.split("."))) for version in kernel.TRIED)
    assert oldest <= installed <= newest


@pytest.mark.parametrize("sizes", [(5, 3), (7, 5, 6), (4, 3, 2, 5)])
def test_divergence_is_quiet_and_stays_in_its_run(sizes: tuple[int, ...]) -> None:
    runs = Runs(sizes, 3)
    calm = runs.advanced(2000, chosen=[0, 2])
    runs.step_size[1] = 50.0
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        weights = runs.advanced(1000, 1000)
    assert all(not np.isfinite(weight[1]).any() for weight in weights)
    assert_same_bits([weight[[0, 2]] for weight in weights], calm)


def test_targets_may_be_read_only_broadcasts() -> None:
    runs = Runs((6, 4, 5), 3)
    runs.target[:] = runs.target[0]
    runs.curvature[:] = runs.curvature[0]
    expected = runs.advanced(3)
    shape = runs.target.shape
    runs.target = np.broadcast_to(runs.target[0], shape)
    runs.curvature = np.broadcast_to(runs.curvature[0], shape)
    weights = [weight.copy() for weight in runs.weights]
    advance(weights, runs.target, runs.curvature, runs.step_size, 3)
    assert_same_bits(weights, expected)
