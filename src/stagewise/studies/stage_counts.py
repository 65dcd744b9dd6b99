"""How many stages are there?"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_least, at_most
from stagewise.studies.common.depth import stage_counts, staged_runs
from stagewise.studies.common.measures import share_confidence
from stagewise.studies.common.study import Measurement, Study, stages

STUDY = Study(
    __name__,
    order=140,
    question="Are there as many stages as the target has ranks?",
    title="Stages counted, with all entries observed and with some",
    caption="""{% set all = experiments -%}
{% set two = all.stage_counts_2 -%}
{% set data = datasets[two.datasets[0]] -%}
{% set n20 = [all.stage_counts_3, all.stage_counts_4] -%}
{% set n50 = [all.stage_counts_3_50, all.stage_counts_4_50] -%}
Stages of escape from saddles counted in {{ data.draws }} runs a point ({{ two.replicates }} a depth and size), over the rank of the target, depth L, size n and share of observed entries ({{ data.observed | join(", ") }}); step {{ two.step_size | join(", ") }} over the top curvature of the loss at the balanced solution (Lσ₁^(2−2/L), or less where entries are missing), of which 2 is the largest stable one; ε = {{ two.product_scale | join(", ") }} at two layers, at three and four {% for each in n20 %}{{ each.product_scale | join(", ") }}{{ " and " if not loop.last }}{% endfor %} for n = 20, {% for each in n50 %}{{ each.product_scale | join(", ") }}{{ " and " if not loop.last }}{% endfor %} for n = 50. A stage is a peak of the gradient norm, at least 1.5 times above the plateaus beside it, during which a singular value of the product comes to half of the target's. (a–c) Mean and range; line: one stage a mode. (d–f) Share of runs that end within 5 % of the whole target.""",
    alt="Stages counted against the rank of the target by depth, size and observed share, and the "
    "share of runs that recover the target.",
)
STAGES = stages(
    "stage_counts_2", "stage_counts_3", "stage_counts_3_50", "stage_counts_4", "stage_counts_4_50"
)
IDENTIFIED = 0.5
"""Degrees of freedom per observed entry up to which a target may be expected to be found."""


@STUDY.figure(STAGES)
def draw(counted: pd.DataFrame) -> Figure:
    """A column an observed share: counts above, with the range over seeds; recovered below."""
    counts = stage_counts(counted)
    shares = sorted(counts["observed"].unique(), reverse=True)
    figure = Figure(figsize=(style.TWO_COLUMNS, 3.9), layout="constrained")
    panels = figure.subplots(2, len(shares), squeeze=False, sharex=True)
    letters = iter("abcdefghij")
    for axes, share in zip(panels[0], shares, strict=True):
        _counts(axes, counts[counts["observed"] == share])
        style.panel_title(axes, next(letters), f"{share:.0%} observed")
        axes.set(xlabel="rank of the target", ylabel="stages, mean and range")
    for axes, share in zip(panels[1], shares, strict=True):
        _recovered(axes, counts[counts["observed"] == share])
        style.panel_title(axes, next(letters), f"{share:.0%} observed")
        axes.set(xlabel="rank of the target", ylabel="recovered within 5 % (%)")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=4)
    return figure


def _counts(axes: Axes, counts: pd.DataFrame) -> None:
    ranks = np.array(sorted(counts["rank"].unique()))
    axes.plot(ranks, ranks, color=style.INK, linewidth=0.9, label="one a mode")
    for rows, offset, look in _series(counts):
        band = np.stack([rows["stages"] - rows["stages_low"], rows["stages_high"] - rows["stages"]])
        axes.errorbar(rows["rank"] + offset, rows["stages"], yerr=band, elinewidth=0.7, **look)
    axes.set_xticks(ranks)


def _recovered(axes: Axes, counts: pd.DataFrame) -> None:
    for rows, offset, look in _series(counts):
        axes.plot(rows["rank"] + offset, 100 * rows["recovered"], **look)
    axes.set(ylim=(-5, 105))


def _series(counts: pd.DataFrame) -> list[tuple[pd.DataFrame, float, dict[str, Any]]]:
    """A series for each depth and size, a little apart so that equal counts stay visible."""
    colours = style.distinct_colours()
    groups = list(counts.groupby(["depth", "dim_in"]))
    depths, sizes = (sorted(counts[name].unique()) for name in ("depth", "dim_in"))
    series = []
    for position, ((depth, size), rows) in enumerate(groups):
        colour = colours[depths.index(depth)]
        look = {
            "linestyle": "none",
            "marker": style.MARKERS[depths.index(depth)],
            "markerfacecolor": "white" if sizes.index(size) == 0 else colour,
            "color": colour,
            "label": f"L = {depth}, n = {size}",
        }
        series.append((rows, 0.11 * (position - (len(groups) - 1) / 2), look))
    return series


def _completion(counted: pd.DataFrame, deep: bool) -> Measurement | None:
    runs = staged_runs(counted)
    runs = runs[(runs["observed"] < 1) & (runs["rank"] >= 2) & ((runs["depth"] >= 3) == deep)]
    if runs.empty:
        return None
    most = runs["observed"].max()
    chosen = runs[runs["observed"] == most]["clean"]
    small = (runs["dim_in"] == runs["dim_in"].min()) & (runs["rank"] >= 3)
    scope = runs[small & (runs["observed"] == most)]["clean"]
    return Measurement(
        value=float(chosen.mean()),
        interval=share_confidence(int(chosen.sum()), len(chosen)),
        note=f"Share of runs (rank 2 and more) with R stages of one rise each at {most:.0%} observed; "
        f"all: {_cells(runs, 'clean')}; n = {runs['dim_in'].min()} and rank 3 or more: {scope.mean():.2f}. Mean stages over rank at {most:.0%}: "
        f"{(runs['stages'] / runs['rank'])[runs['observed'] == most].mean():.2f}.",
    )


def _cells(runs: pd.DataFrame, column: str) -> str:
    cells = runs.groupby(["depth", "dim_in", "observed"])[column].mean()
    return ", ".join(
        f"{value:.2f} (L = {depth}, n = {n}, {share:.0%})"
        for (depth, n, share), value in cells.items()
    )


@STUDY.claim(
    "depth_completion_shallow",
    source="ours",
    statement="With 60 % observed two layers lose the picture of R stages (fewer than a quarter of "
    "the runs keep it).",
    reads=STAGES,
    holds=at_most(0.25),
)
def shallow_completion(counted: pd.DataFrame) -> Measurement | None:
    return _completion(counted, deep=False)


@shallow_completion.rival("Two layers keep the stages as they do with all entries observed.")
def all_observed(counted: pd.DataFrame) -> pd.DataFrame:
    """Runs with all entries observed taken for runs with 60 % of them."""
    return counted[counted["observed"] == 1].assign(observed=0.6)


@STUDY.claim(
    "depth_completion_deep",
    source="ours",
    statement="With 60 % observed three and four layers keep R stages.",
    reads=STAGES,
    holds=at_least(0.9),
)
def deep_completion(counted: pd.DataFrame) -> Measurement | None:
    return _completion(counted, deep=True)


@deep_completion.rival("Deep networks lose the stages as two layers do.")
def as_two_layers(counted: pd.DataFrame) -> pd.DataFrame:
    """Runs of two layers taken for runs of three."""
    return counted[counted["depth"] == 2].assign(depth=3)


@STUDY.claim(
    "depth_completion_recovery",
    source="ours",
    statement="Runs of completion that go through R stages end at the target.",
    reads=STAGES,
    holds=at_least(0.95),
)
def recovery(counted: pd.DataFrame) -> Measurement | None:
    runs = staged_runs(counted)
    runs = runs[(runs["observed"] < 1) & (runs["depth"] >= 3) & runs["clean"]]
    if runs.empty:
        return None
    unknowns = runs["rank"] * (runs["dim_in"] + runs["dim_out"] - runs["rank"])
    ratio = unknowns / (runs["observed"] * runs["dim_in"] * runs["dim_out"])
    recovered = runs["recovered"]
    known = ratio <= IDENTIFIED
    return Measurement(
        value=float(recovered.mean()),
        interval=share_confidence(int(recovered.sum()), len(recovered)),
        in_scope=float(recovered[known].mean()) if known.any() else None,
        scope=(
            f"where a map of that rank has at most {IDENTIFIED:g} degrees of freedom per observed "
            "entry"
            if known.any()
            else ""
        ),
        note=f"Share of the {len(runs)} runs of three and four layers with R clean stages that end "
        f"within 5 % of the whole target: {_cells(runs, 'recovered')}. Of the {int(known.sum())} "
        f"with at most {IDENTIFIED:g} degrees of freedom per observed entry "
        f"{recovered[known].mean():.0%}, of the {int((ratio > 0.75).sum())} with more than 0.75 "
        f"{recovered[ratio > 0.75].mean():.0%}.",
    )


@recovery.rival("One run in ten ends elsewhere.")
def some_elsewhere(counted: pd.DataFrame) -> pd.DataFrame:
    """Every fifth seed ends away from the target."""
    away = counted["seed"].mod(5) == 0
    return counted.assign(distance=counted["distance"].where(~away, 1.0))
