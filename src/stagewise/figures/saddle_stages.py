"""Figure saddle_stages: singular values, loss and gradient norm of factorisations, rank by rank."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style

_MARKS = 45


def plot(aggregates: Aggregates) -> Figure:
    """A row a depth: singular values at the highest rank, then loss and gradient for all ranks."""
    curves = aggregates.curves_of("saddle_stages")
    stages = aggregates.stages_of("saddle_stages")
    depths = sorted(curves["depth"].unique())
    figure = Figure(figsize=(style.TWO_COLUMNS, 1.95 * len(depths) + 0.3), layout="constrained")
    panels = figure.subplots(len(depths), 3, squeeze=False)
    letters = iter("abcdefghijklmno")
    for row, depth in zip(panels, depths, strict=True):
        own, found = curves[curves["depth"] == depth], stages[stages["depth"] == depth]
        highest = int(own["rank"].max())
        for axes, draw, title in (
            (row[0], _values, f"{depth} layers, rank {highest}"),
            (row[1], _loss, f"{depth} layers, every rank"),
            (row[2], _gradient, f"{depth} layers, every rank"),
        ):
            draw(axes, own, found)
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
