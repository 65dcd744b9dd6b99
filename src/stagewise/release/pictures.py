"""Figures as the page embeds them: smaller, with few colours."""

import io
from pathlib import Path

from PIL import Image

WIDTH = 1200
"""Pixels; the page shows a figure up to 1,000 wide."""
COLOURS = 64


def embedded(path: Path) -> bytes:
    """A PNG at most `WIDTH` wide in `COLOURS` colours, not dithered; the same bytes each time."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    if picture.width > WIDTH:
        height = round(picture.height * WIDTH / picture.width)
        picture = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    few = picture.quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(out, "PNG")
    return out.getvalue()
