"""Stale gradients, as of asynchronous workers: W ← W − η times the gradient of some steps ago."""

from dataclasses import dataclass

import numpy as np

from stagewise.arrays import FloatArray
from stagewise.dynamics.update_rules import Gradient, Parameters, Rate


@dataclass(frozen=True)
class Rule:
    """delay : iterations between a gradient and its use; none is applied before the first arrives."""

    delay: int = 1

    def memory(self, parameters: Parameters) -> list[FloatArray]:
        """Gradients on their way, oldest first: (delay, runs, …) of each parameter."""
        return [np.zeros((int(self.delay), *each.shape)) for each in parameters]

    def step(
        self, parameters: Parameters, gradient: Gradient, rate: Rate, memory: list[FloatArray]
    ) -> None:
        """W ← W − ηg of `delay` iterations ago."""
        for parameter, waiting, slope in zip(parameters, memory, gradient(parameters), strict=True):
            if not len(waiting):
                parameter -= rate * slope
                continue
            parameter -= rate * waiting[0]
            waiting[:-1] = waiting[1:].copy()
            waiting[-1] = slope
