"""Small summaries of learning times that both figures and claims read."""

import numpy as np
import pandas as pd

from stagewise.theory import stable_step


def wilson_interval(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share `count`/`total` (Wilson 1927), within [0, 1]."""
    share = count / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def swapped_pairs(times: pd.DataFrame) -> pd.DataFrame:
    """Share of two-mode runs whose weaker mode is learned first, per dataset and delta.

    times : learning times. Returns columns dataset, delta, swapped, runs, share, low, high.
    """
    wide = times.pivot(
        index=["dataset", "delta", "run"], columns="mode", values="learning_iteration"
    ).dropna()
    rows = []
    for (dataset, delta), group in wide.groupby(level=["dataset", "delta"]):
        swapped = int((group[1] > group[2]).sum())
        low, high = wilson_interval(swapped, len(group))
        rows.append((dataset, delta, swapped, len(group), swapped / len(group), low, high))
    columns = ["dataset", "delta", "swapped", "runs", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def with_stability(times: pd.DataFrame) -> pd.DataFrame:
    """One row a run: its worst outcome, and its step over the stable step of its moments.

    times : learning times with all modes of each run. Returns columns run, step_size,
    relative_step_size, outcome, over_stability.
    """
    rows = []
    for run, modes in times.groupby("run"):
        bound = stable_step(modes["sigma"].to_numpy(), modes["lam"].to_numpy())
        step = modes["step_size"].iloc[0]
        names = set(modes["outcome"])
        worst = next(name for name in ("no convergence", "overshoot", "monotone") if name in names)
        relative = modes["relative_step_size"].iloc[0]
        rows.append((run, step, relative, worst, step / bound))
    columns = ["run", "step_size", "relative_step_size", "outcome", "over_stability"]
    return pd.DataFrame(rows, columns=columns)
