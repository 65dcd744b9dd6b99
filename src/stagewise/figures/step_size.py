"""Figure step_size: outcomes over the step size, and the order of modes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.comparisons import swapped_pairs, with_stability
from stagewise.theory import CONVERGENCE_THRESHOLD, OVERSHOOT_THRESHOLD

_STYLES = {
    "monotone": ("o", 0, "from below"),
    "overshoot": ("^", 1, "overshoots"),
    "no convergence": ("x", 3, "does not converge"),
    "balanced": ("s", 2, "ends balanced"),
    "unbalanced": ("D", 4, "ends unbalanced"),
}
_PAIRS = {
    "pairs": (r"random $\lambda$", "o"),
    "pairs_equal_lam": (r"equal $\lambda$", "s"),
}


def plot(aggregates: Aggregates) -> Figure:
    """Outcome per run in the first two panels, share of swapped pairs in the third."""
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.75), layout="constrained")
    single, pair, order = figure.subplots(1, 3, width_ratios=[1.25, 1.15, 0.8])
    _thresholds(single, aggregates.times_of("step_size"))
    _stability(pair, with_stability(aggregates.times_of("stable_step")))
    _order(order, swapped_pairs(aggregates.times_of("mode_order")))
    handles = dict(zip(*reversed(single.get_legend_handles_labels()), strict=True))
    handles |= dict(zip(*reversed(pair.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower left", ncols=5)
    return figure


def _scatter(axes: Axes, points: pd.DataFrame, kind: str, x: str, y: str) -> None:
    colours = style.distinct_colours()
    for outcome, (marker, colour, label) in _STYLES.items():
        some = points[points[kind] == outcome]
        if some.empty:
            continue
        axes.plot(
            some[x],
            some[y],
            linestyle="none",
            marker=marker,
            markersize=2.6,
            markerfacecolor="none",
            markeredgecolor=colours[colour],
            markeredgewidth=0.6,
            label=label,
        )


def _thresholds(axes: Axes, times: pd.DataFrame) -> None:
    times["ratio"] = times["lam"] / times["sigma"]
    _scatter(axes, times, "outcome", "relative_step_size", "ratio")
    for threshold in (OVERSHOOT_THRESHOLD, CONVERGENCE_THRESHOLD):
        axes.axvline(threshold, color=style.INK, linewidth=0.8, linestyle="--")
    axes.set(xlabel=r"$\eta\sigma$", ylabel=r"$\lambda/\sigma$", yscale="log")
    style.panel_title(axes, "a", "one aligned mode")


def _stability(axes: Axes, runs: pd.DataFrame) -> None:
    _scatter(axes, runs, "ending", "relative_step_size", "over_stability")
    axes.axhline(1, color=style.INK, linewidth=0.8, linestyle="--")
    axes.set(xlabel=r"$\eta\sigma_1$", ylabel=r"$\eta\,/\,$stable step", yscale="log")
    style.panel_title(axes, "b", "two modes, Gaussian start")


def _order(axes: Axes, pairs: pd.DataFrame) -> None:
    colours = style.distinct_colours()
    scales = sorted(pairs["delta"].unique())
    for index, (dataset, (label, marker)) in enumerate(_PAIRS.items()):
        some = pairs[pairs["dataset"] == dataset].sort_values("delta")
        if some.empty:
            continue
        share = 100 * some[["share", "low", "high"]].to_numpy()
        position = np.arange(len(some)) + 0.14 * (index - 0.5)
        axes.errorbar(
            position,
            share[:, 0],
            yerr=np.abs(share[:, 1:].T - share[:, 0]),
            linestyle="none",
            marker=marker,
            markerfacecolor="white",
            color=colours[index],
            elinewidth=0.8,
            label=label,
        )
    axes.set_xticks(range(len(scales)), [f"{scale:g}" for scale in scales])
    axes.set(xlabel=r"initial scale $\delta$", ylabel="pairs out of order (%)")
    axes.set_xlim(-0.5, len(scales) - 0.5)
    axes.legend(loc="upper right")
    style.panel_title(axes, "c", r"order at $\eta\sigma_1=\frac{1}{2}$")
