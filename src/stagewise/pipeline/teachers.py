"""Stage 2d: the theory of Lampinen and Ganguli for an experiment's noisy teachers."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa

from stagewise.arrays import FloatArray
from stagewise.config.models import Experiment
from stagewise.errors import StagewiseError
from stagewise.pipeline.simulate import absolute_step, run_length
from stagewise.planning.experiments import record_iterations
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Problem
from stagewise.store.schemas import TEACHERS
from stagewise.theory.generalisation import (
    NoisyTeacher,
    asymptotic_teacher,
    finite_teacher,
    growth,
    learned_strengths,
)
from stagewise.theory.growth import GROWTH_RULES, GrowthRule

RELAXING_AS_DESCENT = ("gradient_descent", "layers_in_turn")
"""Update rules under which a learned mode approaches its target as under gradient descent."""


def teachers_table(
    name: str, experiment: Experiment, datasets: Mapping[str, Sequence[Moments]]
) -> pa.Table:
    """`teachers.parquet` of one experiment: one row per data set, start, step size, law and iteration.

    datasets : draws of the moments by data set name. Errors of the finite version are means over
    the draws. Raises StagewiseError for data sets without a teacher, that is without held-out
    moments.
    """
    tables = []
    for dataset in experiment.datasets:
        draws = datasets[dataset][: experiment.replicates]
        problems = [draw.problem(experiment.centred) for draw in draws]
        tables += _tables(problems, experiment, {"experiment": name, "dataset": dataset})
    return pa.concat_tables(tables)


def _tables(
    problems: list[Problem], experiment: Experiment, shared: dict[str, str]
) -> list[pa.Table]:
    teachers = [_teacher(problem, shared["dataset"]) for problem in problems]
    first = problems[0]
    strengths = np.linalg.svd(teachers[0], compute_uv=False)
    strengths = strengths[strengths > 1e-10 * strengths[0]]
    scale = float(first.eigenvalues.mean())
    versions = {
        "asymptotic": [asymptotic_teacher(strengths, first.dim_in, first.dim_out)],
        "finite": [
            finite_teacher(teacher, problem.sigma_xy / scale)
            for teacher, problem in zip(teachers, problems, strict=True)
        ],
    }
    of_teacher = {
        "teacher_rank": len(strengths),
        "strength": float(np.round(strengths[-1], 9)),
        "white": bool(np.ptp(first.eigenvalues) < 1e-9 * scale),
    }
    tables, rule = [], _rule(experiment)
    grid = product(experiment.initialisation, experiment.scales(depth=2), experiment.step_size)
    for start, delta, relative in grid:
        step = absolute_step(relative, experiment.step_size_unit, first)
        last = run_length(first, experiment, 2, delta, step, experiment.modes)
        iterations = record_iterations(experiment.records_per_decade, last).astype(np.float64)
        of_run = {"initialisation": start, "delta": delta, "relative_step_size": relative}
        fastest = {"fastest": float(step * scale * versions["asymptotic"][0].values[0])}
        amplitude = _start(start, delta, first, experiment)
        laws = {"flow": None, "discrete": rule}
        for (version, noisy), (law_name, law_rule) in product(versions.items(), laws.items()):
            law = {"version": version, "law": law_name}
            curves = [
                _errors(each, amplitude, step * scale, iterations, law_rule) for each in noisy
            ]
            test, train = np.mean(curves, axis=0)
            constants = shared | of_teacher | of_run | fastest | law
            tables.append(_table(constants, iterations, test, train))
    return tables


def _rule(experiment: Experiment) -> GrowthRule:
    """The growth function of the experiment's update rule, one that relaxes as descent does."""
    kinds = [each.kind for each in experiment.optimizer]
    if len(kinds) != 1 or kinds[0] not in RELAXING_AS_DESCENT:
        raise StagewiseError(
            f"teacher_theory knows the update rules {' and '.join(RELAXING_AS_DESCENT)}, one an experiment; "
            f"optimizer is {', '.join(kinds)}. Choose one of the two, or set teacher_theory to false."
        )
    return GROWTH_RULES[kinds[0]]()


def _errors(
    noisy: NoisyTeacher,
    start: float,
    rate: float,
    iterations: FloatArray,
    rule: GrowthRule | None,
) -> tuple[FloatArray, FloatArray]:
    grown = growth(noisy.values, rate, iterations, rule)
    return noisy.errors(learned_strengths(noisy.values, start, grown))


def _teacher(problem: Problem, dataset: str) -> FloatArray:
    if problem.held_out is None:
        raise StagewiseError(
            f"The data set {dataset} has no teacher, so there is no theory of its test error. Use "
            "the kind low_rank_regression with one_hot inputs, or set teacher_theory to false."
        )
    return Problem(problem.held_out.sigma_x, problem.held_out.sigma_xy).least_squares


def _start(initialisation: str, delta: float, problem: Problem, experiment: Experiment) -> float:
    """Strength of the product at the start; random frames share it out, see the theory."""
    width = experiment.width[0] or min(problem.dim_in, problem.dim_out)
    spread = 1.0 if initialisation == "aligned" else (1 + width / problem.dim_in) / 4
    return float(np.exp(-2 * delta) * spread)


def _table(
    constants: Mapping[str, object], iterations: FloatArray, test: FloatArray, train: FloatArray
) -> pa.Table:
    columns: dict[str, Any] = {
        "iteration": iterations.astype(np.int64),
        "test_error": test,
        "train_error": train,
    }
    columns |= {name: [value] * len(iterations) for name, value in constants.items()}
    return pa.table(
        [pa.array(columns[field.name], type=field.type) for field in TEACHERS], schema=TEACHERS
    )
