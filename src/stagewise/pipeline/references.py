"""Stage 2c: held-out error of methods that are solved rather than trained."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from stagewise.config.models import Experiment
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Problem
from stagewise.store.schemas import REFERENCES
from stagewise.theory import reduced_rank_regression, ridge_regression

PENALTIES = np.geomspace(1e-6, 10.0, 57)
"""Of ridge regression, over the top eigenvalue of sigma_x."""


def references_table(
    name: str, experiment: Experiment, datasets: Mapping[str, Sequence[Moments]]
) -> pa.Table:
    """`references.parquet` of one experiment: one row per data set, draw, method and parameter.

    datasets : draws of the moments by data set name; those without held-out data are left out.
    """
    rows: list[dict[str, object]] = []
    for dataset in experiment.datasets:
        for draw, moments in enumerate(datasets[dataset][: experiment.replicates]):
            shared = {"experiment": name, "dataset": dataset, "draw": draw}
            rows += [shared | each for each in _errors(moments.problem(experiment.centred))]
    return pa.Table.from_pylist(rows, schema=REFERENCES)


def _errors(problem: Problem) -> Iterator[dict[str, object]]:
    if problem.held_out is None:
        return
    for rank in range(1, min(problem.dim_in, problem.dim_out) + 1):
        error = problem.held_out.error(reduced_rank_regression(problem, rank))
        yield {"method": "reduced_rank", "parameter": float(rank), "test_error": error}
    for penalty in PENALTIES:
        product = ridge_regression(problem, float(penalty * problem.eigenvalues[-1]))
        error = problem.held_out.error(product)
        yield {"method": "ridge", "parameter": float(penalty), "test_error": error}
