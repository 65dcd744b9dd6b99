import subprocess
import sys
from pathlib import Path

import pytest

from stagewise.errors import StagewiseError
from stagewise.studies.common import registry
from stagewise.studies.common.ledger import read_claims


def test_every_module_in_the_folder_is_a_study_in_the_order_of_the_page():
    found = registry.studies()
    assert sorted(study.name for study in found) == registry.study_names()
    assert [study.order for study in found] == sorted(study.order for study in found)


def test_names_are_given_once():
    names = [claim.id for claim in registry.claims()] + registry.study_names()
    assert len(names) == len(set(names))


@pytest.mark.parametrize("study", registry.studies(), ids=lambda study: study.name)
def test_a_study_has_all_that_the_page_shows(study):
    texts = (study.question, study.title, study.caption, study.alt)
    assert all(text.strip() for text in texts)
    assert study.question.endswith("?")
    assert study.figure_reads


@pytest.mark.parametrize("claim", registry.claims(), ids=lambda claim: claim.id)
def test_a_claim_names_a_rival(claim):
    assert claim.rivals


def test_what_the_default_run_measured_lies_in_its_interval_and_rejects_every_rival():
    for each in read_claims(Path(__file__).resolve().parents[3] / "reference/claims.json"):
        if each.measured is not None:
            assert each.interval[0] <= each.measured <= each.interval[1], each.id
            assert all(rival.rejected for rival in each.rival), each.id


def test_outlines_are_kept_and_read_again(tmp_path):
    fresh = registry.outlines()
    assert registry.outlines(tmp_path) == fresh
    (kept,) = tmp_path.glob("studies-*.json")
    assert registry.outlines(tmp_path) == fresh
    kept.write_text("{", encoding="utf-8")
    assert registry.outlines(tmp_path) == fresh


def test_kept_outlines_need_neither_pandas_nor_matplotlib(tmp_path):
    registry.outlines(tmp_path)
    code = (
        "import sys, pathlib; from stagewise.studies.common import registry;"
        f"registry.outlines(pathlib.Path({str(tmp_path)!r}));"
        "print([name for name in ('pandas', 'matplotlib', 'numba') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_name_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(StagewiseError, match=r"There is no study 'rmsprob'; there are .*rmsprop"):
        registry.load("rmsprob")
    with pytest.raises(StagewiseError, match=r"There is no claim 'cao_stage'; there are "):
        registry.claim_named("cao_stage")
