"""Figure of a forecast: explained share against the iteration, a step a stage."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from stagewise.errors import StagewiseError
from stagewise.forecast.report import Report
from stagewise.store.files import replacing
from stagewise.studies.common import style

_METADATA = {
    ".pdf": {"CreationDate": None, "Producer": None},
    ".png": {"Software": None},
}


def check_ending(path: Path) -> None:
    """Refuse files that are not drawn."""
    if path.suffix.lower() not in _METADATA:
        raise StagewiseError(f"--plot is {path}; it must end with .png or .pdf.")


def save(report: Report, path: Path) -> None:
    """Draw a report to a file, without timestamps, whole or not at all."""
    check_ending(path)
    style.apply()
    ending = path.suffix.lower()
    with replacing(path) as temporary:
        draw(report).savefig(temporary, format=ending[1:], metadata=_METADATA[ending])


def draw(report: Report) -> Figure:
    """Forecast as filled circles with intervals on a step curve, measurements as open squares."""
    shown = [each for each in report.stages if each.iteration is not None]
    figure = Figure(figsize=(style.ONE_COLUMN, 2.5), layout="constrained")
    axes = figure.subplots()
    time = np.array([each.iteration for each in shown], dtype=np.float64)
    share = np.array([each.explained_share for each in shown])
    colour = style.distinct_colours()[0]
    bounds = [(each.low, each.high) for each in shown]
    low, high = np.array(bounds, dtype=np.float64).reshape(-1, 2).T
    if len(time):
        end = np.nanmax([time[-1], high[-1]]) * 1.05
        axes.step(
            [0, *time, end], [0, *share, share[-1]], where="post", color=style.MUTED, zorder=1
        )
        axes.hlines(share, low, high, color=colour, linewidth=2.4, alpha=0.45, zorder=2)
        axes.plot(time, share, "o", color=colour, label=f"forecast ({report.method})", zorder=3)
    measured = [each for each in report.stages if each.measured is not None]
    if measured:
        axes.plot(
            np.array([each.measured for each in measured], dtype=np.float64),
            [each.explained_share for each in measured],
            "s",
            markersize=5,
            markerfacecolor="none",
            markeredgecolor=style.INK,
            markeredgewidth=0.8,
            label=f"trained, mean of {report.seeds}",
            zorder=4,
        )
    axes.set(
        xlabel="iteration of gradient descent",
        ylabel="share of the explained variance",
        ylim=(0, 1.04),
    )
    axes.set_xlim(left=0)
    axes.set_title(
        f"{Path(report.data).name}: "
        rf"$\delta={report.delta:.3g}$, $\eta={report.step_size:.3g}$, width {report.width}"
    )
    axes.legend(loc="lower right")
    return figure
