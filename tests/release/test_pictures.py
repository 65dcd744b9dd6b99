"""What the page embeds of a figure."""

import io

import numpy as np
import pytest
from PIL import Image

from stagewise.release.pictures import COLOURS, WIDTH, embedded


@pytest.fixture
def figure(tmp_path):
    """A picture of many colours, wider than the page shows."""
    ramp = np.linspace(0, 255, 2 * WIDTH).astype(np.uint8)
    pixels = np.stack([np.tile(ramp, (300, 1))] * 3, axis=-1)
    pixels[:100, :, 0] = 0
    path = tmp_path / "figure.png"
    Image.fromarray(pixels).save(path)
    return path


def test_a_wide_figure_is_made_smaller_in_proportion_with_few_colours(figure):
    picture = Image.open(io.BytesIO(embedded(figure)))
    assert picture.size == (WIDTH, 150)
    assert picture.mode == "P"
    assert len(picture.getcolors()) <= COLOURS


def test_colours_stay_what_they_were_within_a_palette(figure):
    small = np.asarray(Image.open(io.BytesIO(embedded(figure))).convert("RGB")).astype(int)
    whole = np.asarray(Image.open(figure)).astype(int)[::2, ::2]
    assert np.abs(small - whole)[5:45].mean() < 256 / COLOURS
    assert np.abs(small - whole)[55:].mean() < 256 / COLOURS


def test_a_narrow_figure_keeps_its_size(tmp_path):
    path = tmp_path / "narrow.png"
    Image.new("RGB", (40, 20), "red").save(path)
    assert Image.open(io.BytesIO(embedded(path))).size == (40, 20)


def test_the_bytes_are_the_same_each_time(figure):
    assert embedded(figure) == embedded(figure)
