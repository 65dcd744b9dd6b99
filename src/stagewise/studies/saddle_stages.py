"""Does deep matrix factorisation escape one saddle per singular value?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_most
from stagewise.studies.common.depth import (
    with_product_scale,
)
from stagewise.studies.common.measures import value_range
from stagewise.studies.common.study import (
    Measurement,
    Study,
    plateaus,
    stages,
    trajectory_summary,
)

STUDY = Study(
    __name__,
    order=120,
    question="Does deep matrix factorisation go from saddle to saddle?",
    title="Deep matrix factorisation escapes one saddle per singular value if these are well apart",
    caption="""{% set each = experiments.saddle_stages -%}
{% set data = datasets[each.datasets[0]] -%}
Deep matrix factorisation of a fully observed target of rank R with singular values 2^(R−1), …, 2, 1 (n = {{ data.dim_in }}, width n, Gaussian start, product scale ε = {{ each.product_scale | join(", ") }}; step {{ each.step_size | join(", ") }}/(Lσ₁^(2−2/L)); one run for each of {{ each.replicates }} ranks and every depth; parameters ours). Left: singular values of the product at the highest rank, the k-th with the marker of rank k; dotted: their targets. Middle: loss for R = {{ data.rank | join(", ") }}; dotted: ½Σσₖ² over the modes not yet learned, the loss at which training should rest. Right: gradient norm, ranks shifted by factors of 100 apart, with the peaks that were counted as stages: R of them for rank R.""",
    alt="Singular values, loss and gradient norm of deep factorisations over training by rank and "
    "depth: plateaus and one peak of the gradient per singular value.",
)
CURVES = trajectory_summary("saddle_stages", of=("response_values", "loss", "gradient_norm"))
STAGES = stages("saddle_stages")
PLATEAUS = plateaus("saddles")


_MARKS = 45


@STUDY.figure(CURVES, STAGES)
def draw(curves: pd.DataFrame, found_stages: pd.DataFrame) -> Figure:
    """A row a depth: singular values at the highest rank, then loss and gradient for all ranks."""
    depths = sorted(curves["depth"].unique())
    figure = Figure(figsize=(style.TWO_COLUMNS, 1.95 * len(depths) + 0.3), layout="constrained")
    panels = figure.subplots(len(depths), 3, squeeze=False)
    letters = iter("abcdefghijklmno")
    for row, depth in zip(panels, depths, strict=True):
        own, found = curves[curves["depth"] == depth], found_stages[found_stages["depth"] == depth]
        highest = int(own["rank"].max())
        for axes, panel, title in (
            (row[0], _values, f"{depth} layers, rank {highest}"),
            (row[1], _loss, f"{depth} layers, every rank"),
            (row[2], _gradient, f"{depth} layers, every rank"),
        ):
            panel(axes, own, found)
            axes.set(xscale="log", xlabel="iteration", xlim=(10, None))
            axes.minorticks_off()
            style.panel_title(axes, next(letters), title)
    handles, labels = panels[0][1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=len(handles))
    return figure


def _values(axes: Axes, curves: pd.DataFrame, stages: pd.DataFrame) -> None:
    own = curves[(curves["rank"] == curves["rank"].max()) & (curves["iteration"] > 0)]
    own = own[own["quantity"] == "response_value"]
    modes = sorted(own["mode"].unique())
    for mode, colour in zip(modes, style.ordered_colours(len(modes)), strict=True):
        target = 2.0 ** (len(modes) - mode)
        axes.axhline(target, color=style.INK, linewidth=0.6, linestyle=":")
        _curve(
            axes,
            own[own["mode"] == mode],
            colour,
            style.MARKERS[(int(mode) - 1) % len(style.MARKERS)],
        )
    axes.set(yscale="log", ylim=(1e-3, 2.0 * 2.0 ** len(modes)), ylabel=r"singular values of $W$")


def _loss(axes: Axes, curves: pd.DataFrame, stages: pd.DataFrame) -> None:
    for rank, own, colour, marker in _by_rank(curves, "loss"):
        _curve(axes, own, colour, marker, label=f"rank {rank}")
        for level in stages[stages["rank"] == rank]["predicted_loss"]:
            if level > 0:
                axes.axhline(level, color=style.INK, linewidth=0.5, linestyle=":")
    axes.set(yscale="log", ylim=(1e-3, None), ylabel="loss")


def _gradient(axes: Axes, curves: pd.DataFrame, stages: pd.DataFrame) -> None:
    for place, (rank, own, colour, marker) in enumerate(_by_rank(curves, "gradient_norm")):
        # A factor of a hundred apart, so that ranks do not cover one another.
        factor = 100.0**-place
        axes.plot(own["iteration"], factor * own["mean"], color=colour, linewidth=0.8)
        peaks = stages[(stages["rank"] == rank) & stages["peak_iteration"].notna()]
        axes.plot(
            peaks["peak_iteration"],
            factor * peaks["peak_gradient_norm"],
            linestyle="none",
            marker=marker,
            markerfacecolor="white",
            markeredgecolor=colour,
        )
    axes.set(yscale="log", ylabel=r"$\|\nabla f\|$, shifted")


def _by_rank(
    curves: pd.DataFrame, quantity: str
) -> list[tuple[int, pd.DataFrame, tuple[float, float, float], str]]:
    ranks = sorted(int(rank) for rank in curves["rank"].unique())
    own = curves[(curves["quantity"] == quantity) & (curves["iteration"] > 0)]
    return [
        (rank, own[own["rank"] == rank], colour, style.MARKERS[index % len(style.MARKERS)])
        for index, (rank, colour) in enumerate(
            zip(ranks, style.ordered_colours(len(ranks)), strict=True)
        )
    ]


def _curve(
    axes: Axes,
    curve: pd.DataFrame,
    colour: tuple[float, float, float],
    marker: str,
    label: str | None = None,
) -> None:
    iteration, values = curve["iteration"].to_numpy(), curve["mean"].to_numpy()
    marks = style.log_spaced(iteration.astype(np.float64), _MARKS)
    axes.plot(
        iteration,
        values,
        color=colour,
        linewidth=0.6,
        marker=marker,
        markevery=marks.tolist(),
        markersize=2.4,
        markerfacecolor="white",
        markeredgewidth=0.6,
        label=label,
    )


@STUDY.claim(
    "cao_plateau_loss",
    source="cao2022",
    statement="The saddles are the best maps of rank r = 0, 1, …: the loss there is ½Σσₖ² over k "
    "> r.",
    reads=PLATEAUS,
    holds=at_most(0.05),
)
def plateau_loss(rests: pd.DataFrame) -> Measurement | None:
    plateaus = with_product_scale(rests)
    saddles = plateaus[~plateaus["at_end"]]
    if saddles.empty:
        return None
    gap = (saddles["loss"] / saddles["predicted_loss"] - 1).abs()
    by_scale = gap.groupby([saddles["depth"], saddles["product_scale"]]).max()
    smallest = saddles["product_scale"].min()
    listed = "; ".join(
        f"L = {depth}: {_by_scale(by_scale.loc[depth])}" for depth in by_scale.index.levels[0]
    )
    return Measurement(
        value=float(gap[saddles["product_scale"] == smallest].max()),
        interval=value_range(gap, "all runs and scales"),
        note=f"Largest relative deviation of the loss at a plateau from ½Σσₖ² over the modes not yet "
        f"learned, over ranks and seeds: {listed}.",
    )


@plateau_loss.rival("The loss at a plateau is Σσₖ² over k > r, without the factor ½.")
def without_the_half(rests: pd.DataFrame) -> pd.DataFrame:
    """Predictions twice as large."""
    return rests.assign(predicted_loss=2 * rests["predicted_loss"])


def _by_scale(values: pd.Series) -> str:
    return ", ".join(f"{value:.1e} at ε = {scale:.0e}" for scale, value in values.items())
