import json

import pytest

from stagewise.errors import StagewiseError
from stagewise.studies.common.judging import Judgement, RivalOutcome
from stagewise.studies.common.ledger import (
    claims_table,
    gathered,
    macros,
    read_claims,
    terminal_text,
    write_claims,
)
from stagewise.studies.common.registry import claims


def judgement(**changes):
    fields = {
        "id": "gidel_one",
        "source": "ours",
        "statement": "a | b at 5 %",
        "figure": "closed_form",
        "expected": 1.0,
        "tolerance": 0.1,
        "measured": 1.05,
        "interval": (1.0, 1.1),
        "verdict": "supported",
        "note": "",
        "holds": "1 ± 0.1",
        "interval_kind": "range",
        "rival": (RivalOutcome("another law", 2.0, True),),
        "experiments": ("closed_form",),
    }
    return Judgement(**(fields | changes))


def test_verdicts_survive_a_round_trip_through_json(tmp_path):
    written = [judgement(), judgement(measured=None, interval=None, verdict="not run")]
    write_claims(written, tmp_path / "claims.json")
    assert read_claims(tmp_path / "claims.json") == written
    keys = set(json.loads((tmp_path / "claims.json").read_text())[0])
    assert keys == set(judgement().__dataclass_fields__)


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "Build it first: make reproduce"), ("[{", "is damaged")]
)
def test_missing_or_damaged_verdicts_are_named(tmp_path, content, sentence):
    path = tmp_path / "claims.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StagewiseError, match=sentence):
        read_claims(path)


def test_macros_have_letters_only_and_one_for_each_number():
    text = macros([judgement(id="gidel_2nd")])
    assert r"\newcommand{\ClaimGidelTwond}{1.05}" in text
    assert r"\newcommand{\ClaimGidelTwondLow}{1}" in text
    assert r"\newcommand{\ClaimGidelTwondVerdict}{supported}" in text


def test_the_table_and_the_terminal_show_every_verdict():
    verdicts = [judgement(), judgement(id="other", verdict="refuted")]
    assert claims_table(verdicts)["verdict"].tolist() == ["supported", "refuted"]
    assert terminal_text(verdicts, "Too small.").splitlines()[-2:] == [
        "1 supported, 1 refuted",
        "Too small.",
    ]


def test_claims_of_studies_that_were_not_run_are_in_the_ledger_too(tmp_path):
    one = claims()[0]
    write_claims([judgement(id=one.id)], tmp_path / "one.json")
    found = gathered([tmp_path / "one.json"])
    assert [each.id for each in found] == [claim.id for claim in claims()]
    assert {each.id for each in found if each.verdict != "not run"} == {one.id}
