"""RMSProp on a batch of deep linear networks, in plain NumPy: its runs are few and short."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.gradients import descent_directions


@dataclass(frozen=True)
class RMSProp:
    """The update W ← W − step · g / (√v + offset), with v ← decay · v + (1 − decay) · g².

    shared : one v for all coordinates of all layers, the running mean of their mean square, which
    leaves the gradient's direction alone; otherwise each coordinate has its own. v starts at 0 and is
    not corrected for that. Source: Tieleman and Hinton's lecture, as is common; `shared` is ours.
    """

    shared: bool = False
    decay: float = 0.99
    offset: float = 1e-8

    def memory(self, layers: list[FloatArray]) -> list[FloatArray]:
        """What v is before the first step, one array a layer."""
        if self.shared:
            return [np.zeros((len(layers[0]), 1, 1))]
        return [np.zeros_like(layer) for layer in layers]

    def advance(
        self,
        layers: list[FloatArray],
        memory: list[FloatArray],
        target: FloatArray,
        curvature: FloatArray,
        step_size: FloatArray,
        steps: int,
    ) -> None:
        """Take steps with every run, in place; arguments as in `kernel.advance`."""
        rate = step_size[:, None, None]
        count = sum(layer[0].size for layer in layers)
        with np.errstate(all="ignore"):
            for _ in range(steps):
                residual = target - curvature * reduce(np.matmul, layers)
                directions = descent_directions(residual, layers)
                squares = [direction**2 for direction in directions]
                if self.shared:
                    total = np.sum([each.sum(axis=(1, 2)) for each in squares], axis=0)
                    squares = [(total / count)[:, None, None]]
                for mean, square in zip(memory, squares, strict=True):
                    mean *= self.decay
                    mean += (1 - self.decay) * square
                scales = [np.sqrt(mean) + self.offset for mean in memory]
                for position, (layer, direction) in enumerate(zip(layers, directions, strict=True)):
                    layer += rate * direction / scales[0 if self.shared else position]
