"""What the page embeds of a figure."""

import io

import numpy as np
import pytest
from PIL import Image, ImageColor

from stagewise.release.pictures import COLOURS, WIDTH, embedded
from stagewise.studies.common import style


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
    assert np.abs(small - whole)[5:45].mean() < 8  # half of one of sixteen steps
    assert np.abs(small - whole)[55:].mean() < 8


def test_colours_of_lines_stay_nearer_than_an_eye_can_tell(figure):
    colours = [ImageColor.getrgb(colour) for colour in style.COLOURS]
    with Image.open(figure) as picture:
        for row, colour in enumerate(colours):
            picture.paste(colour, (0, 20 * row, picture.width, 20 * row + 20))
        picture.save(figure)
    small = Image.open(io.BytesIO(embedded(figure))).convert("RGB")
    for row, colour in enumerate(colours):
        assert np.abs(np.subtract(small.getpixel((9, 10 * row + 5)), colour)).max() <= 2


def test_white_paper_stays_white(figure):
    with Image.open(figure) as picture:
        picture.paste("white", (0, 100, picture.width, 200))
        picture.save(figure)
    small = Image.open(io.BytesIO(embedded(figure))).convert("RGB")
    assert small.getpixel((10, 75)) == (255, 255, 255)


def test_a_narrow_figure_keeps_its_size(tmp_path):
    path = tmp_path / "narrow.png"
    Image.new("RGB", (40, 20), "red").save(path)
    assert Image.open(io.BytesIO(embedded(path))).size == (40, 20)


def test_the_bytes_are_the_same_each_time(figure):
    assert embedded(figure) == embedded(figure)
