"""Small summaries of learning times that both figures and claims read."""

import numpy as np
import pandas as pd
from scipy.special import polygamma

from stagewise.arrays import FloatArray, IntArray
from stagewise.theory import stable_step


def wilson_interval(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share `count`/`total` (Wilson 1927), within [0, 1]."""
    share = count / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def swapped_pairs(times: pd.DataFrame) -> pd.DataFrame:
    """Share of two-mode runs whose weaker mode is learned first, per dataset and delta.

    times : learning times. A mode is followed by its own strength here: singular values come
    sorted, and would hide a swap. A mode never learned counts as infinitely late.
    Returns columns dataset, delta, swapped, runs, share, low, high.
    """
    wide = times.pivot(
        index=["dataset", "delta", "run"], columns="mode", values="mode_learning_iteration"
    ).fillna(np.inf)
    rows = []
    for (dataset, delta), group in wide.groupby(level=["dataset", "delta"]):
        swapped = int((group[1] > group[2]).sum())
        low, high = wilson_interval(swapped, len(group))
        rows.append((dataset, delta, swapped, len(group), swapped / len(group), low, high))
    columns = ["dataset", "delta", "swapped", "runs", "share", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


BALANCED = 0.05
"""Layers whose Gram matrices differ by less than this share count as balanced."""


def with_stability(times: pd.DataFrame) -> pd.DataFrame:
    """One row a run: how it ended, and its step over the stable step of its moments.

    times : learning times with all modes of each run. Returns columns run, step_size,
    relative_step_size, over_stability, ending ("balanced", "unbalanced": converged to a solution
    whose layers differ, "no convergence").
    """
    rows = []
    for run, modes in times.groupby("run"):
        bound = stable_step(modes["sigma"].to_numpy(), modes["lam"].to_numpy())
        first = modes.iloc[0]
        ending = "balanced" if first["final_imbalance"] < BALANCED else "unbalanced"
        if (modes["outcome"] == "no convergence").any():
            ending = "no convergence"
        step, relative = first["step_size"], first["relative_step_size"]
        rows.append((run, step, relative, step / bound, ending))
    columns = ["run", "step_size", "relative_step_size", "over_stability", "ending"]
    return pd.DataFrame(rows, columns=columns)


def slope_over_scale(times: pd.DataFrame) -> pd.DataFrame:
    """Iterations that a mode takes per unit of delta, between the two largest scales.

    times : learning times of runs that differ in delta only, matched by step, seed and mode.
    Differencing cancels whatever does not grow with delta. Returns columns relative_step_size,
    seed, mode, sigma, step_size, slope.
    """
    keys = ["relative_step_size", "seed", "mode", "sigma", "step_size"]
    wide = times.pivot(index=keys, columns="delta", values="learning_iteration")
    if wide.shape[1] < 2:
        return pd.DataFrame(columns=[*keys, "slope"])
    low, high = sorted(wide.columns)[-2:]
    return ((wide[high] - wide[low]) / (high - low)).rename("slope").reset_index()


FORECASTS = ("discrete", "reduced_rank", "staged", "integrated")
"""Laws by their columns `predicted_…`, from plain to integrated."""


def forecast_errors(times: pd.DataFrame) -> pd.DataFrame:
    """Root-mean-square log error of each law over stages, learning times averaged over seeds.

    times : learning times with forecasts. Returns columns dataset, relative_step_size, delta, law,
    error, stages. A stage counts where it was both measured and forecast.
    """
    keys = ["dataset", "relative_step_size", "delta"]
    columns = ["learning_iteration", *(f"predicted_{law}" for law in FORECASTS)]
    mean = times.groupby([*keys, "mode"])[columns].mean().reset_index()
    rows = []
    for law in FORECASTS:
        gap = np.log(mean["learning_iteration"] / mean[f"predicted_{law}"])
        for key, group in mean.assign(gap=gap).dropna(subset="gap").groupby(keys):
            error = float(np.sqrt((group["gap"] ** 2).mean()))
            rows.append((*key, law, error, len(group)))
    return pd.DataFrame(rows, columns=[*keys, "law", "error", "stages"])


def start_scatter(width: int | IntArray, mode: IntArray) -> FloatArray:
    """Standard deviation of the log-amplitude that a Gaussian start gives the mode's direction.

    Derived: the k-th amplitude starts from a chi variable with width − k + 1 degrees of freedom,
    whose logarithm has the standard deviation ½√ψ′((width − k + 1)/2). ln T_k has that over delta.
    """
    return np.asarray(np.sqrt(polygamma(1, (width - mode + 1) / 2)) / 2)


def seed_floor(times: pd.DataFrame) -> pd.Series:
    """Error that the scatter of the seeds leaves in means over them, by delta."""
    seeds = times.groupby("delta")["seed"].nunique()
    scatter = start_scatter(times["width"].to_numpy(), times["mode"].to_numpy())
    variance = pd.Series(scatter**2, index=times.index).groupby(times["delta"]).mean()
    floor: pd.Series = np.sqrt(variance / seeds) / seeds.index
    return floor
