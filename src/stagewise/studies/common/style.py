"""One look for all figures, and the only place that saves them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from fontTools.subset import Options
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from stagewise.arrays import FloatArray, IntArray
from stagewise.store.files import replacing

ONE_COLUMN = 3.35
TWO_COLUMNS = 6.9
"""Widths in inches of one and two columns of a conference paper."""

INK = "#222222"
MUTED = "#8a8a8a"
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES: tuple[str | tuple[int, tuple[int, ...]], ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (5, 1, 1, 1, 1, 1)),
)

COLOURS = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"),
)
"""Ten colours that colour-blind eyes can tell apart (Waskom 2021, palette "colorblind")."""

_GREY = {
    f"{part}.{kind}": ".15"
    for part, kind in (
        ("axes", "edgecolor"),
        ("axes", "labelcolor"),
        ("text", "color"),
        ("xtick", "color"),
        ("ytick", "color"),
    )
}
_RC: Any = {
    **_GREY,
    "axes.axisbelow": True,
    "axes.prop_cycle": f"cycler(color={list(COLOURS)})",
    "lines.solid_capstyle": "round",
    "patch.edgecolor": "w",
    "patch.force_edgecolor": True,
    "patch.linewidth": 0.8,
    "xtick.major.size": 4.8,
    "ytick.major.size": 4.8,
    "xtick.minor.size": 3.2,
    "ytick.minor.size": 3.2,
    "xtick.minor.width": 0.8,
    "ytick.minor.width": 0.8,
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "axes.titlelocation": "left",
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 6.5,
    "legend.title_fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.2,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,  # read for PDFs too: with 3, Greek and signs get a second copy of their font
    "savefig.dpi": 300,
}


def apply() -> None:
    """Set the style for figures created afterwards."""
    mpl.use("agg")
    mpl.rcParams.update(_RC)
    # Rules for joining and shifting letters, which no reader of a PDF looks at: half of the time of
    # cutting fonts down to the letters used. matplotlib has no setting for it.
    tables: list[str] = getattr(Options, "_drop_tables_default", [])
    tables += sorted({"GSUB", "GPOS", "GDEF", "kern"} - {*tables})


def ordered_colours(count: int) -> list[tuple[float, float, float]]:
    """Colours for an ordered axis, dark to light, distinct in grey and for colour-blind eyes."""
    shades = mpl.colormaps["viridis"](np.linspace(0, 1, count + 3)[1:-2])
    return [(float(red), float(green), float(blue)) for red, green, blue, _ in shades]


def scale_colour(delta: float) -> tuple[float, float, float]:
    """Colour of an initial scale, the same in every figure; combine with markers.

    Scales below 2 look as 2 does, those above 160 as 160.
    """
    doublings = float(np.log2(np.clip(delta, 2, 160))) - 1
    red, green, blue, _ = mpl.colormaps["viridis"](0.13 * doublings)
    return float(red), float(green), float(blue)


def distinct_colours() -> list[tuple[float, float, float]]:
    """Colours for unordered classes; always combine with markers or line styles."""
    return [to_rgb(colour) for colour in COLOURS]


def log_spaced(values: FloatArray, marks: int) -> IntArray:
    """Positions of about `marks` positive ascending values, evenly spread on a log axis."""
    if not len(values):
        return np.empty(0, dtype=np.int64)
    wanted = np.geomspace(values[values > 0][0], values[-1], marks)
    return np.unique(np.searchsorted(values, wanted).clip(0, len(values) - 1))


def middle_and_spread(
    axes: Axes,
    positions: Any,
    groups: Any,
    index: int,
    middle: str = "mean",
    ends: tuple[float, float] = (0.05, 0.95),
    **look: Any,
) -> None:
    """Middle of each group as a hollow marker, its spread as a bar.

    positions : one a group. groups : a grouped column of a frame. index : which marker. middle :
    "mean" or "median". ends : quantiles at the ends of the bar; (0, 1) is the range.
    """
    centre, low, high = groups.agg(middle), *(groups.quantile(end) for end in ends)
    usual: dict[str, Any] = {"markerfacecolor": "white", "elinewidth": 0.8}
    axes.errorbar(
        positions,
        centre,
        yerr=np.stack([centre - low, high - centre]).clip(0),
        linestyle="none",
        marker=MARKERS[index % len(MARKERS)],
        **(usual | look),
    )


def measured_curve(
    axes: Axes, curve: pd.DataFrame, marks: int, index: int, band: bool = True, **look: Any
) -> None:
    """A curve over training: mean as hollow markers, evenly spread on a log axis, with its band.

    curve : rows of a trajectory summary, one quantity. index : which marker.
    """
    iteration = curve["iteration"].to_numpy()
    chosen = log_spaced(iteration, marks)
    if band:
        axes.fill_between(
            iteration, curve["low"], curve["high"], color=look["color"], alpha=0.25, lw=0
        )
    axes.plot(
        iteration[chosen],
        curve["mean"].to_numpy()[chosen],
        linestyle="none",
        marker=MARKERS[index % len(MARKERS)],
        markerfacecolor="white",
        **look,
    )


def log_scale_axis(axes: Axes, scales: Sequence[float] | FloatArray) -> None:
    """A logarithmic axis of initial scales with a tick at each."""
    axes.set(xscale="log", xlabel=r"initial scale $\delta$")
    axes.set_xticks(scales, [f"{scale:g}" for scale in scales])
    axes.minorticks_off()


def panel_title(axes: Axes, letter: str, text: str) -> None:
    """Title of a panel, with its letter in bold."""
    axes.set_title(rf"$\bf{{{letter}}}$  {text}")


def only_text(sentence: str) -> Figure:
    """A figure that says something instead of showing it."""
    figure = Figure(figsize=(TWO_COLUMNS, 0.6))
    figure.text(0.5, 0.5, sentence, ha="center", va="center", color=INK)
    return figure


def save(figure: Figure, pdf: Path, png: Path) -> None:
    """Save as vector PDF and as PNG, without timestamps, each whole or not at all."""
    # The layout measures texts as the PNG draws them, so that this is done once. `savefig` would lay
    # out and draw more often.
    figure.set_dpi(mpl.rcParams["savefig.dpi"])
    raster: Any = FigureCanvasAgg(figure)
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
        figure.set_layout_engine("none")
    with replacing(png) as temporary, temporary.open("wb") as stream:
        raster.print_png(stream, metadata={"Software": None}, pil_kwargs={"compress_level": 3})
    figure.set_dpi(72)
    vector: Any = FigureCanvasPdf(figure)
    with replacing(pdf) as temporary, temporary.open("wb") as stream:
        vector.print_pdf(stream, metadata={"CreationDate": None, "Producer": None})


def open_marker(index: int) -> dict[str, Any]:
    """Marker and colour of the index-th series, its markers hollow."""
    return {
        "marker": MARKERS[index],
        "markerfacecolor": "white",
        "color": distinct_colours()[index],
    }
