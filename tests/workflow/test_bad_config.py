"""A mistake in the configuration is refused in a sentence before any job starts."""

import pytest
import yaml

from .working_copy import Outcome, built_files, change_config, dry_run, run_snakemake

MISTAKES = {
    "a key that does not exist": (
        {"experiments": {"closed_form": {"replicate": 3}}},
        ("experiments.closed_form.replicate is not a known key", "Did you mean replicates?"),
    ),
    "a negative step": (
        {"experiments": {"closed_form": {"step_size": [0.1, -0.2]}}},
        ("experiments.closed_form.step_size[1] is -0.2", "greater than 0"),
    ),
    "a rank above the dimension": (
        {"datasets": {"autoencoder": {"rank": 7}}},
        ("datasets.autoencoder", "rank is 7 but dim is 6", "rank must be at most dim"),
    ),
    "a data set that is not defined": (
        {"experiments": {"real_data": {"datasets": ["digit"]}}},
        ("experiments.real_data.datasets names 'digit'", "digits"),
    ),
    "a misspelt study": (
        {"only": ["closed_from"]},
        ("only names 'closed_from'", "Did you mean closed_form?"),
    ),
    "the name of a folder of the default run": (
        {"run": "stages"},
        ("run is 'stages'", "choose another name"),
    ),
    "a file that does not exist": (
        {"datasets": {"own": {"kind": "npz", "path": "data/own.npz"}}},
        ("datasets.own reads 'data/own.npz'", "not a file"),
    ),
}


def assert_refused(outcome: Outcome, sentences: tuple[str, ...]) -> None:
    assert outcome.returncode == 2, outcome.output
    for sentence in sentences:
        assert sentence in outcome.output
    assert "Traceback" not in outcome.output
    assert not outcome.jobs


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_config_is_refused_in_a_sentence_and_nothing_is_touched(built, mistake):
    changes, sentences = MISTAKES[mistake]
    before = built_files(built)
    change_config(built, changes)
    assert_refused(dry_run(built), sentences)
    if mistake == "a negative step":
        assert_refused(run_snakemake(built), sentences)
    assert built_files(built) == before


@pytest.mark.parametrize("mistake", list(MISTAKES)[:3])
def test_a_mistake_in_an_overlay_is_refused_in_a_sentence_and_nothing_is_touched(built, mistake):
    changes, sentences = MISTAKES[mistake]
    before = built_files(built)
    overlay = built / "config" / "mistaken.yaml"
    overlay.write_text(yaml.safe_dump({"run": "mistaken"} | changes), encoding="utf-8")
    assert_refused(dry_run(built, "--configfile", "config/mistaken.yaml"), sentences)
    assert built_files(built) == before
