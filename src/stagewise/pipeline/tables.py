"""Stage 4: what the tables hold."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stagewise.analysis import commutation
from stagewise.problems.moments import Moments
from stagewise.seeds import generator

MANY_INPUTS, FEW_COMPLETIONS = 1000, 3


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


def learning_times_summary(times: pd.DataFrame) -> pd.DataFrame:
    """`learning_times` as a table: measured over predicted, per experiment and grid axis.

    Columns experiment, dataset, depth, initialisation, delta, runs, learned (share of modes), then
    mean and 5–95 % range of measured/predicted for the discrete law, and the mean for the flow's.
    """
    keys = ["experiment", "dataset", "depth", "initialisation", "delta"]
    rows = []
    for key, group in times.groupby(keys, sort=True):
        reached = group[group["learning_iteration"].notna()]
        discrete = (reached["learning_iteration"] / reached["predicted_discrete"]).dropna()
        flow = (reached["learning_iteration"] / reached["predicted_flow"]).dropna()
        rows.append(
            dict(zip(keys, key, strict=True))
            | {
                "runs": group["run"].nunique(),
                "learned": len(reached) / len(group),
                "over_discrete": discrete.mean(),
                "over_discrete_low": discrete.quantile(0.05),
                "over_discrete_high": discrete.quantile(0.95),
                "over_flow": flow.mean(),
            }
        )
    return pd.DataFrame(rows)
