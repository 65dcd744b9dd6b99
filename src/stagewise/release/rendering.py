"""Figures from tables that are there, without the workflow and without simulating anything."""

from collections.abc import Iterator
from pathlib import Path

from stagewise.errors import StagewiseError
from stagewise.planning.plan import Plan
from stagewise.studies.common import style
from stagewise.studies.common.drawing import draw
from stagewise.studies.common.judging import RunTables
from stagewise.studies.common.registry import load


def render_figures(plan: Plan, root: Path = Path()) -> Iterator[Path]:
    """Draw every figure of a run again as PDF and PNG; yields each file when it is written.

    Raises StagewiseError where a table is missing or damaged.
    """
    style.apply()
    tables = RunTables(root / plan.results, plan.sections)
    for name, outline in plan.studies.items():
        for path in plan.table_paths(outline.figure_reads):
            if not (root / path).is_file():
                raise StagewiseError(
                    f"{root / path} is not there, and the figure {name} is drawn from it. Build it "
                    "with make reproduce, or unpack an archive that holds it."
                )
        pdf, png = (root / plan.figures / f"{name}.{kind}" for kind in ("pdf", "png"))
        style.save(draw(load(name), tables), pdf, png)
        yield from (pdf, png)
