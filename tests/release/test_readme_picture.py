"""The README's picture shows the data of the archived run."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from stagewise.config.loading import read_plan
from stagewise.errors import StagewiseError
from stagewise.release.provenance import content_hash
from stagewise.release.readme_picture import PICTURE, STUDY, carried, refresh, shown_data
from stagewise.store.parquet import write_table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def plan():
    return read_plan(root=ROOT)


def test_the_picture_in_the_documents_is_current(plan):
    expected = shown_data(plan, ROOT / "reference")
    assert carried(ROOT / PICTURE) == expected, "run: make reproduce generate"


def times(shown=1.0, other=1.0):
    experiments = ["real_data", "real_data_sets", "gidel"]
    columns = {"experiment": experiments, "run": [0, 0, 0], "mode": [1, 2, 1]}
    return pa.table(columns | {"learning_iteration": [shown, 2.0, other]})


@pytest.fixture
def run(tmp_path, plan):
    """A run whose figure was drawn from one table."""
    table = tmp_path / plan.results / "learning_times/real_data.parquet"
    write_table(times(), table)
    write_table(times(), tmp_path / plan.results / "learning_times.parquet")
    figure = tmp_path / plan.figures / f"{STUDY}.png"
    figure.parent.mkdir(parents=True)
    Image.new("RGB", (30, 20), "red").save(figure, dpi=(300, 300))
    digests = {"learning_times/real_data.parquet": content_hash(table)}
    sidecar = tmp_path / plan.sidecar(STUDY)
    sidecar.write_text(json.dumps({"aggregates": digests}), encoding="utf-8")
    return tmp_path


def test_it_carries_a_digest_of_what_it_shows_and_of_nothing_else(run, plan):
    refresh(plan, run)
    first = carried(run / PICTURE)
    assert first == shown_data(plan, run / plan.results)
    for changes, same in (({"other": 2.0}, True), ({"shown": 2.0}, False)):
        write_table(times(**changes), run / plan.results / "learning_times.parquet")
        refresh(plan, run)
        assert (carried(run / PICTURE) == first) is same
    with Image.open(run / PICTURE) as picture:
        assert picture.size == (30, 20)
        assert picture.convert("RGB").getpixel((3, 3)) == (255, 0, 0)


def test_a_figure_that_was_drawn_from_other_tables_is_refused(run, plan):
    write_table(times(shown=3.0), run / plan.results / "learning_times/real_data.parquet")
    with pytest.raises(StagewiseError, match=r"was not drawn from learning_times/real_data"):
        refresh(plan, run)
    assert not (run / PICTURE).exists()


def test_without_a_run_there_is_a_sentence(tmp_path, plan):
    with pytest.raises(StagewiseError, match=r"real_data\.png is not built; call make reproduce"):
        refresh(plan, tmp_path)


def test_a_picture_without_a_digest_has_none(run, plan):
    assert carried(run / plan.figures / f"{STUDY}.png") == ""
