"""An experiment's section of the config, expanded to its runs and dealt into shards."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, product

import numpy as np

from stagewise.arrays import IntArray
from stagewise.config.models import Experiment
from stagewise.dynamics.optimisers.gradient_descent import GradientDescent
from stagewise.dynamics.update_rule import UpdateRule
from stagewise.seeds import generator


@dataclass(frozen=True)
class Run:
    """One training run: a point of the grid and its replicate.

    run : position in the expanded grid, from 0. step_size is in the experiment's unit.
    """

    run: int
    experiment: str
    dataset: str
    centred: bool
    depth: int
    width: int | None
    initialisation: str
    delta: float
    step_size: float
    step_size_unit: str
    replicate: int
    optimizer: UpdateRule = field(default_factory=GradientDescent)

    def generator(self) -> np.random.Generator:
        """Random generator of this run's first weights, seeded by what it is but for the optimiser."""
        return generator(
            "weights",
            self.experiment,
            self.dataset,
            self.depth,
            self.width or 0,
            self.initialisation,
            self.delta,
            self.step_size,
            self.replicate,
        )


def expand(name: str, experiment: Experiment) -> list[Run]:
    """Every run of an experiment, replicates innermost."""
    return list(_runs(name, experiment, range(run_count(experiment))))


def _runs(name: str, experiment: Experiment, positions: range) -> Iterator[Run]:
    """Some of an experiment's runs, by their positions, evenly spaced."""
    grid = (
        (dataset, depth, width, initialisation, delta, step_size, optimizer, replicate)
        for dataset, depth, width, initialisation in product(
            experiment.datasets, experiment.depth, experiment.width, experiment.initialisation
        )
        for delta, step_size, optimizer, replicate in product(
            experiment.scales(depth),
            experiment.step_size,
            experiment.optimizer,
            range(experiment.replicates),
        )
    )
    chosen = islice(grid, positions.start, positions.stop, positions.step)
    for position, (
        dataset,
        depth,
        width,
        initialisation,
        delta,
        step_size,
        optimizer,
        replicate,
    ) in zip(positions, chosen, strict=True):
        yield Run(
            run=position,
            experiment=name,
            dataset=dataset,
            centred=experiment.centred,
            depth=depth,
            width=width,
            initialisation=initialisation,
            delta=delta,
            step_size=step_size,
            step_size_unit=experiment.step_size_unit,
            optimizer=optimizer,
            replicate=replicate,
        )


def run_count(experiment: Experiment) -> int:
    """Number of runs of an experiment."""
    axes = (
        experiment.datasets,
        experiment.depth,
        experiment.width,
        experiment.initialisation,
        experiment.delta or experiment.product_scale or (),
        experiment.step_size,
        experiment.optimizer,
    )
    return math.prod(len(axis) for axis in axes) * experiment.replicates


def shard_count(experiment: Experiment) -> int:
    """Number of jobs that simulate an experiment."""
    return -(-run_count(experiment) // experiment.runs_per_shard)


def shard(name: str, experiment: Experiment, index: int) -> list[Run]:
    """The runs of one shard: every `shard_count`-th run, so that long and short runs mix."""
    positions = range(index, run_count(experiment), shard_count(experiment))
    return list(_runs(name, experiment, positions))


def record_iterations(records_per_decade: int, last: int) -> IntArray:
    """Iterations to record: 0, then log-spaced integers up to the first at or past `last`.

    The grid depends on `records_per_decade` alone, so that curves of different runs share it.
    """
    decades = np.log10(max(last, 1)) + 1
    exponents = np.arange(int(np.ceil(decades * records_per_decade)) + 1) / records_per_decade
    grid = np.unique(np.round(10.0**exponents)).astype(np.int64)
    return np.concatenate([[0], grid[: int(np.searchsorted(grid, last)) + 1]])
