"""A figure is what its study draws, or says what it needs."""

from types import SimpleNamespace

import pytest
from matplotlib.figure import Figure

from stagewise.studies.common.drawing import draw
from stagewise.studies.common.judging import RunTables
from stagewise.studies.common.study import NothingToMeasureError


def study(result):
    def drawn(*_):
        if isinstance(result, Exception):
            raise result
        return result

    return SimpleNamespace(figure_reads=(), draw=drawn)


def test_what_a_figure_needs_and_does_not_have_stands_in_its_place(tmp_path):
    tables = RunTables(tmp_path, [])
    figure = Figure()
    assert draw(study(figure), tables) is figure
    (text,) = draw(study(NothingToMeasureError("two modes")), tables).texts
    assert "needs two modes, which the run does not have" in text.get_text()


def test_a_fault_of_a_figure_is_not_hidden(tmp_path):
    with pytest.raises(IndexError):
        draw(study(IndexError("out of range")), RunTables(tmp_path, []))
