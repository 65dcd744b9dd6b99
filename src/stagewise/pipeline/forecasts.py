"""Stage 2b: learning times of an experiment's grid, forecast from the moments alone."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pyarrow as pa

from stagewise.arrays import IntArray
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
    rows = []
    for dataset in experiment.datasets:
        for draw, moments in enumerate(datasets[dataset][: experiment.replicates]):
            shared = {"experiment": name, "dataset": dataset, "draw": draw}
            rows += [
                shared | row
                for row in forecast_rows(moments.problem(experiment.centred), experiment)
            ]
    return pa.Table.from_pylist(rows, schema=FORECASTS)


def forecast_rows(problem: Problem, experiment: Experiment) -> list[dict[str, float | None]]:
    """Forecasts of one problem over the experiment's widths, step sizes and initial scales."""
    smallest = min(problem.dim_in, problem.dim_out)
    widths = dict.fromkeys(width or smallest for width in experiment.width)
    return [row for width in widths for row in _rows_of_width(problem, experiment, width)]


def _rows_of_width(
    problem: Problem, experiment: Experiment, width: int
) -> list[dict[str, float | None]]:
    grid = list(product(experiment.step_size, experiment.scales(depth=2)))
    relative, delta = (np.array(axis, dtype=np.float64) for axis in zip(*grid, strict=True))
    unit = experiment.step_size_unit
    step_size = np.array([absolute_step(each, unit, problem) for each in relative])
    pooled = PooledMoments.of(problem)
    stages = min(pooled.stages, width, experiment.modes)
    plain = plain_forecast(pooled, step_size, delta, width)
    reduced = reduced_rank_forecast(pooled, step_size, delta, width)
    flow = vanishing_flow_forecast(pooled, step_size, delta, width)
    staged = staged_forecast(pooled, step_size, delta, width)
    start = initial_amplitudes(delta, pooled.dim_in, width, min(pooled.stages, width))
    last = PATIENCE * plain[:, stages - 1]

    def integrate(cases: IntArray, e_folds: float) -> Integration:
        return quasi_adiabatic(
            *(problem, start[cases], step_size[cases], last[cases]), stages, e_folds
        )

    # What suffices for the largest start suffices: the steps' error is largest there.
    largest = np.array([delta.argmin()])
    _, e_folds, _ = fine_enough(lambda e_folds: integrate(largest, e_folds))
    integrated = integrate(np.arange(len(grid)), e_folds)
    return [
        {
            "width": width,
            "delta": float(delta[case]),
            "relative_step_size": float(relative[case]),
            "mode": stage + 1,
            "predicted_vanishing_flow": float(flow[case, stage]),
            "predicted_reduced_rank": float(reduced[case, stage]),
            "predicted_staged": float(staged[case, stage]),
            "predicted_integrated": _present(integrated.learning_iterations[case, stage]),
            "largest_curvature": float(integrated.largest_curvature[case]),
        }
        for case in range(len(grid))
        for stage in range(stages)
    ]


def _present(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
