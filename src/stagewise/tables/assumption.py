"""How far the moments of each data set are from the theory's assumptions."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from stagewise.analysis import commutation
from stagewise.data.npz import read_moments
from stagewise.problems.moments import Moments
from stagewise.seeds import generator

READS = "moments"
MANY_INPUTS, FEW_COMPLETIONS = 1000, 3


def table(paths: Sequence[Path], random_completions: int) -> pd.DataFrame:
    """The table from the files of moments, the first draw of each."""
    datasets = {path.stem: read_moments(path)[0] for path in paths}
    return assumption_table(datasets, random_completions)


def assumption_table(datasets: Mapping[str, Moments], random_completions: int) -> pd.DataFrame:
    """`assumption`: distances from the assumptions, per data set, centring and completion.

    Columns dataset, n, dim_in, dim_out, centred, completion, delta_x, delta_xy, delta_xy_low,
    delta_xy_high; for random completions delta_xy is the mean, low and high the range. Beyond
    MANY_INPUTS inputs there are no more than FEW_COMPLETIONS of them: each takes seconds there, and
    they differ by less than a thousandth.
    """
    rows = []
    for name, moments in datasets.items():
        for centred in (True, False) if moments.means_known else (True,):
            problem = moments.problem(centred)
            random = generator("completion", name, centred)
            few = problem.dim_in > MANY_INPUTS
            count = min(random_completions, FEW_COMPLETIONS) if few else random_completions
            measured = commutation(problem, count, random)
            shared = {
                "dataset": name,
                "n": moments.n,
                "dim_in": problem.dim_in,
                "dim_out": problem.dim_out,
                "centred": centred,
            }
            for completion, values in (
                ("eigen", np.array([measured.delta_xy_eigen])),
                ("random", measured.delta_xy_random),
            ):
                rows.append(
                    shared
                    | {
                        "completion": completion,
                        "delta_x": measured.delta_x,
                        "delta_xy": values.mean(),
                        "delta_xy_low": values.min(),
                        "delta_xy_high": values.max(),
                    }
                )
    return pd.DataFrame(rows)
