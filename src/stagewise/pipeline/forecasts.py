"""Stage 2b: learning times of an experiment's grid, forecast from the moments alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa

from stagewise.arrays import FloatArray, IntArray
from stagewise.config.models import Experiment
from stagewise.dynamics.adiabatic import Integration, fine_enough, quasi_adiabatic
from stagewise.pipeline.simulate import absolute_step
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Problem
from stagewise.store.schemas import FORECASTS
from stagewise.theory.forecast_laws import (
    PATIENCE,
    PooledMoments,
    initial_amplitudes,
    plain_forecast,
    reduced_rank_forecast,
    vanishing_flow_forecast,
)
from stagewise.theory.staged_forecast import staged_forecast


def forecasts_table(
    name: str, experiment: Experiment, datasets: Mapping[str, Sequence[Moments]]
) -> pa.Table:
    """`forecasts.parquet` of one experiment: one row per data set, draw, grid point and stage.

    datasets : draws of the moments by data set name.
    """
    shared, grids = [], []
    for dataset in experiment.datasets:
        for draw, moments in enumerate(datasets[dataset][: experiment.replicates]):
            problem = moments.problem(experiment.centred)
            smallest = min(problem.dim_in, problem.dim_out)
            for width in dict.fromkeys(width or smallest for width in experiment.width):
                grids.append(_Grid.of(problem, experiment, width))
                point = {"experiment": name, "dataset": dataset, "draw": draw, "width": width}
                shared.append(point)
    rows = [
        point | row
        for point, grid, found in zip(shared, grids, _integrated(grids), strict=True)
        for row in grid.rows(found)
    ]
    return pa.Table.from_pylist(rows, schema=FORECASTS)


@dataclass(frozen=True)
class _Grid:
    """Every step size and initial scale, a case each, of one problem at one width.

    relative, step_size, delta : (cases,). stages : how many are forecast.
    """

    problem: Problem
    pooled: PooledMoments
    width: int
    stages: int
    relative: FloatArray
    step_size: FloatArray
    delta: FloatArray

    @classmethod
    def of(cls, problem: Problem, experiment: Experiment, width: int) -> "_Grid":
        grid = list(product(experiment.step_size, experiment.scales(depth=2)))
        relative, delta = (np.array(axis, dtype=np.float64) for axis in zip(*grid, strict=True))
        unit = experiment.step_size_unit
        step_size = np.array([absolute_step(each, unit, problem) for each in relative])
        pooled = PooledMoments.of(problem)
        stages = min(pooled.stages, width, experiment.modes)
        return cls(problem, pooled, width, stages, relative, step_size, delta)

    @property
    def hidden(self) -> int:
        """Number of hidden directions that can learn a mode."""
        return min(self.pooled.stages, self.width)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """What problems must share to be integrated together."""
        return self.problem.dim_in, self.problem.dim_out, self.hidden, self.stages

    @property
    def last(self) -> FloatArray:
        """Iterations at which to give up (cases,)."""
        plain = plain_forecast(self.pooled, self.step_size, self.delta, self.width)
        return np.asarray(PATIENCE * plain[:, self.stages - 1])

    @property
    def start(self) -> FloatArray:
        """Logarithms of the hidden directions' amplitudes (cases, hidden)."""
        return initial_amplitudes(self.delta, self.pooled.dim_in, self.width, self.hidden)

    def rows(self, found: Integration) -> list[dict[str, float | None]]:
        """A row per case and stage. found : the integrated forecast."""
        given = self.pooled, self.step_size, self.delta, self.width
        reduced, flow = reduced_rank_forecast(*given), vanishing_flow_forecast(*given)
        staged = staged_forecast(*given)
        return [
            {
                "delta": float(self.delta[case]),
                "relative_step_size": float(self.relative[case]),
                "mode": stage + 1,
                "predicted_vanishing_flow": float(flow[case, stage]),
                "predicted_reduced_rank": float(reduced[case, stage]),
                "predicted_staged": float(staged[case, stage]),
                "predicted_integrated": _present(found.learning_iterations[case, stage]),
                "largest_curvature": float(found.largest_curvature[case]),
            }
            for case in range(len(self.delta))
            for stage in range(self.stages)
        ]


def _integrated(grids: Sequence[_Grid]) -> list[Integration]:
    """The integrated forecast of each grid, in steps that suffice for it.

    Problems of one shape are integrated together, as a step is mostly the calls that it makes.
    """
    alike: dict[tuple[int, ...], list[int]] = {}
    for place, grid in enumerate(grids):
        alike.setdefault(grid.shape, []).append(place)
    found: dict[int, Integration] = {}
    for places in alike.values():
        together = [grids[place] for place in places]
        found |= zip(places, _integrated_together(together), strict=True)
    return [found[place] for place in range(len(grids))]


def _integrated_together(grids: Sequence[_Grid]) -> list[Integration]:
    """The same of grids that have one shape."""
    sizes = [len(grid.delta) for grid in grids]
    problems = [grid.problem for grid in grids for _ in grid.delta]
    start, step_size, last = (
        np.concatenate(parts)
        for parts in zip(*((grid.start, grid.step_size, grid.last) for grid in grids), strict=True)
    )

    def integrate(cases: IntArray, e_folds: FloatArray) -> Integration:
        some = [problems[case] for case in cases]
        given = some, start[cases], step_size[cases], last[cases]
        return quasi_adiabatic(*given, grids[0].stages, e_folds)

    # What suffices for the largest start suffices: the steps' error is largest there.
    first = np.cumsum([0, *sizes])
    largest = first[:-1] + [grid.delta.argmin() for grid in grids]
    found, e_folds, _ = fine_enough(
        lambda some, e_folds: integrate(largest[some], e_folds), len(grids)
    )
    if len(problems) > len(grids):  # or else that was all of them
        found = integrate(np.arange(len(problems)), np.repeat(e_folds, sizes))
    return [
        Integration(found.learning_iterations[own], found.steps, found.largest_curvature[own])
        for own in map(slice, first[:-1], first[1:])
    ]


def _present(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
