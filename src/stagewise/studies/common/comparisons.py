"""Learning times beside the laws: summaries that several studies read."""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

from stagewise.arrays import FloatArray, IntArray


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


FORECASTS = {
    "discrete": "plain",
    "reduced_rank": "reduced-rank staged",
    "staged": "staged (F)",
    "integrated": "integrated (Q)",
}
"""Laws by their columns `predicted_…`, from plain to integrated, with their names in figures."""


def forecast_errors(times: pd.DataFrame, laws: Collection[str] = FORECASTS) -> pd.DataFrame:
    """Root-mean-square log error of each law over stages, learning times averaged over seeds.

    times : learning times with forecasts. Returns columns dataset, relative_step_size, delta, law,
    error, worst_stage (its largest absolute log error), stages. A stage counts where it was both
    measured and forecast.
    """
    keys = ["dataset", "relative_step_size", "delta"]
    columns = ["learning_iteration", *(f"predicted_{law}" for law in laws)]
    mean = times.groupby([*keys, "mode"])[columns].mean().reset_index()
    rows = []
    for law in laws:
        gap = np.log(mean["learning_iteration"] / mean[f"predicted_{law}"])
        for key, group in mean.assign(gap=gap).dropna(subset="gap").groupby(keys):
            error = float(np.sqrt((group["gap"] ** 2).mean()))
            rows.append((*key, law, error, float(group["gap"].abs().max()), len(group)))
    return pd.DataFrame(rows, columns=[*keys, "law", "error", "worst_stage", "stages"])


def draws_apart(times: pd.DataFrame) -> pd.DataFrame:
    """The same runs with a data set for each draw, told by its strongest singular value."""
    strongest = times.groupby(["experiment", "run"])["sigma"].transform("max")
    return times.assign(dataset=times["dataset"] + strongest.map(" {:.9f}".format))


def in_place_of(law: str, other: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A rival: the prediction of another law under the name of the claim's."""

    def rival(times: pd.DataFrame) -> pd.DataFrame:
        return times.assign(**{f"predicted_{law}": times[f"predicted_{other}"]})

    return rival


def listed(values: pd.Series) -> str:
    """Errors in a row, for a note."""
    return ", ".join(f"{value:.4f}" for value in values)


def scales(times: pd.DataFrame) -> str:
    """The initial scales of some runs, for a note."""
    return ", ".join(f"{delta:g}" for delta in sorted(times["delta"].unique()))


def turning(times: pd.DataFrame) -> pd.Series:
    """How far learned directions turn between stages, by data set, from moments alone.

    The largest |ln(staged forecast/plain law)| over stages: the two laws differ by what the output
    subspace has rotated between stages, and by nothing else but an offset of order one.
    """
    gap = np.log(times["predicted_staged"] / times["predicted_discrete"]).abs()
    return gap.groupby(times["dataset"], sort=False).max()


def start_scatter(width: int | IntArray, mode: IntArray) -> FloatArray:
    """Standard deviation of the log-amplitude that a Gaussian start gives the mode's direction.

    Derived: the k-th amplitude starts from a chi variable with width − k + 1 degrees of freedom,
    whose logarithm has the standard deviation ½√ψ′((width − k + 1)/2). ln T_k has that over delta.
    """
    from scipy.special import polygamma  # few jobs need it

    return np.asarray(np.sqrt(polygamma(1, (width - mode + 1) / 2)) / 2)


def seed_floor(times: pd.DataFrame) -> pd.Series:
    """Error that the scatter of the seeds leaves in means over them, by delta."""
    seeds = times.groupby("delta")["seed"].nunique()
    scatter = start_scatter(times["width"].to_numpy(), times["mode"].to_numpy())
    variance = pd.Series(scatter**2, index=times.index).groupby(times["delta"]).mean()
    floor: pd.Series = np.sqrt(variance / seeds) / seeds.index
    return floor
