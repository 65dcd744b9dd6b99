"""What does the Hessian say of saddles and minima?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.conditions import at_least, within
from stagewise.studies.common.depth import (
    log_slope,
    passing_tolerance,
    with_product_scale,
)
from stagewise.studies.common.measures import share_confidence, value_range
from stagewise.studies.common.study import (
    Measurement,
    Study,
    plateaus,
)
from stagewise.theory import saddle_curvature

STUDY = Study(
    __name__,
    order=130,
    question="What does the curvature say where training rests?",
    title="What the Hessian says of saddles, and what it cannot say",
    caption="""{% set each = experiments.saddles -%}
{% set data = datasets[each.datasets[0]] -%}
Exact Hessians of the factorisation loss, their extreme eigenvalues by Lanczos (n = {{ data.dim_in }}, rank {{ data.rank | join(", ") }}, {{ each.replicates }} Gaussian seeds, ε = {{ each.product_scale | join(", ") }}). (a) Smallest eigenvalue where training first rests: mean and range; lines: −(L−1)σ₁ε^((L−2)/L) of the balanced start. At two layers it stays, from three on it vanishes with ε. (b) The smallest tolerance t for which a point passes the test ‖∇f‖ ≤ t, λ_min ≥ −√t, worst run: from three layers on the saddles (open) pass at ever smaller tolerances as ε falls, so that the test alone cannot tell them from the end (filled) and has to be read together with residual and rank; at two layers it can.""",
    alt="Smallest eigenvalue of the Hessian at the first saddle by scale and depth, and "
    "tolerances of the second-order test.",
)
PLATEAUS = plateaus("saddles")
BALANCED = plateaus("saddles_balanced")
CRITICAL = 1e-2
"""Tolerance t of a second-order critical point: ‖∇f‖ ≤ t and λ_min ≥ −√t."""
RESIDUAL = 1e-6
"""Share of the first loss below which a residual counts as zero."""


@STUDY.figure(PLATEAUS, BALANCED)
def draw(rests: pd.DataFrame, balanced: pd.DataFrame) -> Figure:
    """Curvature at the first saddle, and tolerances that pass."""
    rests, balanced = with_product_scale(rests), with_product_scale(balanced)
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.7), layout="constrained")
    first, tolerance = figure.subplots(1, 2)
    _first_saddle(first, rests, balanced)
    style.panel_title(first, "a", "first saddle")
    _tolerances(tolerance, rests)
    style.panel_title(tolerance, "b", "second-order test")
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
    axes.set(ylabel=r"$-\lambda_{\min}(\nabla^2 f)$", ylim=(None, 300))
    axes.legend(loc="upper left")


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
    axes.legend(loc="upper left")


@STUDY.claim(
    "cao_second_order",
    source="cao2022",
    statement="After them descent ends at a second-order critical point (asserted together with "
    "zero residual and rank R).",
    reads=PLATEAUS,
    holds=at_least(0.95),
)
def second_order(rests: pd.DataFrame) -> Measurement | None:
    if rests.empty:
        return None
    ends, first = rests[rests["at_end"]], rests[rests["stage"] == 1]
    passes = passing_tolerance(ends) <= CRITICAL
    start = first.set_index("run")["loss"].reindex(ends["run"]).to_numpy()
    solved = (ends["loss"] <= RESIDUAL * start) & (ends["product_rank"] == ends["rank"])
    counted = ends["stages"] == ends["rank"]
    held = passes & solved & counted
    return Measurement(
        value=float(held.mean()),
        interval=share_confidence(int(held.sum()), len(held)),
        note=f"Share of {len(held)} runs (L = 2, 3, 4, Gaussian starts, {ends['relative_step_size'].max() / 2:g} "
        f"of the largest stable step) that end after R stages with ‖∇f‖ ≤ {CRITICAL:g}, λ_min ≥ "
        f"−{np.sqrt(CRITICAL):g} ({int(passes.sum())} runs) and, because that alone says little, with "
        f"no residual at rank R ({int(solved.sum())} runs); {int((~counted).sum())} runs show "
        f"another number of stages. Smallest λ_min at an end {ends['smallest_curvature'].min():.1e}.",
    )


@second_order.rival("Training ends at the saddle before the last stage.")
def one_stage_short(rests: pd.DataFrame) -> pd.DataFrame:
    """The last saddle of each run taken for its end."""
    saddles = rests[~rests["at_end"]]
    last = saddles["stage"] == saddles.groupby("run")["stage"].transform("max")
    return saddles.assign(at_end=last)


@STUDY.claim(
    "depth_second_order_empty",
    source="ours",
    statement="From three layers on the second-order test is empty for small starts: saddles visited "
    "from the smallest of three pass it too (share of saddles, tolerance 0.01).",
    reads=PLATEAUS,
    holds=at_least(0.95),
)
def second_order_empty(rests: pd.DataFrame) -> Measurement | None:
    rests = with_product_scale(rests)
    saddles = rests[~rests["at_end"]]
    passes = passing_tolerance(saddles) <= CRITICAL
    smallest = saddles["product_scale"] == saddles["product_scale"].min()
    deep = saddles["depth"] >= 3
    chosen = passes[smallest & deep]
    if chosen.empty:
        return None
    share = passes.groupby([saddles["depth"], saddles["product_scale"]]).mean()
    listed = "; ".join(
        f"L = {depth}: "
        + ", ".join(f"{value:.0%} at ε = {scale:.0e}" for scale, value in share.loc[depth].items())
        for depth in share.index.levels[0]
    )
    return Measurement(
        value=float(chosen.mean()),
        interval=share_confidence(int(chosen.sum()), len(chosen)),
        note=f"Share of visited saddles with ‖∇f‖ ≤ {CRITICAL:g} and λ_min ≥ −{np.sqrt(CRITICAL):g}: "
        f"{listed}. Their loss is {saddles[deep & smallest]['loss'].min():.2g} or more.",
    )


@second_order_empty.rival("Deep saddles are as strict as those of two layers.")
def as_strict(rests: pd.DataFrame) -> pd.DataFrame:
    """Saddles of two layers taken for those of three."""
    return rests[rests["depth"] == 2].assign(depth=3)


@STUDY.claim(
    "depth_saddle_curvature",
    source="ours",
    statement="The negative curvature at the first saddle vanishes like ε^((L−2)/L) (difference of "
    "exponents, balanced starts, worst depth).",
    reads=(BALANCED, PLATEAUS),
    holds=within(0, 0.01),
)
def vanishing_curvature(balanced: pd.DataFrame, rests: pd.DataFrame) -> Measurement | None:
    first = with_product_scale(balanced[balanced["stage"] == 1])
    if first["product_scale"].nunique() < 2:
        return None
    found = {
        int(depth): log_slope(rows, "smallest_curvature") for depth, rows in first.groupby("depth")
    }
    gaps = pd.Series({depth: slope - (depth - 2) / depth for depth, slope in found.items()})
    gaussian = with_product_scale(rests[~rests["at_end"]])
    scattered = [
        log_slope(rows, "smallest_curvature") - (depth - 2) / depth
        for (depth, _), rows in gaussian.groupby(["depth", "learned"])
    ]
    return Measurement(
        value=float(gaps[gaps.abs().idxmax()]),
        interval=value_range(gaps, "depths"),
        note="Exponent of λ_min over ε where a balanced start first rests, minus (L − 2)/L: "
        + ", ".join(f"{gap:+.4f} at L = {depth}" for depth, gap in gaps.items())
        + f". Gaussian starts scatter around it: at most "
        f"{np.abs(scattered).max():.3f} off at plateaus of rank 0, 1, …, least squares over seeds and "
        "scales.",
    )


@vanishing_curvature.rival("It vanishes like ε^(1/L).")
def another_exponent(
    balanced: pd.DataFrame, rests: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Curvatures with that exponent: ε^(1/L) is e^-δ."""
    return balanced.assign(smallest_curvature=-np.exp(-balanced["delta"])), rests
