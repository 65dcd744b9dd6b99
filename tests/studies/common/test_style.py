"""Colours stay apart without green cones and in grey, or are told apart by markers and lines."""

import re
import subprocess
import sys
import zlib
from io import BytesIO

import pytest
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure

from stagewise.studies.common import style

from .vision import VISIONS, closest, distance, lab

DISTINCT = 7.0
"""Distance in CIELAB, three times what can just be told apart."""


def test_distances_are_those_of_known_colours():
    assert lab("white", "normal") == pytest.approx([100, 0, 0], abs=0.02)
    assert lab("black", "grey") == pytest.approx([0, 0, 0], abs=0.02)
    assert lab("red", "normal") == pytest.approx([53.24, 80.09, 67.2], abs=0.05)
    assert distance("red", "white", "grey") == pytest.approx(100 - 53.24, abs=0.05)


def test_those_without_green_cones_confuse_red_and_green_but_not_blue_and_yellow():
    red, green = "#c0504d", "#6f7f3f"
    assert distance(red, green, "deuteranopia") < distance(red, green, "normal") / 2
    assert distance("blue", "yellow", "deuteranopia") > 100


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("count", range(2, 8))
def test_ordered_colours_are_told_apart_by_everyone_and_in_grey(count, vision):
    colours = style.ordered_colours(count)
    assert len(colours) == count
    assert closest(colours, vision) > DISTINCT
    lightness = [lab(colour, vision)[0] for colour in colours]
    assert lightness == sorted(lightness)


@pytest.mark.parametrize("vision", VISIONS)
def test_an_initial_scale_has_one_colour_unlike_that_of_its_half_and_its_double(vision):
    colours = [style.scale_colour(2.0**power) for power in range(1, 8)]
    assert closest(colours, vision) > DISTINCT
    assert style.scale_colour(16) == colours[3]


@pytest.mark.parametrize("vision", ["normal", "deuteranopia"])
def test_distinct_colours_are_told_apart_with_and_without_green_cones(vision):
    assert closest(style.distinct_colours(), vision) > DISTINCT


def test_distinct_colours_need_markers_in_grey():
    assert closest(style.distinct_colours(), "grey") < DISTINCT
    assert len(set(style.MARKERS)) >= 6
    assert len(set(map(str, style.LINES))) >= 5


def test_fonts_in_a_pdf_hold_outlines_and_nothing_that_shifts_or_joins_letters(tmp_path):
    style.apply()
    figure = Figure()
    figure.text(0, 0, r"first $\sigma_1$")
    style.save(figure, tmp_path / "figure.pdf", tmp_path / "figure.png")
    pdf = (tmp_path / "figure.pdf").read_bytes()
    streams = [
        zlib.decompress(each) for each in re.findall(rb"stream\r?\n(x.*?)\r?\nendstream", pdf, re.S)
    ]
    fonts = [TTFont(BytesIO(each)) for each in streams if each.startswith(b"\0\1\0\0")]
    assert len(fonts) >= 2
    for font in fonts:
        assert "glyf" in font
        assert {"GSUB", "GPOS", "GDEF", "kern"}.isdisjoint(font.keys())


def test_the_style_of_figures_needs_no_scipy():
    code = "import sys, stagewise.studies.common.style; print('scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
