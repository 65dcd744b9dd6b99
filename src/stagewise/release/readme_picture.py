"""The README's picture: a figure of the run, which carries a digest of the data that it shows."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, PngImagePlugin

from stagewise.errors import StagewiseError
from stagewise.planning.plan import Plan
from stagewise.release.comparison import BY_ROW, ROW
from stagewise.release.provenance import content_hash
from stagewise.store.files import replacing
from stagewise.store.parquet import canonical_hash, read_table

STUDY, PICTURE = "real_data", Path("docs/real_data.png")
KEY = "learning times"
"""Of the entry in the picture's metadata."""


def shown_data(plan: Plan, folder: Path) -> str:
    """Digest of the learning times that the figure shows, from a run's results or its reference."""
    read = plan.studies[STUDY].figure_reads
    names = {name for each in read if each.kind == BY_ROW for name in each.experiments}
    names |= {name for each in read for name in each.optional}
    times = read_table(folder / f"{BY_ROW}.parquet", list(ROW))
    shown = pc.is_in(times["experiment"].cast(pa.string()), pa.array(sorted(names)))
    return canonical_hash(times.filter(shown))


def carried(picture: Path) -> str:
    """The digest that a picture carries; "" for one that has none."""
    with Image.open(picture) as opened:
        return str(opened.info.get(KEY, ""))


def refresh(plan: Plan, root: Path) -> None:
    """Make the figure of the run the README's picture.

    Raises StagewiseError where the run is not built, or the figure was drawn from other tables.
    """
    figure = root / plan.figures / f"{STUDY}.png"
    sidecar = root / plan.sidecar(STUDY)
    if not figure.is_file() or not sidecar.is_file():
        raise StagewiseError(f"{figure} is not built; call make reproduce, then this again.")
    drawn_from = json.loads(sidecar.read_text(encoding="utf-8"))["aggregates"]
    for name, digest in drawn_from.items():
        if content_hash(root / plan.results / name) != digest:
            raise StagewiseError(f"{figure} was not drawn from {name} as it is; make reproduce.")
    note = PngImagePlugin.PngInfo()
    note.add_text(KEY, shown_data(plan, root / plan.results))
    out = io.BytesIO()
    with Image.open(figure) as opened:
        opened.save(out, "PNG", pnginfo=note, optimize=True, dpi=opened.info["dpi"])
    with replacing(root / PICTURE) as temporary:
        temporary.write_bytes(out.getvalue())
