"""Training on samples rather than moments: mini-batches, momentum, losses, activations, biases.

Runs are batched: every array has a leading axis of runs, which share the samples, the architecture
and the options but have weights and batches of their own. A run's result does not depend on the
other runs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stagewise.arrays import FloatArray, IntArray
from stagewise.clock import stepping
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.update_rule import Landscape, UpdateRule
from stagewise.errors import StagewiseError

Activation = Literal["linear", "tanh", "relu"]
Loss = Literal["squared", "cross_entropy"]

_CHUNK = 1 << 22
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
        return self._response(self._forward(inputs, weights, biases)[-1])

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
                error = (error @ weights[layer].transpose(0, 2, 1)) * self._slope(values[layer])
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

    def _slope(self, activated: FloatArray) -> FloatArray | float:
        """Derivative of the activation, from its value."""
        if self.activation == "tanh":
            return 1 - activated**2
        return (activated > 0).astype(np.float64) if self.activation == "relu" else 1.0

    def _response(self, value: FloatArray) -> FloatArray:
        if self.loss == "squared":
            return value
        powers = np.exp(value - value.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def draw_batches(
    generator: np.random.Generator, samples: int, batch_size: int, *, replace: bool
) -> Iterator[IntArray]:
    """Samples of each step, forever: (batch_size,) at a time.

    Without replacement an epoch has ⌊samples/batch_size⌋ batches; those left over sit it out.
    Raises StagewiseError where a batch would need more samples than there are.
    """
    if batch_size > samples and not replace:
        raise StagewiseError(
            f"batch_size is {batch_size}, but there are {samples} samples. Without replacement a "
            "batch holds at most all of them."
        )
    batches = max(samples // batch_size, 1)
    epochs = max(1, min(_CHUNK // (batches * batch_size), 64))
    while True:
        if replace:
            yield from generator.integers(samples, size=(epochs * batches, batch_size))
        else:
            order = generator.permutation(samples)[: batches * batch_size]
            yield from order.reshape(batches, batch_size)


@dataclass(frozen=True)
class Sampling:
    """How batches are drawn: how many samples at a time, and whether with replacement."""

    batch_size: int
    replace: bool = True


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


def train_on_data(
    network: Network,
    inputs: FloatArray,
    outputs: FloatArray,
    weights: list[FloatArray],
    step_size: float | FloatArray,
    record_at: IntArray,
    measure: Callable[[list[FloatArray], list[FloatArray]], FloatArray],
    *,
    sampling: Sampling | None = None,
    generators: list[np.random.Generator] | None = None,
    rule: UpdateRule | None = None,
    use_biases: bool = False,
    until: Callable[[FloatArray], bool] | None = None,
) -> tuple[IntArray, FloatArray]:
    """Train every run on batches of samples and record what `measure` returns.

    inputs : (samples, dim_in). outputs : (samples, dim_out); both may have a leading axis of runs
    where every step takes all samples. weights : (runs, rows, columns) each, not written to.
    step_size : one, or (runs,). record_at : iterations, ascending. measure : weights and biases →
    (runs, …). generators : one per run, for its batches. rule : None is gradient descent.
    use_biases : a bias (runs, 1, columns) per layer, 0 at first. until : called with each record;
    training ends when it says so. Returns the iterations recorded and the records (records, runs,
    …). Weights that diverge become infinite or NaN, and so do their records.
    """
    weights = [each.copy() for each in weights]
    runs, depth = len(weights[0]), len(weights)
    biases = [np.zeros((runs, 1, each.shape[2])) for each in weights] if use_biases else []
    parameters = weights + biases
    rule = rule or GradientDescent()
    memory = rule.start(parameters)
    steps = np.broadcast_to(np.asarray(step_size, dtype=np.float64), (runs,))
    taken = np.zeros(runs, dtype=np.int64)
    whole = np.broadcast_to(inputs, (runs, *inputs.shape[-2:]))
    landscape = SampleLandscape(network, whole, outputs, depth)
    streams = [
        draw_batches(each, len(inputs), sampling.batch_size, replace=sampling.replace)
        for each in (generators or [])
        if sampling is not None
    ]
    kept, records = [], []
    with np.errstate(all="ignore"):
        for iteration in record_at.tolist():
            with stepping():
                for _ in range(iteration - int(taken[0])):
                    if sampling is not None:
                        picked = np.stack([next(stream) for stream in streams])
                        landscape = SampleLandscape(network, inputs[picked], outputs[picked], depth)
                    rule.advance(parameters, memory, landscape, steps, taken, 1)
                    taken += 1
            kept.append(iteration)
            records.append(measure(weights, biases))
            if until is not None and until(records[-1]):
                break
    return np.array(kept), np.stack(records)
