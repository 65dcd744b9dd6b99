"""Does the path of two layers regularise?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import between
from stagewise.studies.common.measures import bootstrap_confidence
from stagewise.studies.common.study import (
    Measurement,
    Study,
    learning_times,
    references,
    trajectory_summary,
)

STUDY = Study(
    __name__,
    order=100,
    question="Does the path of two layers generalise better?",
    title="Held-out error along training",
    caption="""{% set each = experiments.generalisation -%}
{% set task = datasets.noisy_regression -%}
Squared error on held-out data over the squared size of their targets, along training from Gaussian starts at δ = {{ each.delta | join(", ") }}, step {{ each.step_size | join(", ") }}/max(λ₁, σ₁), mean and 5–95 % over {{ each.replicates }} draws of the data (protocol ours). (a) Teacher of rank {{ task.rank }} behind {{ task.dim_in }} inputs and {{ task.dim_out }} outputs, {{ task.samples }} noisy samples. (b) Handwritten digits, {{ datasets.digits_split.train_samples }} images to learn from. Lines: the best reduced-rank and ridge regressions. (c) Best error of each method over that of ridge regression on the same draw; stopping time, rank and penalty are each chosen on the held-out data, so these are the best that each could do.""",
    alt="Held-out error along training with one and two layers on noisy regression and on digits, "
    "beside reduced-rank and ridge regression, and the best error of each method.",
)
CURVES = trajectory_summary("generalisation", of=("test_error",))
TIMES = learning_times("generalisation", of=("test_error",))
SOLVED = references("generalisation")
LOW_RANK = "noisy_regression"
"""The data set whose teacher has low rank."""


_NAMES = {1: "one layer", 2: "two layers"}
_METHODS = {"reduced_rank": "reduced rank", "ridge": "ridge"}


@STUDY.figure(CURVES, TIMES, SOLVED)
def draw(curves: pd.DataFrame, times: pd.DataFrame, solved: pd.DataFrame) -> Figure:
    """A panel of curves a data set, then the best error of each method over that of ridge."""
    curves = curves[(curves["quantity"] == "test_error") & (curves["iteration"] > 0)]
    best = best_errors(times, solved)
    datasets = list(dict.fromkeys(times["dataset"]))
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.8), layout="constrained")
    *panels, last = figure.subplots(1, len(datasets) + 1)
    for axes, letter, dataset in zip(panels, "abcdefg", datasets, strict=False):
        _curves(axes, curves[curves["dataset"] == dataset])
        _solved(axes, solved[solved["dataset"] == dataset])
        style.panel_title(axes, letter, dataset.replace("_", " "))
    panels[0].set_ylabel("held-out error / size of targets")
    for axes in panels[1:]:
        axes.set_ylabel("held-out error")
    _best(last, best, datasets)
    style.panel_title(last, "abcdefg"[len(datasets)], "best of each method")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4)
    return figure


def _curves(axes: Axes, curves: pd.DataFrame) -> None:
    for index, depth in enumerate(sorted(curves["depth"].unique())):
        style.measured_curve(
            axes,
            curves[curves["depth"] == depth],
            20,
            index,
            color=style.distinct_colours()[index],
            label=_NAMES[depth],
        )
    start = curves[curves["iteration"] == curves["iteration"].min()]["mean"].max()
    axes.set(xscale="log", xlabel="iteration", ylim=(0, min(1.6 * start, axes.get_ylim()[1])))


def _solved(axes: Axes, references: pd.DataFrame) -> None:
    for line, (method, name) in zip(("--", ":"), _METHODS.items(), strict=True):
        rows = references[references["method"] == method]
        mean = rows.groupby("parameter")["test_error"].mean()
        label = f"{name}, best"
        axes.axhline(mean.min(), color=style.INK, linestyle=line, linewidth=0.9, label=label)


def _best(axes: Axes, best: pd.DataFrame, datasets: list[str]) -> None:
    methods = list(dict.fromkeys(best["method"]))
    for index, method in enumerate(methods):
        rows = best[best["method"] == method].set_index("dataset").loc[datasets].reset_index()
        style.middle_and_spread(
            axes,
            np.arange(float(len(datasets))) + 0.16 * (index - (len(methods) - 1) / 2),
            rows.groupby("dataset", sort=False)["over_ridge"],
            index,
            color=style.distinct_colours()[index],
            label=method,
        )
    axes.axhline(1, color=style.INK, linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(datasets)), [name.replace("_", "\n") for name in datasets])
    axes.set(xlabel="data set", ylabel="best error / best of ridge", xlim=(-0.6, None))
    axes.legend(loc="upper left", handletextpad=0.2)
    axes.set_ylim(None, 1.25 * axes.get_ylim()[1])


@STUDY.claim(
    "gidel_generalisation",
    source="gidel2019",
    statement="The path of two layers regularises: its best held-out error is at most that of one "
    "layer's path (mean ratio over draws, worst data set).",
    reads=(TIMES, SOLVED),
    holds=between(0, 1),
)
def two_layers_generalise(times: pd.DataFrame, solved: pd.DataFrame) -> Measurement | None:
    best = best_errors(times, solved)
    if not {"one layer", "two layers"} <= {*best["method"]}:
        return None
    wide = best.pivot(index=["dataset", "seed"], columns="method", values="error")
    ratio = (wide["two layers"] / wide["one layer"]).groupby("dataset")
    over_ridge = best.groupby(["dataset", "method"])["over_ridge"].mean()
    listed = "; ".join(
        f"{name}: two layers {over_ridge[name, 'two layers']:.3f}, one "
        f"{over_ridge[name, 'one layer']:.3f}, reduced rank {over_ridge[name, 'reduced rank']:.3f}"
        for name in ratio.groups
    )
    worst = ratio.mean().idxmax()
    known = LOW_RANK in ratio.groups
    return Measurement(
        value=float(ratio.mean().max()),
        interval=bootstrap_confidence(ratio.get_group(worst)),
        in_scope=float(ratio.mean()[LOW_RANK]) if known else None,
        scope="on noisy regression with a teacher of low rank" if known else "",
        note=f"Best held-out error along training with two layers over that with one, mean over "
        f"draws, on the data set where it is largest ({worst}; on "
        + ", ".join(f"{name} {value:.3f}" for name, value in ratio.mean().items())
        + "). Two layers win in "
        + ", ".join(
            f"{int((each < 1).sum())} of {len(each)} draws of {name}" for name, each in ratio
        )
        + f". Best errors over that of ridge regression: {listed}.",
    )


@two_layers_generalise.rival("The second layer costs a tenth of the error.")
def a_tenth_worse(times: pd.DataFrame, solved: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs of two layers whose errors are a tenth above those of one."""
    one = times[times["depth"] == 1]
    two = one.assign(depth=2, best_test_error=1.1 * one["best_test_error"])
    return pd.concat([one, two]), solved


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
