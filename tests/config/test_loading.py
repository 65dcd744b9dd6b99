"""The configuration is read outside of Snakemake as Snakemake reads it, and what cannot be meant
is said with its file and line."""

import copy
import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.utils import update_config

from stagewise.config.files import read_file
from stagewise.config.loading import merged, places_in, read_plan
from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = sorted((ROOT / "config").glob("*.yaml"))

CONFIGS = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)
SECTIONS = st.dictionaries(st.sampled_from("abc"), CONFIGS, max_size=3)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_an_overlay_is_merged_as_snakemake_does(overlay, default_config):
    ours = merged(default_config, read_file(overlay)[0])
    theirs = copy.deepcopy(default_config)
    update_config(theirs, yaml.safe_load(overlay.read_text(encoding="utf-8")))
    assert ours == theirs
    assert read_plan([overlay], ROOT) == make_plan(theirs)


@given(SECTIONS, SECTIONS, SECTIONS)
def test_any_two_overlays_are_merged_as_snakemake_does(config, one, other):
    before = copy.deepcopy([config, one, other])
    ours = merged(config, merged(merged({}, one), other))
    assert before == [config, one, other]
    above: dict = {}
    update_config(above, copy.deepcopy(one))
    update_config(above, copy.deepcopy(other))
    update_config(config, above)
    assert ours == config


def overlay(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_of_several_overlays_a_later_one_wins_and_settings_win_over_all(tmp_path):
    one = overlay(tmp_path, "run: one\nnotice: three\n", "one.yaml")
    other = overlay(tmp_path, "run: other\n", "other.yaml")
    config = read_plan([one, other], ROOT).config
    assert (config.run, config.notice) == ("other", "three")
    assert read_plan([other, one], ROOT).config.run == "one"
    config = read_plan([one], ROOT, ["run=third", "notice=four"]).config
    assert (config.run, config.notice) == ("third", "four")


@pytest.mark.parametrize("text", ["", "\n\n", "# only: a comment\n", "---\n"])
def test_an_overlay_that_says_nothing_changes_nothing(text, tmp_path):
    assert read_plan([overlay(tmp_path, text)], ROOT) == read_plan([], ROOT)


@pytest.mark.parametrize("text", ["a: [", "- a", "", "\0", "5", "a: &a [*a]"])
def test_a_file_that_is_no_configuration_is_a_sentence(text, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StagewiseError, match=r"config\.yaml"):
        read_plan(root=tmp_path)


def test_aliases_that_repeat_without_measure_are_refused(tmp_path):
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 9)]
    with pytest.raises(StagewiseError, match="holds more than 100000 values"):
        read_file(overlay(tmp_path, "\n".join(lines)))


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(StagewiseError) as caught:
        read_plan([overlay(folder, text)], ROOT)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("run: a\nnotice: b\nrun: c\n", 3, "run is given twice, first in line 1"),
        (
            "experiments:\n  closed_form:\n    replicates: 3\n    replicates: 4\n",
            4,
            "experiments.closed_form.replicates is given twice, first in line 3",
        ),
        ("experiments:\n  closed_form: {delta: [1, 010]}\n", 2, "delta.1 is 010, which YAML reads"),
        (
            "experiments: {closed_form: {replicates: 010}}\n",
            1,
            "as 8, an octal number. Write 10 for the decimal number",
        ),
        (
            "experiments: {closed_form: {replicates: 1:30}}\n",
            1,
            "is 1:30, which YAML reads as a number of base 60",
        ),
    ],
)
def test_yaml_that_cannot_be_meant_is_a_sentence_with_its_line(text, line, said, tmp_path):
    sentence = complaint(tmp_path, text)
    assert f"{tmp_path / 'mine.yaml'}, line {line}: " in sentence
    assert said in sentence


@pytest.mark.parametrize(
    "text", ["0", "-0", "0.5", "00", "1_000", "0o10", "'010'", '"1:30"', "0x10", "1e-3", "010.5"]
)
def test_numbers_and_texts_that_say_what_they_mean_are_read(text, tmp_path):
    path = overlay(tmp_path, f"value: {text}\n")
    assert read_file(path)[0] == yaml.safe_load(f"value: {text}\n")


def test_a_key_of_a_merged_section_may_be_given_again(tmp_path):
    path = overlay(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\n")
    content, places = read_file(path)
    assert content["b"] == {"x": 3, "y": 2}
    assert places["b", "x"].line == 2
    assert places["b", "y"].line == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "run: no\n",
            'run is no, which YAML reads as true or false; it must be text: write "no" in',
        ),
        (
            "\n\nrun: 2024\n",
            'run is 2024, which YAML reads as a number; it must be text: write "20',
        ),
        ("run: 2024-01-01\n", "run is 2024-01-01, which YAML reads as date; it must be text"),
        ("run: ../x\n", "run is '../x'; the name of a run has at most 100 letters"),
        (
            "experiments: {closed_form: {replicates: 0}}\n",
            "experiments.closed_form.replicates is 0; it must be greater than or equal to",
        ),
        ("expermients: {}\n", "expermients is not a known key. Did you mean experiments?"),
        (
            "experiments:\n  closed_frm: {replicates: 3}\n",
            "experiments.closed_frm is new and lacks datasets and step_size. Did you mean "
            "closed_form?",
        ),
        (
            "datasets:\n  digist: {train_samples: 20}\n",
            "datasets.digist is new and lacks its kind. Did you mean digits?",
        ),
        (
            "training: {x: {kind: nope}}\n",
            "training.x.kind is 'nope'; it must be one of update_rules, ",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(text, said, tmp_path):
    sentence = complaint(tmp_path, text)
    _, *mistakes = sentence.split("\n- ")
    assert len(mistakes) == 1, sentence
    assert mistakes[0].startswith(said), sentence
    line = 1 + max(text.count("\n") - 1, 0)
    assert mistakes[0].endswith(f"({tmp_path / 'mine.yaml'}, line {line})")


def test_a_misspelt_section_is_one_mistake_not_two(tmp_path):
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    overlay(tmp_path, text.replace("\ndatasets:", "\ndataset:"), "config.yaml")
    with pytest.raises(StagewiseError) as caught:
        read_plan(root=tmp_path)
    _, *mistakes = str(caught.value).split("\n- ")
    assert len(mistakes) == 1
    assert mistakes[0].startswith("dataset is not a known key. Did you mean datasets?")
    assert "config.yaml, line " in mistakes[0]


def test_a_later_file_is_named_where_it_says_it_anew(tmp_path):
    one = overlay(tmp_path, "run: one\nnotice: a\n", "one.yaml")
    other = overlay(tmp_path, "# mine\nnotice: b\n", "other.yaml")
    places = places_in([one, other])
    assert str(places[("run",)]) == f"{one}, line 1"
    assert str(places[("notice",)]) == f"{other}, line 2"


SMALL = """
run: small
assumption: [digits]
datasets:
  digits: {kind: digits}
  modes: &modes {kind: random_modes, modes: 3, draws: 2, lam_range: [0.5, 2.0]}
  others: {<<: *modes, modes: 2}
experiments:
  first:
    datasets: [modes, others]
    delta: [4, 8]
    step_size: [0.1]
    replicates: 3
  second: {datasets: [digits], delta: [4], step_size: [0.01, 0.1], refine: no}
"""
ODD_TEXTS = (
    "010",
    "1:30",
    "no",
    "~",
    "1e-3",
    ".nan",
    "[",
    "{",
    "'",
    "*modes",
    "&x",
    "!!python/x",
    "<<: 3",
)


def damaged(text: str, generator: random.Random) -> str:
    """A file with one line gone, twice, moved, indented, cut or with an odd value."""
    lines = text.splitlines()
    place = generator.randrange(len(lines))
    match generator.choice(("gone", "twice", "moved", "indented", "cut", "odd", "byte")):
        case "gone":
            del lines[place]
        case "twice":
            lines.insert(place, lines[place])
        case "moved":
            lines.insert(generator.randrange(len(lines)), lines.pop(place))
        case "indented":
            lines[place] = generator.choice(("  ", "\t", " ")) + lines[place]
        case "cut":
            lines[place] = lines[place][: generator.randrange(len(lines[place]) + 1)]
        case "odd":
            key = lines[place].partition(":")[0]
            lines[place] = f"{key}: {generator.choice(ODD_TEXTS)}"
        case "byte":
            at = generator.randrange(len(lines[place]) + 1)
            lines[place] = (
                lines[place][:at] + generator.choice("\0:#-[]{}é\t&*!|>%@`") + lines[place][at:]
            )
    return "\n".join(lines)


def test_damaged_files_are_planned_or_refused_in_sentences(tmp_path):
    generator = random.Random("damaged files")
    refused = []
    for _ in range(500):
        overlay(tmp_path, damaged(SMALL, generator), "config.yaml")
        try:
            assert read_plan(root=tmp_path).config.experiments
        except StagewiseError as error:
            refused.append(str(error))
    assert [each for each in refused if "config.yaml" not in each and "\n- " not in each] == []
    assert 150 < len(refused) < 450  # both ways out are well tried
