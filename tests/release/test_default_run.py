"""Where the default run is built, its tables say what the reference says, number by number."""

import json
from functools import cache
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from stagewise.config.loading import read_plan
from stagewise.store.parquet import canonical_hash, read_table
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
def test_a_study_judged_again_says_what_the_reference_says(name):
    tables = RunTables(RESULTS, read_plan(root=ROOT).sections)
    claims = [claim for claim in load(name).claims if tables.has(claim.reads)]
    read = {table for claim in claims for table in claim.reads}
    joined = {
        f"training/{each}" if table.kind == "training" else table.kind
        for table in read
        for each in table.experiments
        if table.kind != "assumption"
    }
    if not (RESULTS / "claims.json").is_file() or not all(map(is_the_references, joined)):
        pytest.skip("results/ is not, to the last bit, the run that the reference was made from")
    archived = {each.id: each for each in read_claims(REFERENCE / "claims.json")}
    for claim in claims:
        ours, theirs = judge(claim, tables), archived[claim.id]
        assert (ours.verdict, ours.note, ours.scope) == (theirs.verdict, theirs.note, theirs.scope)
        assert_allclose(numbers(ours), numbers(theirs), rtol=1e-9, atol=1e-12)
        assert all(rival.rejected for rival in ours.rival)
