"""Figures from aggregates that are there, without the workflow and without simulating anything."""

from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path

from stagewise.errors import StagewiseError
from stagewise.planning.plan import Plan
from stagewise.store.aggregates import Aggregates
from stagewise.studies.common import style


def render_figures(plan: Plan, root: Path = Path()) -> Iterator[Path]:
    """Draw every figure of a run again as PDF and PNG; yields each file when it is written.

    Raises StagewiseError where an aggregate is missing or damaged.
    """
    style.apply()
    for name in plan.config.figures:
        paths = {
            each: [root / path for path in parts]
            for each, parts in plan.figure_aggregates(name).items()
        }
        for path in chain.from_iterable(paths.values()):
            if not path.is_file():
                raise StagewiseError(
                    f"{path} is not there, and the figure {name} is drawn from it. Build it with "
                    "make reproduce, or unpack an archive that holds it."
                )
        pdf, png = (root / plan.figures / f"{name}.{kind}" for kind in ("pdf", "png"))
        style.save(import_module(f"stagewise.figures.{name}").plot(Aggregates(paths)), pdf, png)
        yield from (pdf, png)
