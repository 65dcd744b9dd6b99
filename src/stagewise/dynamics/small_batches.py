"""Linear networks on batches of a few samples by gradient descent, compiled.

A step is some hundred multiplications there, and calls of NumPy would be most of its cost. Runs are
advanced side by side, so that the same entry of their weights makes a vector.
"""

# The compiler's own interface carries no types.
# mypy: disable-error-code="untyped-decorator"

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.compiling import COMPILED, njit
from stagewise.dynamics.on_data import Network, Observe, Run, Sampling, draw_batches, train_on_data

LANES = 64
"""Runs side by side at most: their weights stay in a cache. With a few, or a number that the compiler
knows, it makes no vectors: eight took two fifths longer."""


def train_on_small_batches(
    inputs: FloatArray,
    outputs: FloatArray,
    weights: list[FloatArray],
    step_size: float,
    record_at: IntArray,
    observe: Observe,
    sampling: Sampling,
    generators: list[np.random.Generator],
) -> None:
    """The same to rounding as `train_on_data` on linear networks by gradient descent; see there.

    Where there is no compiler it is that function which trains.
    """
    if not COMPILED:
        train_on_data(
            *(Network(), inputs, outputs, weights, step_size, record_at, observe),
            sampling=sampling,
            generators=generators,
        )
        return
    run = Run.of(weights, step_size, None)
    sizes = np.array([inputs.shape[1], *(each.shape[2] for each in weights)])
    ends = np.cumsum(sizes[:-1] * sizes[1:])
    runs = len(generators)
    groups = -(-runs // LANES)
    together = -(-runs // groups)
    # The last group is filled up with copies of the last run.
    filled = np.minimum(np.arange(groups * together), runs - 1)
    flat = np.concatenate([each.reshape(runs, -1) for each in weights], axis=1)[filled]
    lanes = np.ascontiguousarray(flat.reshape(groups, together, ends[-1]).swapaxes(1, 2))
    blocks = draw_batches(generators, len(inputs), sampling)
    block, used = next(blocks), 0

    def advance(steps: int) -> None:
        nonlocal block, used
        while steps:
            if used == block.shape[1]:
                block, used = next(blocks), 0
            taken = min(steps, block.shape[1] - used)
            _advance(inputs, outputs, block, used, used + taken, sizes, lanes, step_size)
            used, steps = used + taken, steps - taken
        numbers = lanes.swapaxes(1, 2).reshape(-1, ends[-1])[:runs]
        for weight, part in zip(run.parameters, np.split(numbers, ends[:-1], axis=1), strict=True):
            weight[:] = part.reshape(weight.shape)

    run.train(record_at, observe, advance)


@njit(cache=True, nogil=True)
def _advance(
    inputs: FloatArray,
    outputs: FloatArray,
    picked: IntArray,
    first: int,
    last: int,
    sizes: IntArray,
    weights: FloatArray,
    step_size: float,
) -> None:
    """Take steps in place. picked : (runs, steps, batch). weights : (groups, numbers, runs)."""
    runs, _, batch = picked.shape
    lanes = weights.shape[2]
    depth, widest = len(sizes) - 1, sizes.max()
    values = np.zeros((depth + 1, batch, widest, lanes))
    error, earlier = np.zeros((batch, widest, lanes)), np.zeros((batch, widest, lanes))
    total = np.zeros(lanes)
    for group in range(len(weights)):
        weight = weights[group]
        for step in range(first, last):
            for each in range(batch):
                for lane in range(lanes):
                    sample = picked[min(group * lanes + lane, runs - 1), step, each]
                    for i in range(sizes[0]):
                        values[0, each, i, lane] = inputs[sample, i]
                    for j in range(sizes[depth]):
                        error[each, j, lane] = -outputs[sample, j]
            start = 0
            for layer in range(depth):
                rows, columns = sizes[layer], sizes[layer + 1]
                for each in range(batch):
                    for j in range(columns):
                        total[:] = 0.0
                        for i in range(rows):
                            for lane in range(lanes):
                                value = values[layer, each, i, lane]
                                total[lane] += value * weight[start + i * columns + j, lane]
                        values[layer + 1, each, j] = total
                start += rows * columns
            for each in range(batch):
                for j in range(sizes[depth]):
                    for lane in range(lanes):
                        error[each, j, lane] += values[depth, each, j, lane]
                        error[each, j, lane] /= batch
            for layer in range(depth - 1, -1, -1):
                rows, columns = sizes[layer], sizes[layer + 1]
                start -= rows * columns
                for each in range(batch if layer else 0):
                    for i in range(rows):
                        total[:] = 0.0
                        for j in range(columns):
                            for lane in range(lanes):
                                back = error[each, j, lane]
                                total[lane] += back * weight[start + i * columns + j, lane]
                        earlier[each, i] = total
                for i in range(rows):
                    for j in range(columns):
                        total[:] = 0.0
                        for each in range(batch):
                            for lane in range(lanes):
                                value = values[layer, each, i, lane]
                                total[lane] += value * error[each, j, lane]
                        for lane in range(lanes):
                            weight[start + i * columns + j, lane] -= step_size * total[lane]
                error, earlier = earlier, error
