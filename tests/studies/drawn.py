"""Figures drawn from tables; what a panel shows, as numbers, and what it ought to show."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from stagewise.studies.common import style
from stagewise.studies.common.drawing import draw as draw_study
from stagewise.studies.common.registry import load


def draw(name, tables) -> Figure:
    """The figure from the tables that its study declares, as its rule gives them."""
    figure = draw_study(load(name), tables)
    FigureCanvasAgg(figure)
    return figure


class Panel:
    """The lines, bars and bands that a panel must show, each kind in the order of drawing."""

    def __init__(self):
        self.lines, self.bars, self.bands = [], [], []

    def line(self, x, y):
        """A line or a row of markers."""
        self.lines.append(np.stack([numbers(x), numbers(y)]))

    def level(self, *values):
        """Lines across the panel."""
        for value in values:
            self.line([0, 1], [value, value])

    def upright(self, *values, low=0.0):
        """Lines up the panel, from a share of its height on."""
        for value in values:
            self.line([value, value], [low, 1])

    def bar(self, x, low, high):
        """An error bar for each x, where its ends are known."""
        bars = np.stack([numbers(x), numbers(low), numbers(high)])
        self.bars.append(bars[:, np.isfinite(bars).all(axis=0)])

    def pointed(self, x, y, error):
        """Markers, each with a bar of so much on both sides."""
        self.line(x, y)
        self.bar(x, y - error, y + error)

    def spread(self, x, groups, middle=np.mean, ends=(0.05, 0.95)):
        """The middle of each group of values with a bar between two quantiles."""
        values = [numbers(group.dropna()) for _, group in groups]
        values = [each if len(each) else np.array([np.nan]) for each in values]
        centre = np.array([middle(each) for each in values])
        low, high = (np.array([np.quantile(each, end) for each in values]) for end in ends)
        self.line(x, centre)
        self.bar(x, np.minimum(low, centre), np.maximum(high, centre))

    def band(self, x, low, high):
        """A filled band over x."""
        self.bands.append(np.stack([numbers(x), numbers(low), numbers(high)]))

    def curve(self, rows, marks, x="iteration", band=True):
        """A mean over training at about so many marks, with its band."""
        if band:
            self.band(rows[x], rows["low"], rows["high"])
        shown = rows.iloc[style.log_spaced(numbers(rows[x]), marks)]
        self.line(shown[x], shown["mean"])


def numbers(values):
    return np.asarray(values, dtype=float)


def assert_shows(axes, panel):
    """Whether a panel shows exactly what it must, nothing left out and nothing else."""
    kinds = (
        ("lines", [np.stack([*map(numbers, line.get_data())]) for line in axes.lines]),
        ("bars", [_bar(each) for each in axes.collections if isinstance(each, LineCollection)]),
        ("bands", [_band(each) for each in axes.collections if isinstance(each, PolyCollection)]),
    )
    for kind, drawn in kinds:
        wanted = getattr(panel, kind)
        assert len(drawn) == len(wanted), f"{len(drawn)} {kind} instead of {len(wanted)}"
        for one, other in zip(drawn, wanted, strict=True):
            assert_allclose(one, other, rtol=1e-9, atol=1e-12, err_msg=kind)


def _bar(bars):
    ends = [(each[0, 0], each[0, 1], each[-1, 1]) for each in bars.get_segments() if len(each)]
    return numbers(ends).reshape(-1, 3).T


def _band(band):
    corners = np.concatenate([path.vertices for path in band.get_paths()])
    x = np.unique(corners[:, 0])
    own = [corners[corners[:, 0] == each, 1] for each in x]
    return np.stack([x, [each.min() for each in own], [each.max() for each in own]])
