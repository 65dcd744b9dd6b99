"""How runs of one and two modes end: in which order, balanced or not, and from which step on."""

import numpy as np
import pandas as pd

from stagewise.studies.common.measures import wilson_interval
from stagewise.studies.common.study import NothingToMeasureError
from stagewise.theory import stable_step


def swapped_pairs(times: pd.DataFrame) -> pd.DataFrame:
    """Share of two-mode runs whose weaker mode is learned first, per dataset and delta.

    times : learning times. A mode is followed by its own strength here: singular values come
    sorted, and would hide a swap. A mode never learned counts as infinitely late.
    Returns columns dataset, delta, swapped, runs, share, low, high.
    """
    wide = times.pivot(
        index=["dataset", "delta", "run"], columns="mode", values="mode_learning_iteration"
    ).fillna(np.inf)
    if len(wide.columns) < 2:
        raise NothingToMeasureError("pairs of modes")
    rows = []
    for (dataset, delta), group in wide.groupby(level=["dataset", "delta"]):
        swapped = int((group[1] > group[2]).sum())
        low, high = wilson_interval(swapped, len(group))
        rows.append((dataset, delta, swapped, len(group), swapped / len(group), low, high))
    columns = ["dataset", "delta", "swapped", "runs", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


BALANCED = 0.02
"""Layers whose Gram matrices differ by less than this share count as balanced: starts at e^-4 leave up
to 0.01 of an imbalance, and a step 1 % above the stable one needs 0.03 for a stable solution."""


def with_stability(times: pd.DataFrame) -> pd.DataFrame:
    """One row a run: how it ended, and its step over the stable step of its moments.

    times : learning times with all modes of each run. Returns columns run, seed, step_size,
    relative_step_size, over_stability, ending ("balanced", "unbalanced": converged to a solution
    whose layers differ, "no convergence").
    """
    names = ("sigma", "lam", "seed", "step_size", "relative_step_size", "final_imbalance")
    sigma, lam, seeds, steps, relative, imbalance = (times[name].to_numpy() for name in names)
    ended = (times["outcome"] != "no convergence").to_numpy()
    rows = []
    for run, modes in times.groupby("run").indices.items():
        first, bound = modes[0], stable_step(sigma[modes], lam[modes])
        ending = "balanced" if imbalance[first] < BALANCED else "unbalanced"
        if not ended[modes].all():
            ending = "no convergence"
        step = steps[first]
        rows.append((run, seeds[first], step, relative[first], step / bound, ending))
    columns = ["run", "seed", "step_size", "relative_step_size", "over_stability", "ending"]
    return pd.DataFrame(rows, columns=columns)


def stability_brackets(runs: pd.DataFrame) -> pd.DataFrame:
    """Steps between which a problem's runs cease to end balanced, over its stable step.

    runs : of `with_stability`, a problem per seed. Returns columns low, the last step before any run
    ends otherwise, and high, the first at which one does, a row per seed; the smallest or the largest
    step twice where runs end otherwise, or do not, from the first step on.
    """
    rows = {}
    for seed, own in runs.sort_values("over_stability").groupby("seed"):
        step, fine = own["over_stability"].to_numpy(), (own["ending"] == "balanced").to_numpy()
        first = len(fine) if fine.all() else int(np.argmin(fine))
        rows[seed] = (step[max(first - 1, 0)], step[min(first, len(fine) - 1)])
    return pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"])
