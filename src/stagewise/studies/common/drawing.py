"""The figure of a study from the tables of a run."""

from matplotlib.figure import Figure

from stagewise.studies.common import style
from stagewise.studies.common.judging import RunTables
from stagewise.studies.common.study import NothingToMeasureError, Study


def draw(study: Study, tables: RunTables) -> Figure:
    """The figure of a study from the files of a run; a sentence in its place where they lack rows."""
    try:
        return study.draw(*(tables.frame(table) for table in study.figure_reads))
    except NothingToMeasureError as error:
        return style.only_text(
            f"Not drawn: this figure needs {error}, which the run does not have."
        )
