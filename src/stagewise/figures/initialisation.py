"""Figure initialisation: which starts obey the law of learning times and keep the order."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.comparisons import out_of_order


def plot(aggregates: Aggregates) -> Figure:
    """Ratios to the law by start and by width, alignment over training, and order."""
    times = aggregates.times_of("initialisation")
    curves = aggregates.curves_of("initialisation")
    wide = times[times["width"] == _middle(times["width"])]
    figure = Figure(figsize=(style.TWO_COLUMNS, 4.7), layout="constrained")
    (starts, widths), (alignment, order) = figure.subplots(2, 2)
    _ratios(starts, wide, "initialisation", "{}")
    style.panel_title(starts, "a", f"law by start, width {_middle(times['width'])}")
    gaussian = times[times["initialisation"] == "gaussian"]
    _ratios(widths, gaussian, "width", "width {}")
    style.panel_title(widths, "b", "law by width, Gaussian start")
    _alignment(alignment, curves[curves["width"] == _middle(times["width"])], _kinds(times))
    _order(order, wide)
    style.panel_title(order, "d", "order of learning")
    return figure


def _middle(values: pd.Series) -> int:
    found = sorted(values.unique())
    return int(found[len(found) // 2])


def _ratios(axes: Axes, times: pd.DataFrame, by: str, name: str) -> None:
    scales = np.array(sorted(times["delta"].unique()))
    ratio = times["learning_iteration"] / times["predicted_discrete"]
    kinds = list(dict.fromkeys(times[by]))
    for index, kind in enumerate(kinds):
        style.middle_and_spread(
            axes,
            scales * (1 + 0.09 * (index - (len(kinds) - 1) / 2)),
            ratio[times[by] == kind].groupby(times["delta"]),
            index,
            color=style.distinct_colours()[index],
            label=name.format(kind),
        )
    axes.axhline(1, color=style.INK, linewidth=0.8)
    style.log_scale_axis(axes, scales)
    axes.set_ylabel(r"measured / $\delta/\ln(1+\eta\sigma)$")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.25 * (high - low))
    axes.legend(loc="upper right", ncols=2, handletextpad=0.2, columnspacing=0.8)


def _kinds(times: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(times["initialisation"]))


def _alignment(axes: Axes, curves: pd.DataFrame, kinds: list[str]) -> None:
    delta = float(curves["delta"].median())
    delta = min(curves["delta"].unique(), key=lambda each: abs(each - delta))
    some = curves[
        (curves["delta"] == delta)
        & (curves["quantity"] == "alignment")
        & (curves["mode"] == 1)
        & (curves["iteration"] > 0)
    ]
    for index, kind in enumerate(kinds):
        style.measured_curve(
            axes,
            some[some["initialisation"] == kind],
            18,
            index,
            band=kind == "gaussian",
            color=style.distinct_colours()[index],
            label=kind,
        )
    axes.set(xscale="log", xlabel="iteration", ylim=(-0.05, 1.08))
    axes.set_ylabel(r"alignment $\lambda_1 u_1^\top W v_1\,/\,\sigma_1(\Sigma_x W)$")
    style.panel_title(axes, "c", rf"strongest mode turns in, $\delta={delta:g}$")


def _order(axes: Axes, times: pd.DataFrame) -> None:
    shares = out_of_order(times)
    scales = np.array(sorted(shares["delta"].unique()))
    kinds = _kinds(times)
    for index, kind in enumerate(kinds):
        some = shares[shares["initialisation"] == kind]
        axes.errorbar(
            scales * (1 + 0.09 * (index - (len(kinds) - 1) / 2)),
            some["share"],
            yerr=np.stack([some["share"] - some["low"], some["high"] - some["share"]]).clip(0),
            marker=style.MARKERS[index],
            markerfacecolor="white",
            linestyle="none",
            elinewidth=0.8,
            color=style.distinct_colours()[index],
            label=kind,
        )
    style.log_scale_axis(axes, scales)
    axes.set(ylabel="share of neighbours out of order", ylim=(-0.02, None))
