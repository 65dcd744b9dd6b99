"""A rebuild is compared with its reference tier by tier."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stagewise.cli import main
from stagewise.errors import StagewiseError
from stagewise.planning.plan import AGGREGATES
from stagewise.release.comparison import archive, report, verify
from stagewise.store.parquet import write_table
from stagewise.studies.common.judging import Judgement
from stagewise.studies.common.ledger import read_claims, write_claims

ROOT = Path(__file__).resolve().parents[2]


def build(folder, factor=1.0, measured=1.02, verdict="supported", label="a", order=1.0):
    """Results of a run whose numbers are multiplied by a factor."""
    values = factor * np.array([1.0, 2.0, 3.0])
    table = pa.table(
        {
            "experiment": [label, "b", "b"],
            "name": ["a", "b", None],
            "run": [0, 0, 1],
            "mode": [1, 1, 1],
            "learning_iteration": order * values,
            "blank": [None, 1.0, np.inf],
        }
    )
    for name in (*AGGREGATES, "training/optimisers"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_table(table, folder / f"{name}.parquet")
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"dataset": ["digits"], "delta_x": [0.5 * factor]}).to_csv(
        folder / "tables/assumption.csv", index=False
    )
    claim = Judgement(
        "one",
        "ours",
        "it holds",
        "closed_form",
        1.0,
        0.1,
        measured,
        (0.9, 1.1),
        verdict,
        "",
        "1 ± 0.1",
    )
    write_claims([claim], folder / "claims.json")
    return folder


@pytest.fixture
def reference(tmp_path):
    archive(build(tmp_path / "first"), tmp_path / "reference")
    return tmp_path / "reference"


@pytest.mark.parametrize(
    ("changes", "output_tier", "claim_tier", "passed"),
    [
        ({}, "bit-identical", "bit-identical", True),
        ({"factor": 1 + 1e-9}, "equal within rtol", "bit-identical", True),
        ({"measured": 1.02 * (1 + 1e-9)}, "bit-identical", "equal within rtol", True),
        (
            {"factor": 1.01, "measured": 1.05},
            "statistically consistent",
            "statistically consistent",
            True,
        ),
        ({"measured": 1.2}, "bit-identical", "different", False),
        ({"verdict": "refuted"}, "bit-identical", "different", False),
        ({"factor": 2.0, "measured": 1.2}, "different", "different", False),
        ({"label": "other"}, "different", "bit-identical", False),
        ({"order": np.array([1, 1.5, 2 / 3])}, "statistically consistent", "bit-identical", True),
        ({"order": np.array([1, np.nan, 1])}, "statistically consistent", "bit-identical", True),
    ],
)
def test_each_output_and_claim_meets_its_tier(
    tmp_path, reference, changes, output_tier, claim_tier, passed
):
    outcome = verify(build(tmp_path / "second", **changes), reference)
    assert outcome.outputs[0].tier == output_tier
    assert outcome.claims[0].tier == claim_tier
    assert outcome.passed is passed


def test_the_report_names_the_tier_and_the_largest_deviation(tmp_path, reference):
    text = report(verify(build(tmp_path / "second", measured=1.05), reference))
    assert "Tier met by everything: statistically consistent" in text
    assert "largest deviation of a claim 0.029" in text


def test_a_claim_that_is_gone_is_a_difference(tmp_path, reference):
    second = build(tmp_path / "second")
    (second / "claims.json").write_text("[]")
    outcome = verify(second, reference)
    assert not outcome.passed
    assert outcome.claims[0].detail == "only in the reference"


def test_tables_of_training_are_compared_too(tmp_path, reference):
    second = build(tmp_path / "second")
    path = second / "training/optimisers.parquet"
    table = pq.read_table(path)
    times = pa.array([1.0, 2.0, 4.0])
    place = table.column_names.index("learning_iteration")
    write_table(table.set_column(place, "learning_iteration", times), path)
    outcome = verify(second, reference)
    assert {each.name: each.tier for each in outcome.outputs if each.deviation} == {
        "training/optimisers": "statistically consistent"
    }
    path.rename(second / "training/other.parquet")
    outcome = verify(second, reference)
    details = {each.name: each.detail for each in outcome.outputs if each.tier == "different"}
    assert not outcome.passed
    assert details == {
        "training/other": "only in the rebuild",
        "training/optimisers": "only in the reference",
    }


def test_without_a_reference_there_is_a_sentence(tmp_path):
    with pytest.raises(StagewiseError, match="there is nothing to compare with"):
        verify(build(tmp_path / "results"), tmp_path / "nowhere")


@pytest.mark.parametrize(("measured", "code"), [(1.02, 0), (5.0, 1)])
def test_the_command_exits_with_the_outcome(
    tmp_path, reference, monkeypatch, capsys, measured, code
):
    monkeypatch.chdir(tmp_path)
    build(tmp_path / "results", measured=measured)
    assert main(["verify"]) == code
    assert ("disagrees with the reference" in capsys.readouterr().out) == bool(code)


def test_the_command_ends_with_a_sentence_and_exit_code_two(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["verify"]) == 2
    assert "comes with the repository" in capsys.readouterr().err


def add_a_data_set(results):
    """Rows of a data set more, in a table of runs and in that of assumptions."""
    table = pq.read_table(results / "stages.parquet")
    new = pa.array(["new"]).dictionary_encode()
    more = pa.table({"experiment": ["real_data"], "dataset": new, "run": [7]})
    columns = pa.concat_tables([table, more], promote_options="default")
    write_table(columns, results / "stages.parquet")
    with (results / "tables/assumption.csv").open("a", encoding="utf-8") as stream:
        stream.write("new,0.7\n")


def of_digits(results):
    """The table of stages says of which data set its rows are."""
    table = pq.read_table(results / "stages.parquet")
    names = pa.array(["digits"] * len(table)).dictionary_encode()
    write_table(table.append_column("dataset", names), results / "stages.parquet")
    text = (results / "claims.json").read_text(encoding="utf-8")
    text = text.replace('"id": "one"', '"id": "review_commutation"')
    (results / "claims.json").write_text(text, encoding="utf-8")
    return results


def test_data_sets_that_the_reference_lacks_are_left_out_with_the_claims_that_read_them(tmp_path):
    archive(of_digits(build(tmp_path / "first")), tmp_path / "reference")
    second = of_digits(build(tmp_path / "second", measured=9.0))
    assert not verify(second, tmp_path / "reference").passed
    add_a_data_set(second)
    outcome = verify(second, tmp_path / "reference")
    assert outcome.passed
    assert {each.tier for each in outcome.outputs} == {"bit-identical"}
    assert outcome.claims == []
    assert {"review_commutation", "gidel_assumption_half"} <= set(outcome.left_out)
    assert "gidel_order" not in outcome.left_out
    assert "lacks: " in report(outcome)


def test_data_sets_that_only_the_reference_has_are_missed(tmp_path):
    first = of_digits(build(tmp_path / "first"))
    add_a_data_set(first)
    archive(first, tmp_path / "reference")
    outcome = verify(of_digits(build(tmp_path / "second")), tmp_path / "reference")
    different = {each.name for each in outcome.outputs if each.tier == "different"}
    assert different == {"stages", "assumption"}


def test_a_run_with_a_name_has_a_small_reference_of_its_own(tmp_path, reference, monkeypatch):
    monkeypatch.chdir(tmp_path)
    build(tmp_path / "results/paper")
    before = {path.name: path.read_bytes() for path in reference.iterdir()}
    assert main(["archive-reference", "--run", "paper"]) == 0
    assert main(["verify", "--run", "paper"]) == 0
    assert not (reference / "paper/learning_times.parquet").exists()
    assert {p.name: p.read_bytes() for p in reference.iterdir() if p.is_file()} == before
    build(tmp_path / "results/paper", measured=9.0)
    assert main(["verify", "--run", "paper"]) == 1


def test_an_archive_can_be_made_again_over_itself(tmp_path, reference):
    second = build(tmp_path / "second", factor=3.0)
    archive(second, reference)
    assert verify(second, reference).outputs[0].tier == "bit-identical"
    hashes = json.loads((reference / "hashes.json").read_text())
    assert set(hashes) == {*AGGREGATES, "training/optimisers"}
    shutil.rmtree(reference)


@pytest.mark.skipif(not (ROOT / "reference/paper").is_dir(), reason="the paper run is not archived")
def test_the_paper_run_is_archived_with_mnist_and_small():
    folder = ROOT / "reference/paper"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 300_000
    ids = [
        [each.id for each in read_claims(place / "claims.json")]
        for place in (folder.parent, folder)
    ]
    assert ids[0] == ids[1], "run: make paper, then stagewise archive-reference --run paper"
    assert "mnist" in json.loads((folder / "hashes.json").read_text())["learning_times"]["datasets"]
