"""Where the default run is built, its tables still say what its verdicts say, number by number.

They are those of the reference where the tables are too, to the last bit. On another processor the
last bits differ, and with them digits of a note: then the verdicts that the run itself wrote count.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from numpy.testing import assert_allclose

from stagewise.config.loading import read_plan
from stagewise.store.parquet import canonical_hash, read_table
from stagewise.studies.common import style
from stagewise.studies.common.drawing import draw
from stagewise.studies.common.judging import RunTables, judge
from stagewise.studies.common.ledger import read_claims
from stagewise.studies.common.registry import load, study_names

ROOT = Path(__file__).resolve().parents[2]
RESULTS, REFERENCE = ROOT / "results", ROOT / "reference"


@cache
def is_the_references(table):
    kept = json.loads((REFERENCE / "hashes.json").read_text(encoding="utf-8"))
    path = RESULTS / f"{table}.parquet"
    return path.is_file() and canonical_hash(read_table(path)) == kept[table]["hash"]


def numbers(judgement):
    rivals = [rival.measured for rival in judgement.rival]
    values = [judgement.measured, *(judgement.interval or ()), judgement.in_scope, *rivals]
    return [float("nan") if value is None else value for value in values]


@pytest.mark.parametrize("name", study_names())
def test_a_study_judged_again_says_what_it_said(name):
    tables = RunTables(RESULTS, read_plan(root=ROOT).sections)
    claims = [claim for claim in load(name).claims if tables.has(claim.reads)]
    read = {table for claim in claims for table in claim.reads}
    joined = {
        f"training/{each}" if table.kind == "training" else table.kind
        for table in read
        for each in table.experiments
        if table.kind != "assumption"
    }
    files = {path for table in read for path in tables.files(table)}
    if not all(path.is_file() for path in {RESULTS / "claims.json", *files}):
        pytest.skip("results/ is not a default run")
    source = REFERENCE if all(map(is_the_references, joined)) else RESULTS
    archived = {each.id: each for each in read_claims(source / "claims.json")}
    for claim in claims:
        # If this fails after a change of a study: make reproduce.
        ours, theirs = judge(claim, tables), archived[claim.id]
        assert (ours.verdict, ours.note, ours.scope) == (theirs.verdict, theirs.note, theirs.scope)
        assert_allclose(numbers(ours), numbers(theirs), rtol=1e-9, atol=1e-12)
        assert all(rival.rejected for rival in ours.rival)


@pytest.mark.release
@pytest.mark.parametrize("name", read_plan(root=ROOT).studies)
def test_no_legend_of_the_default_run_covers_a_marker_and_no_title_is_cut(name):
    plan = read_plan(root=ROOT)
    tables = RunTables(RESULTS, plan.experiments_of(plan.study_reads(name)))
    if not (RESULTS / "claims.json").is_file() or not tables.has(load(name).figure_reads):
        pytest.skip("results/ is not a default run")
    style.apply()
    figure = draw(load(name), tables)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    for axes in figure.axes:
        labels = (axes._left_title, axes.xaxis.label, axes.yaxis.label)
        for text in filter(Text.get_text, labels):
            box = text.get_window_extent(renderer)
            assert box.x0 > -1, text
            assert box.x1 < figure.bbox.width + 1, text
        if axes.get_legend() is None:
            continue
        box = axes.get_legend().get_window_extent(renderer)
        marked = [line for line in axes.lines if line.get_marker() not in ("", " ", "None", None)]
        for line in marked:
            places = line.get_transform().transform(np.transpose(line.get_data()).astype(float))
            inside = [box.contains(*place) for place in places]
            assert not any(inside), (line, places[inside])
