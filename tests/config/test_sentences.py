import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stagewise.config.sentences import parse_config
from stagewise.data.kinds import KINDS
from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan
from stagewise.planning.plan import Plan

ROOT = Path(__file__).resolve().parents[2]
DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))

JARGON = re.compile(
    r"Input should|should have|should be|after validation|instance of|object to extract|type=|"
    r"[Vv]alidation error|pydantic|Traceback|https?://|\[key\]",
)

GRID = ("experiments", "closed_form")


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    raw = copy.deepcopy(DEFAULT)
    node = raw
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return raw


def without(path: tuple[Any, ...]) -> dict[str, Any]:
    raw = copy.deepcopy(DEFAULT)
    node = raw
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return raw


def complaint(raw: dict[str, Any]) -> str:
    """The one sentence about a configuration with one mistake."""
    with pytest.raises(StagewiseError) as caught:
        make_plan(raw)
    heading, *sentences = str(caught.value).split("\n")
    assert heading == "The configuration cannot be used."
    assert len(sentences) == 1, sentences
    sentence = sentences[0]
    assert sentence.startswith("- ")
    assert sentence.endswith((".", "?"))
    assert not JARGON.search(sentence), sentence
    return sentence.removeprefix("- ")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        (("expermients",), "experiments"),
        ((*GRID, "stepsize"), "step_size"),
        ((*GRID, "replicate"), "replicates"),
        (("datasets", "autoencoder", "smples"), "samples"),
        (("datasets", "modes", "lam_ranges"), "lam_range"),
        (("datasets", "digits", "kinds"), "kind"),
    ],
)
def test_an_unknown_key_is_named_with_the_key_that_was_meant(path, meant):
    sentence = complaint(changed(path, 1))
    assert sentence.startswith(f"{'.'.join(path)} is not a known key. Did you mean {meant}?")
    allowed = sentence.partition("Allowed here: ")[2].removesuffix(".").split(", ")
    assert meant in allowed


@pytest.mark.parametrize(
    "path", [("qqq",), (*GRID, "qqq"), ("datasets", "digits", "qqq")], ids=lambda path: path[-2:][0]
)
def test_an_unknown_key_like_no_other_gets_no_suggestion_but_the_list(path):
    sentence = complaint(changed(path, 1))
    assert sentence.startswith(f"{'.'.join(path)} is not a known key. Allowed here: ")


@pytest.mark.parametrize("path", [("[key]",), (*GRID, "[key]"), ("datasets", "digits", "[key]")])
def test_an_unknown_key_may_have_any_name(path):
    with pytest.raises(StagewiseError, match=re.escape(f"{'.'.join(path)} is not a known key.")):
        make_plan(changed(path, 1))


def test_keys_that_are_not_text_are_refused():
    sentence = complaint(changed((1,), 1))
    assert sentence.startswith("[1] is 1; ")
    assert "must be text" in sentence


@pytest.mark.parametrize("kind", ["digit", "", 3, None, ["digits"], {"digits": 1}])
def test_an_unknown_kind_of_data_set_is_told_the_kinds_there_are(kind):
    sentence = complaint(changed(("datasets", "digits", "kind"), kind))
    assert sentence == (f"datasets.digits.kind is {kind!r}; it must be one of {', '.join(KINDS)}.")


def test_a_data_set_without_kind_is_told_the_kinds_there_are():
    sentence = complaint(without(("datasets", "modes", "kind")))
    assert sentence.startswith("datasets.modes.kind is ")
    assert sentence.endswith(f"one of {', '.join(KINDS)}.")


@pytest.mark.parametrize(
    "path",
    [
        ("datasets",),
        ("experiments",),
        ("assumption",),
        (*GRID, "step_size"),
        (*GRID, "datasets"),
        ("datasets", "staircase", "sigma"),
    ],
    ids=".".join,
)
def test_a_missing_key_is_named(path):
    assert complaint(without(path)).startswith(f"{'.'.join(path)} is missing; ")


def test_an_experiment_without_any_initial_scale_is_told_both_keys():
    sentence = complaint(without((*GRID, "delta")))
    assert sentence.endswith("neither of delta and product_scale is given; give one of them.")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (path, value)
        for path in (("datasets", "digits"), GRID, ("datasets",), ("experiments",))
        for value in (5, None, "text", [1], True)
    ],
)
def test_a_section_that_is_no_mapping_is_refused(path, value):
    sentence = complaint(changed(path, value))
    assert sentence.startswith(f"{'.'.join(path)} is {value!r}; it must be ")


def test_an_experiment_that_is_null_is_refused_with_the_way_to_leave_it_out():
    for name in ("closed_form", "no_such_experiment"):
        sentence = complaint(changed(("experiments", name), None))
        assert sentence.startswith(f"experiments.{name} is None; it must be a section")
        assert sentence.endswith("to leave an experiment out, name the others in `only`.")


def test_only_what_is_named_is_run_and_what_a_study_reads():
    plan = make_plan(DEFAULT | {"only": ["rmsprop", "saddles", "minibatch"]})
    assert set(plan.config.experiments) == {"rmsprop", "descent_separation", "saddles"}
    assert set(plan.config.training) == {"minibatch"}
    assert "rmsprop" in plan.studies
    assert "autoencoder" not in plan.studies


@pytest.mark.parametrize(("given", "meant"), [("rmsprob", "rmsprop"), ("sadles", "saddles")])
def test_a_misspelt_name_in_only_is_refused_with_what_was_meant(given, meant):
    sentence = complaint(DEFAULT | {"only": [given]})
    assert sentence.startswith(f"only names {given!r}, which is neither an experiment nor a study.")
    assert f"Did you mean {meant}?" in sentence


NUMBER, INTEGER, TEXT, SWITCH, LIST = (
    f"it must be a valid {kind}" for kind in ("number", "integer", "string", "boolean", "list")
)


@pytest.mark.parametrize(
    ("path", "value", "named", "allowed"),
    [
        ((*GRID, "step_size"), 0.1, "step_size is 0.1", LIST),
        ((*GRID, "step_size"), [True], "step_size[0] is True", NUMBER),
        ((*GRID, "step_size"), [0.1, None], "step_size[1] is None", NUMBER),
        ((*GRID, "step_size"), ["fast"], "step_size[0] is 'fast'", NUMBER),
        ((*GRID, "delta"), {"a": 1}, "delta is {'a': 1}", LIST),
        ((*GRID, "delta"), [10**400], "delta[0] is 1000", NUMBER),
        ((*GRID, "replicates"), 2.5, "replicates is 2.5", INTEGER),
        ((*GRID, "replicates"), "many", "replicates is 'many'", INTEGER),
        ((*GRID, "replicates"), True, "replicates is True", INTEGER),
        ((*GRID, "summarise"), "yes", "summarise is 'yes'", SWITCH),
        ((*GRID, "initialisation"), ["alignd"], "initialisation[0] is 'alignd'", "'aligned'"),
        ((*GRID, "step_size_unit"), "sigma", "step_size_unit is 'sigma'", "'per_sigma'"),
        (("datasets", "staircase", "frame"), "x", "datasets.staircase.frame is 'x'", "'random'"),
        (("data_dir",), 5, "data_dir is 5", TEXT),
        (("notice",), None, "notice is None", TEXT),
        (("run",), 5, "run is 5", TEXT),
        (("only",), "closed_form", "only is 'closed_form'", LIST),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_what_is_allowed(path, value, named, allowed):
    sentence = complaint(changed(path, value))
    key = ".".join(path[:-1]) if path[0] == "experiments" else ""
    assert sentence.startswith(f"{key}.{named}" if key else named)
    assert allowed in sentence


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ((*GRID, "step_size"), [0], "step_size[0] is 0; it must be greater than 0."),
        ((*GRID, "step_size"), [0.1, -0.5], "step_size[1] is -0.5; it must be greater than 0."),
        ((*GRID, "delta"), [0.0], "delta[0] is 0.0; it must be greater than 0."),
        ((*GRID, "horizon"), -1, "horizon is -1; it must be greater than 0."),
        ((*GRID, "depth"), [0], "depth[0] is 0; it must be greater than or equal to 1."),
        ((*GRID, "depth"), [9], "depth[0] is 9; it must be less than or equal to 8."),
        ((*GRID, "width"), [0], "width[0] is 0; it must be greater than or equal to 1."),
        ((*GRID, "modes"), 0, "modes is 0; it must be greater than or equal to 1."),
        ((*GRID, "replicates"), 0, "replicates is 0; it must be greater than or equal to 1."),
        ((*GRID, "runs_per_shard"), -1, "runs_per_shard is -1; it must be greater than or equal"),
        ((*GRID, "extra_iterations"), -1, "extra_iterations is -1; it must be greater than or"),
        ((*GRID, "records_per_decade"), 4, "records_per_decade is 4; it must be greater than or"),
        (("datasets", "modes", "sigma_ratio"), 2, "sigma_ratio is 2; it must be less than or"),
        (("datasets", "modes", "draws"), 0, "draws is 0; it must be greater than or equal to 1."),
        (("datasets", "regression", "noise"), -1, "noise is -1; it must be greater than or equal"),
        (("datasets", "staircase", "sigma"), [1, 0], "sigma[1] is 0; it must be greater than 0."),
    ],
)
def test_a_value_out_of_range_is_named_with_its_limit(path, value, sentence):
    given_key = ".".join(path[:-1])
    assert complaint(changed(path, value)).startswith(f"{given_key}.{sentence}".lstrip("."))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")], ids=repr)
@pytest.mark.parametrize(
    "path",
    [
        (*GRID, "step_size", 0),
        (*GRID, "delta", 0),
        (*GRID, "horizon"),
        ("datasets", "staircase", "sigma", 0),
        ("datasets", "modes", "lam_range", 0),
    ],
    ids=lambda path: path[2],
)
def test_numbers_that_are_not_finite_are_refused(path, value):
    assert f" is {value!r}; it must be a finite number." in complaint(changed(path, value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")], ids=repr)
def test_a_share_that_is_not_finite_is_refused(value):
    sentence = complaint(changed(("datasets", "modes", "sigma_ratio"), value))
    assert sentence.startswith(f"datasets.modes.sigma_ratio is {value!r}; it must be ")


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e-3", 1e-3), ("1.25e-3", 1.25e-3), ("1e3", 1e3), ("0.123456789", 0.123456789), ("7", 7.0)],
)
def test_a_number_read_as_text_is_told_how_yaml_reads_that_very_number(text, number):
    sentence = complaint(changed((*GRID, "step_size"), [text]))
    assert sentence.startswith(f"{'.'.join(GRID)}.step_size[0] is {text!r}; it must be a valid ")
    written = re.search(r"YAML reads that as text: write (\S+) without quotes", sentence)
    assert written, sentence
    read = yaml.safe_load(written[1])
    assert isinstance(read, int | float)
    assert read == number


@pytest.mark.parametrize(("text", "number"), [("20", 20), ("1e3", 1000), ("100000", 100000)])
def test_a_whole_number_read_as_text_is_told_to_be_written_as_a_whole_number(text, number):
    sentence = complaint(changed((*GRID, "replicates"), text))
    assert sentence.startswith(f"{'.'.join(GRID)}.replicates is {text!r}; it must be a valid int")
    written = re.search(r"write (\S+) without quotes", sentence)
    assert written, sentence
    assert yaml.safe_load(written[1]) == number
    parse_config(changed((*GRID, "replicates"), yaml.safe_load(written[1])))


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "9" * 400])
@pytest.mark.parametrize("path", [(*GRID, "step_size", 0), (*GRID, "replicates")])
def test_text_that_is_no_finite_number_is_not_suggested_as_one(path, text):
    assert "without quotes" not in complaint(changed(path, text))


@pytest.mark.parametrize("path", [("datasets",), ("experiments",)], ids=".".join)
def test_a_section_without_entries_is_refused(path):
    assert re.match(rf"{path[0]} is {{}}; it must have at least 1", complaint(changed(path, {})))


@pytest.mark.parametrize("axis", ["datasets", "depth", "initialisation", "delta", "step_size"])
def test_an_empty_axis_of_the_grid_is_refused(axis):
    sentence = complaint(changed((*GRID, axis), []))
    assert sentence.startswith(f"{'.'.join(GRID)}.{axis} is []; it must have at least 1 item")


def test_an_empty_list_is_refused():
    sentence = complaint(changed(("assumption",), []))
    assert sentence.startswith("assumption is []; it must have at least 1 item")


@pytest.mark.parametrize(
    ("name", "spec", "sentence"),
    [
        (
            "autoencoder",
            {"kind": "autoencoder", "rank": 21},
            "datasets.autoencoder: rank is 21 but dim is 20; rank must be at most dim.",
        ),
        (
            "regression",
            {"kind": "low_rank_regression", "rank": 11},
            "datasets.regression: rank is 11 but min(dim_in, dim_out) is 10; rank must be at most "
            "that.",
        ),
        (
            "staircase",
            {"kind": "aligned", "sigma": [1.0, 0.5, 0.2], "lam": [1.0]},
            "datasets.staircase: lam has 1 values and sigma 3; give one per mode.",
        ),
        (
            "modes",
            {"kind": "random_modes", "lam_range": [3, 2]},
            "datasets.modes: lam_range is [3.0, 2.0]; its first value must not be larger.",
        ),
    ],
)
def test_values_that_do_not_fit_each_other_are_both_named(name, spec, sentence):
    assert complaint(changed(("datasets", name), spec)) == sentence


@pytest.mark.parametrize(("length", "limit"), [(1, "at least 2"), (3, "at most 2")])
def test_a_range_has_two_ends(length, limit):
    ends = [1.0] * length
    sentence = complaint(changed(("datasets", "modes", "lam_range"), ends))
    assert sentence.startswith(f"datasets.modes.lam_range is {ends}; it must have {limit} items")


@pytest.mark.parametrize("run", ["../x", "a/b", "/tmp/x", ".", "..", "-x", "a b", "a\n", "é", "_a"])
def test_a_run_name_that_is_no_plain_folder_name_is_refused(run):
    sentence = complaint(changed(("run",), run))
    assert sentence.startswith(f"run is {run!r}; ")
    for allowed in ("letters", "digits", "underscores", "hyphens"):
        assert allowed in sentence


@pytest.mark.parametrize("name", ["../mnist", "a" * 300, "a\0b"])
def test_moments_that_cannot_be_a_file_are_refused_by_their_name(name):
    section = {"kind": "archived_moments", "name": name}
    assert "a name has at most 100 letters" in complaint(changed(("datasets", "mine"), section))


@pytest.mark.parametrize("section", ["datasets", "experiments"])
@pytest.mark.parametrize("name", ["../x", "a-b", "1st", "", "a b", "a" * 101])
def test_a_name_that_is_no_plain_word_is_refused(section, name):
    sentence = complaint(changed((section, name), next(iter(DEFAULT[section].values()))))
    assert repr(name)[:50] in sentence  # long values are shortened
    assert sentence.endswith(
        "a name has at most 100 letters, digits and underscores, and starts with a letter."
    )


@pytest.mark.parametrize(
    ("path", "key"),
    [((*GRID, "datasets"), "experiments.closed_form.datasets"), (("assumption",), "assumption")],
)
def test_a_reference_to_an_undefined_data_set_is_told_the_defined_ones(path, key):
    assert complaint(changed(path, ["digits", "nope"])) == (
        f"{key} names 'nope', which the section datasets does not define; it has "
        f"{', '.join(sorted(DEFAULT['datasets']))}."
    )


@pytest.mark.parametrize("path", ["nope.npz", "", "folder/nope.npz", "a\0b", "n" * 5000])
def test_a_data_file_that_is_not_there_is_named_before_any_job_starts(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sentence = complaint(changed(("datasets", "mine"), {"kind": "npz", "path": path}))
    assert sentence.startswith(f"datasets.mine reads {path!r}, which")
    assert sentence.endswith("is not a file; relative paths start at the working directory.")


@pytest.mark.parametrize("name", ["{a}", "my {run} 2", "{ x , y}"])
def test_a_data_file_that_snakemake_would_take_for_a_pattern_is_refused(name, tmp_path):
    (tmp_path / f"{name}.npz").touch()
    spec = {"kind": "npz", "path": str(tmp_path / f"{name}.npz")}
    assert "without braces" in complaint(changed(("datasets", "mine"), spec))


def test_a_data_file_that_is_there_becomes_an_input_of_its_moments(tmp_path):
    path = tmp_path / "mine {} [ü] *.npz"
    path.touch()
    plan = make_plan(changed(("datasets", "mine"), {"kind": "npz", "path": str(path)}))
    assert plan.data_files("mine") == [str(path)]
    assert plan.data_files("digits") == []


def test_several_mistakes_are_reported_at_once():
    raw = changed((*GRID, "step_size"), [0]) | {"run": "../x"}
    with pytest.raises(StagewiseError) as caught:
        make_plan(raw)
    assert len(str(caught.value).split("\n- ")) == 3


def test_a_long_value_is_shortened():
    sentence = complaint(changed((*GRID, "replicates"), "x" * 10_000))
    assert len(sentence) < 300


@pytest.mark.parametrize("raw", [None, 5, "text", []], ids=repr)
def test_a_configuration_that_is_no_mapping_is_refused(raw):
    with pytest.raises(StagewiseError, match=r"^The configuration cannot be used\.\n- "):
        parse_config(raw)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 10**400])
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["1e-3", "20", "nan", "digits", "aligned", "../x", "n" * 5000])
)
KEYS = (
    st.text(max_size=5)
    | st.sampled_from(["kind", "sigma", "lam", "path", "delta", "datasets", "[key]", "digits"])
    | st.integers(-2, 2)
    | st.none()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the configuration has a value, but for its root."""
    if isinstance(node, dict):
        entries = list(node.items())
    elif isinstance(node, list):
        entries = list(enumerate(node))
    else:
        return [path]
    own = [path] if path else []
    return own + [place for key, child in entries for place in places(child, (*path, key))]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    raw = copy.deepcopy(DEFAULT)
    for _ in range(draw(st.integers(1, 3))):
        candidates = places(raw)
        if not candidates:
            break
        place = draw(st.sampled_from(candidates))
        parent = raw
        for key in place[:-1]:
            parent = parent[key]
        match draw(st.sampled_from(["replace", "delete", "add"])):
            case "replace":
                parent[place[-1]] = draw(VALUES)
            case "delete":
                del parent[place[-1]]
            case "add" if isinstance(parent, list):
                parent.append(draw(VALUES))
            case "add":
                parent[draw(KEYS)] = draw(VALUES)
    return raw


def plan_or_complaint(raw: dict[str, Any]) -> Plan | str:
    try:
        return make_plan(raw)
    except StagewiseError as error:
        return str(error)


@settings(max_examples=320, deadline=None, derandomize=True)
@given(mutated())
def test_any_mutation_of_the_configuration_is_planned_or_refused_in_sentences(raw):
    result = plan_or_complaint(raw)
    if isinstance(result, str):
        heading, *sentences = result.split("\n- ")
        assert heading == "The configuration cannot be used."
        assert sentences
        assert not JARGON.search(result.replace("[key]", ""))
    else:
        assert parse_config(result.config.model_dump()) == result.config
