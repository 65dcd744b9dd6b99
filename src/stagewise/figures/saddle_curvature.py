"""Figure saddle_curvature: what the Hessian says of saddles and minima, and greedy low-rank maps."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.depth import passing_tolerance, with_product_scale
from stagewise.theory import saddle_curvature


def plot(aggregates: Aggregates) -> Figure:
    """Curvature at the first saddle, tolerances that pass, the stable step, and greedy maps."""
    plateaus = with_product_scale(aggregates.plateaus_of("saddles"))
    balanced = with_product_scale(aggregates.plateaus_of("saddles_balanced"))
    figure = Figure(figsize=(style.TWO_COLUMNS, 4.9), layout="constrained")
    (first, tolerance), (stable, greedy) = figure.subplots(2, 2)
    _first_saddle(first, plateaus, balanced)
    style.panel_title(first, "a", "curvature at the first saddle")
    _tolerances(tolerance, plateaus)
    style.panel_title(tolerance, "b", "tolerance of the second-order test")
    _stable_step(stable, aggregates.times_of("stable_step_deep"))
    style.panel_title(stable, "c", "convergence over the step")
    completed = with_product_scale(aggregates.plateaus_of("completion_path"))
    _greedy(greedy, pd.concat([plateaus, completed]))
    style.panel_title(greedy, "d", "plateaus and the greedy map of their rank")
    return figure


def _looks(depths: list[int]) -> dict[int, tuple[str, tuple[float, float, float]]]:
    colours = style.distinct_colours()
    return {depth: (style.MARKERS[at], colours[at]) for at, depth in enumerate(depths)}


def _first_saddle(axes: Axes, gaussian: pd.DataFrame, balanced: pd.DataFrame) -> None:
    looks = _looks(sorted(gaussian["depth"].unique()))
    for at, (depth, (marker, colour)) in enumerate(looks.items()):
        own, exact = (
            frame[(frame["depth"] == depth) & (frame["stage"] == 1)]
            for frame in (gaussian, balanced)
        )
        scales = np.array(sorted(own["product_scale"].unique()))
        sigma = 2.0 ** (own["rank"].max() - 1)
        axes.plot(scales, -saddle_curvature(sigma, scales, depth), color=style.INK, linewidth=0.9)
        groups = (-own["smallest_curvature"]).groupby(own["product_scale"])
        style.middle_and_spread(
            axes,
            scales,
            groups,
            at,
            ends=(0, 1),
            color=colour,
            label="Gaussian start, range" if depth == min(looks) else None,
        )
        axes.plot(
            exact["product_scale"],
            -exact["smallest_curvature"],
            linestyle="none",
            marker=marker,
            markersize=2,
            color=colour,
            label="balanced start" if depth == min(looks) else None,
        )
        _name(axes, depth, groups.mean())
    axes.set(xscale="log", yscale="log", xlabel=r"product scale $\varepsilon$")
    axes.set(ylabel=r"$-\lambda_{\min}(\nabla^2 f)$", ylim=(None, 100))
    axes.legend(loc="upper left", ncols=2)


def _name(axes: Axes, depth: int, series: pd.Series) -> None:
    """Write the depth above a series' first point."""
    place = (series.index[0], series.iloc[0])
    axes.annotate(f"L = {depth}", place, xytext=(3, 5), textcoords="offset points", fontsize=6.5)


def _tolerances(axes: Axes, plateaus: pd.DataFrame) -> None:
    plateaus = plateaus.assign(tolerance=passing_tolerance(plateaus))
    for depth, (marker, colour) in _looks(sorted(plateaus["depth"].unique())).items():
        own = plateaus[plateaus["depth"] == depth]
        for end, fill, line in ((False, "white", "-"), (True, colour, ":")):
            rows = own[own["at_end"] == end]
            worst = rows["tolerance"].groupby(rows["product_scale"]).max()
            kind = "end of the run" if end else "saddles"
            axes.plot(
                worst.index,
                worst,
                marker=marker,
                color=colour,
                markerfacecolor=fill,
                linestyle=line,
                linewidth=0.7,
                label=kind if depth == plateaus["depth"].min() else None,
            )
            if not end:
                _name(axes, depth, worst)
    axes.set(xscale="log", yscale="log", xlabel=r"product scale $\varepsilon$")
    axes.set(ylabel="smallest that passes, worst run", ylim=(None, 1e6))
    axes.legend(loc="upper left", ncols=2)


def _stable_step(axes: Axes, times: pd.DataFrame) -> None:
    times = times[times["mode"] == 1]
    depths = sorted(times["depth"].unique())
    for at, (depth, (marker, colour)) in enumerate(_looks(depths).items()):
        own = times[times["depth"] == depth]
        good = 100 * (own["outcome"] != "no convergence")
        share = good.groupby(own["relative_step_size"]).mean()
        axes.plot(
            share.index,
            share + 4 * (at - 1),  # apart, so that equal shares stay visible
            linestyle="none",
            marker=marker,
            color=colour,
            markerfacecolor="white",
            label=f"L = {depth}",
        )
    axes.axvline(2, color=style.INK, linewidth=0.9)
    axes.set(xlabel=r"step $\times\;L\sigma_1^{2-2/L}$ (line: predicted limit)")
    axes.set(ylabel="runs that converge (%)", ylim=(-12, 112), xlim=(1.7, None))
    axes.legend(loc="center left")


def _greedy(axes: Axes, plateaus: pd.DataFrame) -> None:
    rows = plateaus[~plateaus["at_end"] & (plateaus["learned"] > 0)]
    shares = sorted(rows["observed"].unique(), reverse=True)
    small = rows[
        rows["product_scale"] == rows.groupby("observed")["product_scale"].transform("min")
    ]
    looks = _looks(sorted(rows["depth"].unique()))
    for at, (depth, (_, colour)) in enumerate(looks.items()):
        own = small[small["depth"] == depth]
        groups = own["greedy_distance"].groupby(own["observed"])
        places = [shares.index(share) + 0.15 * (at - 1) for share in groups.groups]
        style.middle_and_spread(
            axes, places, groups, at, middle="median", color=colour, label=f"L = {depth}"
        )
    axes.set_xticks(range(len(shares)), [f"{share:.0%}" for share in shares])
    axes.set(yscale="log", xlabel="observed entries", ylabel="distance / norm of the target")
    axes.legend(loc="upper left")
