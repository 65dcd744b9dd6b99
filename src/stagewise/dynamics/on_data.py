"""Training on samples rather than moments: mini-batches, momentum, losses, activations, biases.

Runs are batched: every array has a leading axis of runs, which share the samples, the architecture
and the options but have weights and batches of their own. A run's result does not depend on the
other runs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.clock import stepping
from stagewise.dynamics.engine import engine
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.update_rule import Landscape, MomentLandscape, UpdateRule
from stagewise.errors import StagewiseError
from stagewise.problems.problem import Problem

Activation = Literal["linear", "tanh", "relu"]
Loss = Literal["squared", "cross_entropy"]

Observe = Callable[[int, list[FloatArray]], bool]
"""Iteration, weights and then biases, not to be kept without a copy → whether training ends."""

_BLOCK = 128
"""Samples that go through a network at once: hidden values of more would not stay in a cache."""
_CHUNK = 1 << 18
"""Bounds the sample indices that are drawn ahead, in numbers."""


@dataclass(frozen=True)
class Network:
    """A fully connected network and its loss; the last layer is linear.

    activation : after every layer but the last. loss : "squared" is ½‖output − y‖² per sample,
    "cross_entropy" the softmax cross-entropy with y as probabilities.
    """

    activation: Activation = "linear"
    loss: Loss = "squared"

    def outputs(
        self, inputs: FloatArray, weights: list[FloatArray], biases: list[FloatArray]
    ) -> FloatArray:
        """What the network says, after softmax for cross-entropy: (runs, samples, dim_out).

        inputs : (samples, dim_in) or (runs, samples, dim_in). weights : (runs, rows, columns) each.
        biases : (runs, 1, columns) each, or an empty list.
        """
        blocks = (
            self._response(
                self._forward(inputs[..., first : first + _BLOCK, :], weights, biases)[-1]
            )
            for first in range(0, inputs.shape[-2], _BLOCK)
        )
        return np.concatenate(list(blocks), axis=-2)

    def gradients(
        self,
        inputs: FloatArray,
        outputs: FloatArray,
        weights: list[FloatArray],
        biases: list[FloatArray],
    ) -> tuple[list[FloatArray], list[FloatArray]]:
        """Gradients of the batch's mean loss with respect to weights and biases.

        inputs, outputs : (runs, batch, dimension). Source: the chain rule.
        """
        values = self._forward(inputs, weights, biases)
        error = (self._response(values[-1]) - outputs) / inputs.shape[1]
        by_weight: list[FloatArray] = []
        by_bias: list[FloatArray] = []
        for layer in range(len(weights) - 1, -1, -1):
            by_weight.append(values[layer].transpose(0, 2, 1) @ error)
            if biases:
                by_bias.append(error.sum(axis=1, keepdims=True))
            if layer:
                error = error @ weights[layer].transpose(0, 2, 1)
                if self.activation != "linear":
                    error *= self._slope(values[layer])
        return by_weight[::-1], by_bias[::-1]

    def _forward(
        self, inputs: FloatArray, weights: list[FloatArray], biases: list[FloatArray]
    ) -> list[FloatArray]:
        values = [inputs]
        for layer, weight in enumerate(weights):
            value = values[-1] @ weight
            if biases:
                value += biases[layer]
            values.append(value if layer == len(weights) - 1 else self._activated(value))
        return values

    def _activated(self, value: FloatArray) -> FloatArray:
        if self.activation == "tanh":
            return np.tanh(value)
        return np.maximum(value, 0) if self.activation == "relu" else value

    def _slope(self, activated: FloatArray) -> FloatArray:
        """Derivative of tanh or relu, from its value."""
        if self.activation == "tanh":
            return 1 - activated**2
        return (activated > 0).astype(np.float64)

    def _response(self, value: FloatArray) -> FloatArray:
        if self.loss == "squared":
            return value
        powers = np.exp(value - value.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Sampling:
    """How batches are drawn: how many samples at a time, and whether with replacement."""

    batch_size: int
    replace: bool = True


def draw_batches(
    generators: list[np.random.Generator], samples: int, sampling: Sampling
) -> Iterator[IntArray]:
    """Samples of some steps at a time, forever: (runs, steps, batch_size), a generator per run.

    Without replacement an epoch has ⌊samples/batch_size⌋ batches; those left over sit it out.
    Raises StagewiseError where a batch would need more samples than there are.
    """
    size, batches = sampling.batch_size, samples // sampling.batch_size
    if not batches and not sampling.replace:
        raise StagewiseError(
            f"batch_size is {size}, but there are {samples} samples. Without replacement a "
            "batch holds at most all of them."
        )
    steps = max(1, _CHUNK // (len(generators) * size)) if sampling.replace else batches
    while True:
        if sampling.replace:
            drawn = [each.integers(samples, size=(steps, size)) for each in generators]
        else:
            orders = [each.permutation(samples)[: steps * size] for each in generators]
            drawn = [order.reshape(steps, size) for order in orders]
        yield np.stack(drawn)


@dataclass(frozen=True)
class SampleLandscape(Landscape):
    """The mean losses of a network on a batch of samples, as an update rule sees them.

    inputs, outputs : (runs, batch, dimension). depth : how many of the parameters are weights; the
    others are biases.
    """

    network: Network
    inputs: FloatArray
    outputs: FloatArray
    depth: int

    def directions(self, layers: list[FloatArray]) -> list[FloatArray]:
        """Minus the gradient of weights, then biases."""
        by_weight, by_bias = self.network.gradients(
            self.inputs, self.outputs, layers[: self.depth], layers[self.depth :]
        )
        return [-each for each in by_weight + by_bias]


def train_on_moments(
    problems: Sequence[Problem],
    weights: list[FloatArray],
    step_size: float | FloatArray,
    record_at: IntArray,
    observe: Observe,
    rule: UpdateRule | None = None,
) -> None:
    """Train linear networks on full batches, of which they see the moments alone.

    problems : one, or one per run. observe : is given weights in the eigenbases of the problems'
    sigma_x, where sigma_x·W is the product of `Problem.curvature` and W entry by entry. Other
    arguments as in `train_on_data`.
    """
    target, curvature, bases = (
        np.stack([getattr(each, name) for each in problems])
        for name in ("seen", "curvature", "eigenvectors")
    )
    run = Run.of([bases.transpose(0, 2, 1) @ weights[0], *weights[1:]], step_size, rule)
    if not run.rule.compiled:
        landscape = MomentLandscape(target, curvature)
        run.train(record_at, observe, lambda steps: run.advance(landscape, steps))
        return
    runs, step = len(run.taken), engine()  # to load it is not to step
    wide = (runs, *target.shape[1:])
    target, curvature = np.broadcast_to(target, wide), np.broadcast_to(curvature, wide)

    def advance(steps: int) -> None:
        step(run.parameters, target, curvature, run.step_size, np.full(runs, steps))
        run.taken[:] += steps

    run.train(record_at, observe, advance)


def train_on_data(
    network: Network,
    inputs: FloatArray,
    outputs: FloatArray,
    weights: list[FloatArray],
    step_size: float | FloatArray,
    record_at: IntArray,
    observe: Observe,
    *,
    sampling: Sampling | None = None,
    generators: list[np.random.Generator] | None = None,
    rule: UpdateRule | None = None,
    use_biases: bool = False,
) -> None:
    """Train every run on batches of samples, observed at some iterations.

    inputs : (samples, dim_in). outputs : (samples, dim_out). weights : (runs, rows, columns) each,
    not written to. step_size : one, or (runs,). record_at : iterations, ascending. sampling : None
    takes all samples at every step. generators : one per run, for its batches. rule : None is
    gradient descent. use_biases : a bias (runs, 1, columns) per layer, 0 at first. Weights that
    diverge become infinite or NaN.
    """
    depth = len(weights)
    biases = [np.zeros((len(each), 1, each.shape[2])) for each in weights] if use_biases else []
    run = Run.of(weights + biases, step_size, rule)
    if sampling is None:
        whole = np.broadcast_to(inputs, (len(run.taken), *inputs.shape))
        landscape = SampleLandscape(network, whole, outputs, depth)
        run.train(record_at, observe, lambda steps: run.advance(landscape, steps))
        return
    batches = _steps(draw_batches(generators or [], len(inputs), sampling))

    def advance(steps: int) -> None:
        for batch in islice(batches, steps):
            drawn = inputs.take(batch, axis=0), outputs.take(batch, axis=0)
            run.advance(SampleLandscape(network, *drawn, depth), 1)

    run.train(record_at, observe, advance)


def _steps(blocks: Iterator[IntArray]) -> Iterator[IntArray]:
    """Batches of single steps (runs, batch_size)."""
    for block in blocks:
        yield from block.swapaxes(0, 1)


@dataclass(frozen=True)
class Run:
    """Runs on their way: what an update rule moves, what it remembers, step sizes, steps taken."""

    rule: UpdateRule
    parameters: list[FloatArray]
    memory: list[FloatArray]
    step_size: FloatArray
    taken: IntArray

    @classmethod
    def of(
        cls, parameters: list[FloatArray], step_size: float | FloatArray, rule: UpdateRule | None
    ) -> "Run":
        """Before the first step."""
        rule, own = rule or GradientDescent(), [each.copy() for each in parameters]
        runs = len(own[0])
        sizes = np.broadcast_to(np.asarray(step_size, dtype=np.float64), (runs,))
        return cls(rule, own, rule.start(own), sizes, np.zeros(runs, dtype=np.int64))

    def advance(self, landscape: Landscape, steps: int) -> None:
        """Take steps, in place."""
        taken = self.taken
        self.rule.advance(self.parameters, self.memory, landscape, self.step_size, taken, steps)
        taken += steps

    @np.errstate(all="ignore")
    def train(self, record_at: IntArray, observe: Observe, advance: Callable[[int], None]) -> None:
        """Advance from one record to the next until `observe` says that it is enough."""
        done = 0
        for iteration in record_at.tolist():
            with stepping():
                advance(iteration - done)
            done = iteration
            if observe(iteration, self.parameters):
                return
