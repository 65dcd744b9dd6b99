"""How close may singular values be for their stages to stay apart?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_least
from stagewise.studies.common.depth import staged_runs
from stagewise.studies.common.measures import share_confidence
from stagewise.studies.common.study import Measurement, Study, stages
from stagewise.theory import separating_scale

STUDY = Study(
    __name__,
    order=142,
    question="How close may singular values be for their stages to stay apart?",
    title="The closer two singular values, the smaller a start their stages need",
    caption="""\
{% set two = experiments.stage_ratios_2 -%}
{% set data = datasets[two.datasets[0]] -%}
Share of {{ data.draws }} Gaussian starts a point ({{ two.replicates }} a depth and scale) that go through one stage for each singular value, over the ratio of neighbouring singular values (rank {{ data.rank | join(", ") }}, n = {{ data.dim_in }}, all entries observed, step {{ two.step_size | join(", ") }}/(Lσ₁^(2−2/L))), by product scale ε. Lines: the ratio up to which the stages of an aligned start are derived to separate, r = 1 − 4.6/ln(1/ε) at two layers and 1 − 2.0 ε^(1/3) at three. Gaussian starts scatter around it: at two layers each by about half a unit of ln ε, at three by a third of their learning times.""",
    alt="Share of runs with one stage per singular value against the ratio of neighbouring singular "
    "values: it falls from one to zero at a ratio that grows as the start vanishes.",
)
RATIOS = stages("stage_ratios_2", "stage_ratios_3")
EVERY = stages(
    *("stage_counts_2", "stage_counts_3", "stage_counts_3_50"),
    *("stage_counts_4", "stage_counts_4_50", "stage_ratios_2", "stage_ratios_3"),
)
FURTHER = {2: 1.3, 3: 1e-3}
"""What a Gaussian start needs beyond an aligned one of scale ε: ε^1.3 at two layers, ε/1000 at three.
At two layers the logarithms of two starting amplitudes differ by √(ψ′(n/2)(1 + r²)) = 0.6, and
0.3 × 4.6 is twice that. At three layers learning times scatter by about a third, whatever ε, so that
what counts is how rarely two of them meet: a gap ten times the separating one is asked for."""


def runs_by_ratio(counted: pd.DataFrame) -> pd.DataFrame:
    """Fully observed runs with the ratio of their target, and whether it is derived to separate.

    Adds ratio (0 at rank 1), separates (ε below the scale of an aligned start) and small (below that
    of a Gaussian one); both are false at four layers, which the ratios are not varied for.
    """
    runs = staged_runs(counted)
    runs = runs[runs["observed"] == 1]
    runs = runs.assign(ratio=runs["sigma_ratio"].fillna(0).round(6))
    scale, ratio = runs["product_scale"], runs["ratio"]
    two, three = (runs["depth"] == depth for depth in (2, 3))
    at_two, at_three = separating_scale(ratio, 2), separating_scale(ratio, 3)
    separates = (two & (scale <= at_two)) | (three & (scale <= at_three))
    small = (two & (scale <= at_two ** FURTHER[2])) | (three & (scale <= at_three * FURTHER[3]))
    return runs.assign(separates=separates, small=small)


@STUDY.figure(RATIOS)
def draw(counted: pd.DataFrame) -> Figure:
    """A panel a depth, a series a product scale, its derived ratio as a line."""
    runs = runs_by_ratio(counted)
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.5), layout="constrained")
    depths = sorted(runs["depth"].unique())
    panels = figure.subplots(1, len(depths), sharey=True, squeeze=False)[0]
    for axes, letter, depth in zip(panels, "abc", depths, strict=False):
        _shares(axes, runs[runs["depth"] == depth], int(depth))
        style.panel_title(axes, letter, f"{depth} layers")
    panels[0].set_ylabel("runs with one stage a value (%)")
    return figure


def _shares(axes: Axes, runs: pd.DataFrame, depth: int) -> None:
    grid = np.linspace(0.3, 0.999, 2000)
    scales = sorted(runs["product_scale"].unique(), reverse=True)
    for place, (scale, colour) in enumerate(
        zip(scales, style.ordered_colours(len(scales)), strict=True)
    ):
        share = 100 * runs[runs["product_scale"] == scale].groupby("ratio")["clean"].mean()
        axes.plot(
            share.index + 0.006 * (place - (len(scales) - 1) / 2),
            share,
            linestyle=":",
            linewidth=0.6,
            marker=style.MARKERS[place],
            markerfacecolor="white",
            color=colour,
            label=rf"$10^{{{np.log10(scale):.0f}}}$",
        )
        ratio = grid[separating_scale(grid, depth) >= scale].max(initial=grid[0])
        axes.axvline(ratio, color=colour, linestyle=style.LINES[place], linewidth=0.9)
    axes.set(xlabel="ratio of neighbouring singular values", ylim=(-5, 105), xlim=(0.45, 1.005))
    axes.legend(title=r"scale $\varepsilon$", loc="lower left")


def _cells(runs: pd.DataFrame) -> str:
    shares = runs.groupby(["depth", "product_scale", "ratio"])["clean"].mean()
    return "; ".join(
        f"L = {depth}, ε = {scale:.0e}: "
        + ", ".join(f"{value:.2f} at {ratio:g}" for ratio, value in own.droplevel([0, 1]).items())
        for (depth, scale), own in shares.groupby(level=[0, 1])
    )


@STUDY.claim(
    "cao_stages",
    source="cao2022",
    statement="With relatively small, not infinitesimal steps, factorisation of a rank-R matrix goes "
    "through R stages of escape from saddles (share of runs, worst of all depths, starts, sizes and "
    "ratios of neighbouring singular values from 0.5 to 0.9).",
    reads=EVERY,
    holds=at_least(0.95),
)
def as_many_stages_as_ranks(counted: pd.DataFrame) -> Measurement | None:
    runs = runs_by_ratio(counted)
    if runs.empty:
        return None
    # Rank 1 has no neighbours, and counts with the ratio of its experiment.
    ratio = runs["ratio"].where(runs["rank"] > 1, 0.5)
    cells = runs["clean"].groupby([runs["depth"], runs["dim_in"], runs["product_scale"], ratio])
    worst = cells.get_group(cells.mean().idxmin())
    halved = runs[ratio == 0.5]
    varied, small = runs[runs["experiment"].isin(RATIOS.experiments)], runs["small"]
    return Measurement(
        value=float(worst.mean()),
        interval=share_confidence(int(worst.sum()), len(worst)),
        in_scope=float(runs["clean"][small].mean()) if small.any() else None,
        scope=(
            "from starts below e^(−6/(1 − r)) at two layers and ((1 − r)/20)³ at three, r the ratio of "
            "neighbours"
            if small.any()
            else ""
        ),
        note=f"Share of fully observed runs with as many stages as the target's rank and one singular "
        f"value rising in each, the worst of {cells.ngroups} combinations of depth, size, start and "
        f"ratio ({len(runs)} runs, {int(small.sum())} in scope). Where singular values halve, rank 1 "
        f"to {runs['rank'].max()}, {halved['clean'].mean():.3f} of {len(halved)}. At rank "
        f"{varied['rank'].max()}, all starts, by ratio: "
        + ", ".join(
            f"{value:.2f} at {ratio:g}"
            for ratio, value in varied.groupby("ratio")["clean"].mean().items()
        )
        + f". The step is {runs['relative_step_size'].max() / 2:g} of the largest stable one.",
    )


@as_many_stages_as_ranks.rival("The last two singular values rise in one stage.")
def last_two_merge(counted: pd.DataFrame) -> pd.DataFrame:
    """One stage less wherever the rank is two or more."""
    merged = counted["rank"] >= 2
    return counted.assign(rank=counted["rank"] + merged)


@STUDY.claim(
    "depth_stage_start",
    source="ours",
    statement="The stages of singular values of ratio r separate from starts below e^(−4.6/(1 − r)) at "
    "two layers and ((1 − r)/2)³ at three, and merge from larger ones (share of combinations of "
    "depth, start and ratio whose majority of Gaussian runs does as derived).",
    reads=RATIOS,
    holds=at_least(0.9),
)
def stage_start(counted: pd.DataFrame) -> Measurement | None:
    runs = runs_by_ratio(counted)
    if runs.empty:
        return None
    cells = runs.groupby(["depth", "product_scale", "ratio"])[["clean", "separates"]].mean()
    agree = (cells["clean"] > 0.5) == (cells["separates"] > 0.5)
    wrong = ", ".join(
        f"{cells['clean'][key]:.2f} at L = {key[0]}, ε = {key[1]:.0e}, r = {key[2]:g}"
        for key in cells.index[~agree]
    )
    merging = cells["separates"] < 0.5
    return Measurement(
        value=float(agree.mean()),
        interval=share_confidence(int(agree.sum()), len(agree)),
        note=f"{len(cells)} combinations, of which {int(merging.sum())} are derived to merge; shares of "
        f"runs with one stage a value: {_cells(runs)}. "
        + (f"Not as derived: {wrong}." if wrong else "All are as derived."),
    )


@stage_start.rival("One start serves all: that of a ratio of one half.")
def one_start(counted: pd.DataFrame) -> pd.DataFrame:
    """Targets of that ratio."""
    return counted.assign(sigma_ratio=0.5)
