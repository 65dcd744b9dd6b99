"""Small summaries of learning times that both figures and claims read."""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd

from stagewise.arrays import FloatArray, IntArray
from stagewise.theory import stable_step, waiting_growth


def wilson_interval(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share `count`/`total` (Wilson 1927), within [0, 1]."""
    share = count / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    # Rounding must not leave a share of 0 or 1 outside its own interval.
    return min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)


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


BALANCED = 0.02
"""Layers whose Gram matrices differ by less than this share count as balanced: starts at e^-4 leave up
to 0.01 of an imbalance, and a step 1 % above the stable one needs 0.03 for a stable solution."""


def with_stability(times: pd.DataFrame) -> pd.DataFrame:
    """One row a run: how it ended, and its step over the stable step of its moments.

    times : learning times with all modes of each run. Returns columns run, seed, step_size,
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
        rows.append((run, first["seed"], step, relative, step / bound, ending))
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


def deviations(times: pd.DataFrame) -> pd.DataFrame:
    """One row a run that was compared with commuting moments.

    times : learning times. Returns columns dataset, seed, dim_in, delta, non_commuting,
    largest_deviation, over_final (over the last recorded one), moment (its iteration over the
    last learning time).
    """
    keys = ["dataset", "run", "seed", "dim_in", "delta"]
    columns = ["non_commuting", "largest_deviation", "final_deviation"]
    when = "largest_deviation_iteration"
    runs = times.groupby(keys)[[*columns, when, "learning_iteration"]].max().reset_index()
    return runs.assign(
        over_final=runs["largest_deviation"] / runs["final_deviation"],
        moment=runs[when] / runs["learning_iteration"],
    )


def growth_while_waiting(times: pd.DataFrame) -> pd.DataFrame:
    """Growth of the deviation per unit of delta on pairs of modes, measured and derived.

    times : learning times of compared runs at two or more delta. Measured between the two largest:
    of the largest deviation over the final one. Derived: `waiting_growth` times the time between
    the two learning times, 1/σ₂ − 1/σ₁ for each unit of delta. Returns columns seed, measured,
    derived, e_folds (the derived growth between the two), disagree (whether σ²/λ orders the pair the
    other way round).
    """
    runs = deviations(times).pivot(index="seed", columns="delta", values="over_final")
    low, high = sorted(runs.columns)[-2:]
    measured = np.log(runs[high] / runs[low]) / (high - low)
    pairs = times.drop_duplicates(["seed", "mode"]).pivot(index="seed", columns="mode")
    sigma, lam = (pairs[name].to_numpy() for name in ("sigma", "lam"))
    wait = 1 / sigma[:, 1] - 1 / sigma[:, 0]
    strength = sigma**2 / lam
    derived = waiting_growth(sigma, lam) * wait
    return pd.DataFrame(
        {
            "seed": runs.index,
            "measured": measured.to_numpy(),
            "derived": derived,
            "e_folds": derived * (high - low),
            "disagree": strength[:, 1] > strength[:, 0],
        }
    )


def out_of_order(times: pd.DataFrame, closest: float = 1.0) -> pd.DataFrame:
    """Share of neighbouring modes of which the weaker is learned first, by start and delta.

    times : learning times; modes are followed by their own strengths, and one never learned counts
    as infinitely late. closest : pairs whose singular values have a larger ratio are left out.
    Returns columns initialisation, delta, share, low, high, pairs.
    """
    keys = ["initialisation", "delta"]
    index = [*keys, "run"]
    wide, sigma = (
        times.pivot(index=index, columns="mode", values=name).to_numpy()
        for name in ("mode_learning_iteration", "sigma")
    )
    wide = np.where(np.isnan(wide), np.inf, wide)
    counted = sigma[:, 1:] / sigma[:, :-1] <= closest
    runs = times.pivot(index=index, columns="mode", values="sigma").index
    swapped = pd.DataFrame((wide[:, 1:] < wide[:, :-1]) & counted, index=runs)
    pairs_of = pd.DataFrame(counted, index=runs)
    rows = []
    for key, group in swapped.groupby(level=keys):
        count = int(group.to_numpy().sum())
        pairs = int(pairs_of.loc[group.index].to_numpy().sum())
        rows.append((*key, count / pairs, *wilson_interval(count, pairs), pairs))
    return pd.DataFrame(rows, columns=[*keys, "share", "low", "high", "pairs"])


def best_errors(times: pd.DataFrame, references: pd.DataFrame) -> pd.DataFrame:
    """Smallest held-out error of each method on each draw, and over that of ridge regression.

    times : learning times with one and two layers, replicate r on draw r. references : of the same
    data sets. Every method is given its best stopping time, rank or penalty on the held-out data
    themselves. Returns columns dataset, seed, method, error, over_ridge.
    """
    trained = times.groupby(["dataset", "seed", "depth"])["best_test_error"].min().reset_index()
    trained["method"] = trained["depth"].map({1: "one layer", 2: "two layers"})
    solved = references.groupby(["dataset", "draw", "method"])["test_error"].min().reset_index()
    solved["method"] = solved["method"].map({"reduced_rank": "reduced rank", "ridge": "ridge"})
    best = pd.concat(
        [
            trained.rename(columns={"best_test_error": "error"}).drop(columns="depth"),
            solved.rename(columns={"draw": "seed", "test_error": "error"}),
        ]
    )
    ridge = best[best["method"] == "ridge"].set_index(["dataset", "seed"])["error"]
    matched = pd.MultiIndex.from_frame(best[["dataset", "seed"]]).map(ridge)
    best = best.assign(over_ridge=best["error"].to_numpy() / np.asarray(matched))
    return best[best["method"] != "ridge"].reset_index(drop=True)
