"""Every figure shows the data it is given, labelled, and is the same each time."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.text import Text

from stagewise.studies.common import style
from stagewise.studies.common.judging import judge
from stagewise.studies.common.registry import claims, outlines

from .common.vision import VISIONS, distance
from .drawn import draw
from .given import in_its_interval

ROOT = Path(__file__).resolve().parents[2]
FIGURES = [
    name
    for name, study in outlines().items()
    if all(table.kind != "training" for table in study.figure_reads)
]


SAVED_ALWAYS = ("closed_form", "forecast", "saddle_stages")
"""The others are saved where a release needs it."""


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_is_labelled(name, figure_of):
    figure = figure_of(name)
    for axes in figure.axes:
        shared = axes.get_subplotspec().colspan.start > 0 and not axes.get_ylabel()
        assert axes.get_xlabel()
        assert axes.get_ylabel() or (shared and axes.get_shared_y_axes().get_siblings(axes))
        assert axes.get_title(loc="left")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_as_wide_as_two_columns_and_its_text_is_legible(name, figure_of):
    figure = figure_of(name)
    assert figure.get_size_inches()[0] in (style.ONE_COLUMN, style.TWO_COLUMNS)
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
    assert min(sizes) >= 6.5


def marks(figure):
    """What the panels show, with its looks."""
    for axes in figure.axes:
        yield axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")
        for line in axes.lines:
            looks = line.get_color(), line.get_marker(), line.get_linestyle(), line.get_linewidth()
            yield line.get_xydata().tolist(), looks
        for each in axes.collections:
            looks = each.get_facecolor().tolist(), each.get_edgecolor().tolist()
            yield [path.vertices.tolist() for path in each.get_paths()], looks


@pytest.mark.parametrize("name", FIGURES)
def test_drawing_twice_gives_the_same(name, figure_of, aggregates):
    one, other = list(marks(figure_of(name))), list(marks(draw(name, aggregates)))
    assert len(one) > 2
    assert repr(one) == repr(other)  # with NaN where lines are broken


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in SAVED_ALWAYS else pytest.mark.release)
        for name in FIGURES
    ],
)
def test_saving_twice_gives_the_same_bytes(name, aggregates, tmp_path):
    for attempt in ("a", "b"):
        style.save(draw(name, aggregates), tmp_path / f"{attempt}.pdf", tmp_path / f"{attempt}.png")
    for kind in ("pdf", "png"):
        first, second = ((tmp_path / f"{attempt}.{kind}").read_bytes() for attempt in "ab")
        assert first == second
    holds_its_fonts((tmp_path / "a.pdf").read_bytes())


def holds_its_fonts(content):
    assert b"CreationDate" not in content
    fonts = re.findall(rb"/Type /FontDescriptor.*?endobj", content, re.DOTALL)
    assert fonts
    assert all(re.search(rb"/FontFile[23]? \d+ 0 R", font) for font in fonts)
    assert b"/Subtype /Type3" not in content  # bitmaps or outlines that journals refuse


@pytest.mark.parametrize("name", outlines())
def test_a_pdf_of_the_default_run_holds_the_fonts_that_it_uses(name):
    path = ROOT / "figures" / f"{name}.pdf"
    if not path.is_file():
        pytest.skip("the default run has not been built here")
    holds_its_fonts(path.read_bytes())


@pytest.mark.parametrize("name", FIGURES)
def test_no_label_lies_on_another(name, figure_of):
    figure = figure_of(name)
    renderer = figure.canvas.get_renderer()
    boxes = [
        (label.get_text(), label.get_window_extent(renderer))
        for axes in figure.axes
        for label in (axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title)
        if label.get_text()
    ]
    clashes = [
        (one, other)
        for index, (one, box) in enumerate(boxes)
        for other, second in boxes[index + 1 :]
        if box.overlaps(second)
    ]
    assert not clashes


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_a_measured_value_lies_in_its_interval(claim, aggregates):
    if aggregates.has(claim.reads):
        in_its_interval(judge(claim, aggregates))


# The axes of lampinen_ganguli begin later than its small run ends.
@pytest.mark.parametrize("name", [name for name in FIGURES if name != "lampinen_ganguli"])
def test_most_of_every_panel_lies_within_its_limits(name, figure_of):
    for axes in figure_of(name).axes:
        drawn = [line for line in axes.lines if line.get_transform() == axes.transData]
        points = np.concatenate([line.get_xydata() for line in drawn])
        inside = [axes.viewLim.contains(*point) for point in points]
        assert np.mean(inside) > 0.4, axes.get_title(loc="left")


def test_ordered_colours_differ_in_grey():
    grey = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in style.ordered_colours(4)]
    assert (np.diff(grey) > 0.05).all()


def series(axes):
    """Colour, and marker with line style, of every labelled series of a panel."""
    handles, labels = axes.get_legend_handles_labels()
    for handle, label in zip(handles, labels, strict=True):
        line = handle.lines[0] if isinstance(handle, ErrorbarContainer) else handle
        if isinstance(line, Line2D):
            drawn = line.get_marker(), line.get_linestyle(), line._dash_pattern
            hollow = line.get_markerfacecolor() == "white"
            colour = line.get_markeredgecolor() if drawn[1] == "None" else line.get_color()
            yield label, colour, (*map(str, drawn), hollow)


@pytest.mark.parametrize("name", FIGURES)
def test_series_differ_in_marker_or_line_or_in_colours_that_everyone_sees(name, figure_of):
    for axes in figure_of(name).axes:
        for (label, one, shape), (second, other, another) in combinations(series(axes), 2):
            if label != second and shape == another:
                seen = {vision: distance(one, other, vision) for vision in VISIONS}
                assert min(seen.values()) > 7, f"{label} and {second}: {seen}"
