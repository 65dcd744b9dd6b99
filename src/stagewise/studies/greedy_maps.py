"""Where does training rest when entries are missing? At greedily grown maps of low rank."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.depth import with_product_scale
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import Measurement, Study, plateaus

STUDY = Study(
    __name__,
    order=135,
    question="Where does training rest when entries are missing?",
    title="Plateaus are the greedily grown best maps of their rank",
    caption="""\
{% set each = experiments.saddles -%}
{% set part = experiments.completion_path -%}
Distance of the product at plateaus of rank 1 and 2, at the smallest ε of each experiment, from the best map of that rank grown greedily, as in greedy low-rank learning (Li, Luo, Lyu 2021; the truncated decomposition if all is observed, rank-constrained least squares otherwise), over the norm of the target; n = {{ datasets[each.datasets[0]].dim_in }}, rank {{ datasets[each.datasets[0]].rank | join(", ") }}; median and 5–95 % of {{ part.replicates // 2 }} draws.""",
    alt="Distance of plateaus from the greedy map of their rank against the share of observed "
    "entries, by depth.",
)
PLATEAUS = plateaus("saddles", "completion_path")
COMPLETED = plateaus("completion_path")


@STUDY.figure(PLATEAUS)
def draw(rests: pd.DataFrame) -> Figure:
    """A marker per depth and share of observed entries."""
    figure = Figure(figsize=(style.ONE_COLUMN, 2.5), layout="constrained")
    axes = figure.subplots()
    _greedy(axes, with_product_scale(rests))
    style.panel_title(axes, "a", "plateaus and the greedy map")
    return figure


def _greedy(axes: Axes, plateaus: pd.DataFrame) -> None:
    rows = plateaus[~plateaus["at_end"] & (plateaus["learned"] > 0)]
    shares = sorted(rows["observed"].unique(), reverse=True)
    small = rows[
        rows["product_scale"] == rows.groupby("observed")["product_scale"].transform("min")
    ]
    for at, depth in enumerate(sorted(rows["depth"].unique())):
        colour = style.distinct_colours()[at]
        own = small[small["depth"] == depth]
        groups = own["greedy_distance"].groupby(own["observed"])
        places = [shares.index(share) + 0.15 * (at - 1) for share in groups.groups]
        style.middle_and_spread(
            axes, places, groups, at, middle="median", color=colour, label=f"L = {depth}"
        )
    axes.set_xticks(range(len(shares)), [f"{share:.0%}" for share in shares])
    axes.set(yscale="log", xlabel="observed entries", ylabel="distance / norm of the target")
    axes.legend(loc="upper left")


@STUDY.claim(
    "depth_greedy",
    source="ours",
    statement="With 60 % observed and three or four layers, training rests at the greedily grown "
    "best completions of rank 1, 2, … (relative distance 0).",
    reads=COMPLETED,
    holds=at_most(0.05),
)
def greedy(rests: pd.DataFrame) -> Measurement | None:
    rows = rests[~rests["at_end"] & (rests["learned"] > 0)]
    rows = with_product_scale(rows)
    if rows.empty:
        return None
    most = rows["observed"].max()
    groups = rows.groupby(["observed", "depth"])["greedy_distance"]
    listed = ", ".join(
        f"{value:.1e} (L = {depth}, {share:.0%})"
        for (share, depth), value in groups.median().items()
    )
    chosen = rows[(rows["observed"] == most) & (rows["depth"] >= 3)]["greedy_distance"]
    below = (rows["loss"] < 0.99 * rows["greedy_loss"]).mean()
    return Measurement(
        value=float(chosen.quantile(0.95)),
        interval=value_range(chosen, "plateaus, depths and seeds"),
        note=f"95 % quantile over plateaus of the distance of W to the greedily grown map of its rank, "
        f"over the target's norm, at {most:.0%} observed and L = 3, 4. Medians: {listed}. At "
        f"{below:.0%} of all plateaus descent has a loss more than 1 % below the greedy map's.",
    )


@greedy.rival("Training rests as far from the greedy maps as two layers do at 40 % observed.")
def as_far_as_two_layers(rests: pd.DataFrame) -> pd.DataFrame:
    """Distances at the plateaus of two layers, fewest entries observed, as those of three."""
    shallow = rests[(rests["depth"] == 2) & (rests["observed"] == rests["observed"].min())]
    return shallow.assign(depth=3)
