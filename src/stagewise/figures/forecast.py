"""Figure forecast: measured over forecast learning times, law by law."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style
from stagewise.studies.common.comparisons import FORECASTS, forecast_errors, seed_floor

_LABELS = {
    "discrete": "plain",
    "reduced_rank": "reduced-rank staged",
    "staged": "staged (F)",
    "integrated": "integrated (Q)",
}


def plot(aggregates: Aggregates) -> Figure:
    """Ratios per stage on three data sets, then errors over non-commutation and over delta."""
    times = aggregates.times_of("forecast")
    errors = forecast_errors(times)
    commuting = _non_commutation(aggregates.assumption)
    scales = sorted(times["delta"].unique())
    middle = scales[min(1, len(scales) - 1)]
    figure = Figure(figsize=(style.TWO_COLUMNS, 4.6), layout="constrained")
    panels = figure.subplots(2, 3)
    shown = [name for name in times["dataset"].unique() if not name.startswith("rotated")][:3]
    for axes, letter, dataset in zip(panels[0], "abc", shown, strict=False):
        _stages(axes, times[(times["dataset"] == dataset) & (times["delta"] == middle)])
        style.panel_title(axes, letter, rf"{dataset.replace('_', ' ')}, $\delta={middle:g}$")
    rotated = errors[errors["dataset"].str.startswith("rotated")]
    rotated = rotated.assign(distance=rotated["dataset"].map(commuting))
    floor = seed_floor(times)
    panels[1, 1].sharey(panels[1, 0])
    for axes, letter, delta in zip(panels[1], "de", (middle, scales[-1]), strict=False):
        some = rotated[rotated["delta"] == delta]
        _errors(axes, some, "distance", floor[delta])
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.set_xlabel(r"non-commutation $\Delta_{xy}$")
        style.panel_title(axes, letter, rf"fixed spectra, $\delta={delta:g}$")
    chosen = errors[errors["dataset"] == shown[0]]
    _errors(panels[1, 2], chosen, "delta", floor)
    style.log_scale_axis(panels[1, 2], scales)
    style.panel_title(panels[1, 2], "f", shown[0].replace("_", " "))
    panels[0, 0].set_ylabel("measured / forecast")
    panels[1, 0].set_ylabel("root-mean-square log error")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    floor_handle, floor_label = panels[1, 2].get_legend_handles_labels()
    handles, labels = handles + floor_handle, labels + floor_label
    figure.legend(handles, labels, loc="outside lower left", ncols=5)
    return figure


def _non_commutation(assumption: pd.DataFrame) -> pd.Series:
    rows = assumption[assumption["centred"] & (assumption["completion"] == "eigen")]
    return rows.set_index("dataset")["delta_xy"]


def _stages(axes: Axes, times: pd.DataFrame) -> None:
    for index, law in enumerate(FORECASTS):
        mean = times.groupby("mode")[["learning_iteration", f"predicted_{law}"]].mean()
        axes.plot(
            mean.index.to_numpy() + 0.14 * (index - 1.5),
            mean["learning_iteration"] / mean[f"predicted_{law}"],
            linestyle="none",
            **_look(index),
            label=_LABELS[law],
        )
    axes.axhline(1, color=style.INK, linewidth=0.8)
    axes.set_xticks(sorted(times["mode"].unique()))
    axes.set_xlabel("stage")


def _errors(axes: Axes, errors: pd.DataFrame, x: str, floor: float | pd.Series) -> None:
    for index, law in enumerate(FORECASTS):
        some = errors[errors["law"] == law].sort_values(x)
        axes.plot(some[x], some["error"], linewidth=0.8, **_look(index))
    level = floor if isinstance(floor, pd.Series) else pd.Series(floor, index=sorted(errors[x]))
    axes.plot(level.index, level, color=style.INK, linestyle=":", label="scatter of the seeds")
    axes.set_yscale("log")
    axes.yaxis.set_minor_formatter(NullFormatter())


def _look(index: int) -> dict[str, Any]:
    return {
        "marker": style.MARKERS[index],
        "markerfacecolor": "white",
        "color": style.distinct_colours()[index],
    }
