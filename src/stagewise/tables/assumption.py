"""How far the moments of each data set are from the theory's assumptions."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from stagewise.analysis import commutation
from stagewise.data.npz import read_moments
from stagewise.problems.moments import Moments

READS = "moments"


def table(paths: Sequence[Path]) -> pd.DataFrame:
    """The table from the files of moments, the first draw of each."""
    return assumption_table({path.stem: read_moments(path)[0] for path in paths})


def assumption_table(datasets: Mapping[str, Moments]) -> pd.DataFrame:
    """`assumption`: distances from the assumptions, per data set, centring and completion.

    Columns dataset, n, dim_in, dim_out, centred, completion, delta_x, delta_xy; for the completion
    "random" delta_xy is the root mean square over all of them.
    """
    rows = []
    for name, moments in datasets.items():
        for centred in (True, False) if moments.means_known else (True,):
            problem = moments.problem(centred)
            measured = commutation(problem)
            rows += [
                {
                    "dataset": name,
                    "n": moments.n,
                    "dim_in": problem.dim_in,
                    "dim_out": problem.dim_out,
                    "centred": centred,
                    "completion": completion,
                    "delta_x": measured.delta_x,
                    "delta_xy": delta_xy,
                }
                for completion, delta_xy in (
                    ("eigen", measured.delta_xy_eigen),
                    ("random", measured.delta_xy_random),
                )
            ]
    return pd.DataFrame(rows)
