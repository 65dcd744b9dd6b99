"""Does training pass by reduced-rank regression of growing rank?"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import (
    Measurement,
    Study,
    learning_times,
    trajectory_summary,
)

STUDY = Study(
    __name__,
    order=70,
    question="Does training pass by reduced-rank regression of every rank?",
    title="Training passes by reduced-rank regression where moments commute and orders agree",
    caption="""{% set each = experiments.reduced_rank_path -%}
Distance to reduced-rank regression of rank k along training, ‖W − W^k‖/‖W^k‖, mean and 5–95 % over {{ each.replicates }} Gaussian starts at δ = {{ each.delta | max }}, step {{ each.step_size | join(", ") }}/max(λ₁, σ₁) (protocol ours). (a) Commuting moments with σ = λ: training passes by the regression of each rank in turn, and waits there. (b) Handwritten digits, distance of sigma_x W: the moments do not commute, and the ranks shown are approached but not reached. (c) σ = ({{ datasets.misordered.sigma | join(", ") }}), λ = ({{ datasets.misordered.lam | join(", ") }}): regression of rank 1 keeps the mode of larger σ²/λ, descent learns that of larger σ first, and its distance falls only to that of the end, which has both modes.""",
    alt="Distance of the learned map to reduced-rank regression of each rank along training, where orders agree, on digits, and where they disagree.",
)
_DISTANCES = ("reduced_rank_distance", "reduced_rank_response_distance")
CURVES = trajectory_summary(
    "reduced_rank_path", datasets=("staircase", "digits", "misordered"), of=_DISTANCES
)
TIMES = learning_times("reduced_rank_path", of=("reduced_rank_distance",))
COMMUTING = "staircase"
"""The data set whose moments commute and whose two orders agree."""


_SHOWN = 6
"""Ranks drawn at most; more lines cannot be told apart."""


_LOWEST = 1e-5
"""Distances below are not shown."""


@STUDY.figure(CURVES)
def draw(curves: pd.DataFrame) -> Figure:
    """A panel a data set: commuting and well ordered, real, and ordered otherwise than learned."""
    curves = curves[curves["delta"] == curves["delta"].max()]
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.6), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    shown = (
        ("staircase", "reduced_rank_distance", "orders agree: W"),
        ("digits", "reduced_rank_response_distance", r"digits: $\Sigma_x W$"),
        ("misordered", "reduced_rank_distance", "orders disagree: W"),
    )
    for axes, letter, (dataset, quantity, title) in zip(panels, "abc", shown, strict=True):
        _distances(axes, curves[(curves["dataset"] == dataset) & (curves["quantity"] == quantity)])
        style.panel_title(axes, letter, title)
    panels[0].set_ylabel("relative distance to regression of rank k")
    return figure


def _distances(axes: Axes, curves: pd.DataFrame) -> None:
    curves = curves[curves["iteration"] > 0]
    if curves.empty:
        return
    ranks = sorted(curves["mode"].unique())[:_SHOWN]
    for index, (rank, colour) in enumerate(
        zip(ranks, style.ordered_colours(len(ranks)), strict=True)
    ):
        curve = curves[curves["mode"] == rank]
        axes.fill_between(
            curve["iteration"], curve["low"], curve["high"], color=colour, alpha=0.2, lw=0
        )
        line = style.LINES[index % len(style.LINES)]
        axes.plot(curve["iteration"], curve["mean"], color=colour, linestyle=line)
        inside = curve[curve["mean"] > 2 * _LOWEST]
        lowest = inside.loc[inside["mean"].idxmin()]
        axes.annotate(
            f"{rank}",
            (lowest["iteration"], lowest["mean"]),
            (0, -8),
            textcoords="offset points",
            ha="center",
            fontsize=6.5,
        )
    start = 0.2 * curves["iteration"].max() / max(len(ranks), 2)
    axes.set(xscale="log", yscale="log", xlabel="iteration", ylim=(_LOWEST, 6))
    axes.set_xlim(start, None)
    axes.xaxis.set_minor_formatter(NullFormatter())


@STUDY.claim(
    "gidel_reduced_rank",
    source="gidel2019",
    statement="Training passes by reduced-rank regression of every rank (relative distance 0).",
    reads=TIMES,
    holds=at_most(0.02),
)
def passes_by_regression(times: pd.DataFrame) -> Measurement | None:
    # The last stage ends at least squares, which is the regression of full rank anyway.
    last = times.groupby("dataset")["mode"].transform("max")
    times = times[times["mode"] < last]
    if times.empty:
        return None
    nearest = times.groupby(["dataset", "delta", "mode"])["nearest_reduced_rank"].mean()
    worst = nearest.groupby(["dataset", "delta"]).max().unstack("delta")
    largest = worst[worst.columns[-1]]
    listed = "; ".join(
        f"{name} " + ", ".join(f"{value:.2g}" for value in row) for name, row in worst.iterrows()
    )
    scope = float(largest[COMMUTING]) if COMMUTING in largest else None
    return Measurement(
        value=float(largest.max()),
        interval=value_range(largest, "data sets"),
        in_scope=scope,
        scope="where the moments commute and σ²/λ orders the modes as σ does" if scope else "",
        note=f"Smallest relative distance of W to reduced-rank regression along training, worst rank "
        f"below the last, mean over seeds, at δ = "
        f"{', '.join(f'{delta:g}' for delta in worst.columns)}: {listed}. Where σ²/λ orders modes as "
        "σ does and the moments commute (staircase) the visits come as close as the start is small.",
    )


@passes_by_regression.rival("Training passes at a distance of one tenth.")
def at_a_distance(times: pd.DataFrame) -> pd.DataFrame:
    """No visit comes closer than one tenth of the regression's size."""
    return times.assign(nearest_reduced_rank=times["nearest_reduced_rank"].clip(lower=0.1))
