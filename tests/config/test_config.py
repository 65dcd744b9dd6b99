from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, ValidationError
from snakemake.utils import update_config

from stagewise.config.models import Config, Experiment
from stagewise.config.sentences import parse_config
from stagewise.data.kinds import KINDS, DataSpec
from stagewise.planning.checking import make_plan

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = sorted((ROOT / "config").glob("*.yaml"))
MODELS = [Config, Experiment, *KINDS.values()]


def merged(*overlays: Path) -> dict[str, Any]:
    """The configuration as Snakemake merges it: mappings deeply, everything else replaced."""
    config: dict[str, Any] = {}
    for path in (ROOT / "config.yaml", *overlays):
        update_config(config, yaml.safe_load(path.read_text(encoding="utf-8")))
    return config


def paths_of(node: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if not isinstance(node, dict):
        return {path}
    return {leaf for key, child in node.items() for leaf in paths_of(child, (*path, key))}


def value_at(node: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        node = node[key]
    return node


def test_the_default_configuration_parses_and_can_be_planned():
    plan = make_plan(merged())
    assert plan.results == "results"
    assert plan.figures == "figures"
    assert plan.config.run == ""


def test_there_are_overlays():
    assert {"paper.yaml", "smoke.yaml"} <= {path.name for path in OVERLAYS}


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_an_overlay_merged_with_the_default_parses_and_can_be_planned(overlay):
    make_plan(merged(overlay))


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_an_overlay_names_its_run_after_its_file_so_that_runs_never_mix(overlay):
    plan = make_plan(merged(overlay))
    assert plan.results == f"results/{overlay.stem}"
    assert plan.figures == f"figures/{overlay.stem}"


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_an_overlay_changes_what_it_names_and_nothing_else(overlay):
    changes = yaml.safe_load(overlay.read_text(encoding="utf-8"))
    before, after = merged(), merged(overlay)
    named = paths_of(changes)
    assert {path: value_at(after, path) for path in named} == {
        path: value_at(changes, path) for path in named
    }
    left_out = {path for path in named if value_at(changes, path) is None}
    kept = {
        path
        for path in paths_of(before) - named
        if not any(path[: len(out)] == out for out in left_out)
    }
    assert {path: value_at(after, path) for path in kept} == {
        path: value_at(before, path) for path in kept
    }


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_every_value_of_an_overlay_differs_from_the_default(overlay):
    changes = yaml.safe_load(overlay.read_text(encoding="utf-8"))
    before = merged()
    shared = paths_of(changes) & paths_of(before)
    repeated = {path for path in shared if value_at(before, path) == value_at(changes, path)}
    # runs_per_shard is repeated on purpose where another key changes the number of runs.
    assert {path for path in repeated if path[-1] != "runs_per_shard"} == set()


def test_the_smoke_run_says_of_every_experiment_that_it_runs_how_small_it_is():
    smoke = yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8"))
    plan = make_plan(merged(ROOT / "config/smoke.yaml"))
    assert [*smoke["experiments"], *smoke["training"]] == plan.sections


def test_checking_a_configuration_does_not_change_it():
    raw = merged()
    parse_config(raw)
    assert raw == merged()


def test_a_parsed_configuration_written_out_parses_to_itself():
    config = parse_config(merged())
    assert parse_config(config.model_dump()) == config


@pytest.mark.parametrize("section", ["assumption", "datasets", "experiments"])
def test_defaults_are_filled_in_only_where_they_exist(section):
    raw = merged()
    assert getattr(parse_config(raw), section)
    assert Config.model_fields[section].is_required()


def test_whole_numbers_are_accepted_where_numbers_are_meant():
    raw = merged()
    raw["experiments"]["closed_form"]["delta"] = [2]
    (delta,) = parse_config(raw).experiments["closed_form"].delta
    assert isinstance(delta, float)


@pytest.mark.parametrize("run", ["", "paper", "A", "2024", "lr_0-5", "9"])
def test_run_names_may_hold_letters_digits_underscores_and_hyphens(run):
    assert parse_config(merged() | {"run": run}).run == run


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_but_the_tag_is_described(model: type[BaseModel]):
    bare = [key for key, field in model.model_fields.items() if not field.description]
    assert [key for key in bare if key != "kind"] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_section_refuses_unknown_keys_loose_types_and_changes(model: type[BaseModel]):
    settings = model.model_config
    assert (settings["extra"], settings["strict"], settings["frozen"]) == ("forbid", True, True)


def test_a_configuration_cannot_be_changed_once_checked():
    config = parse_config(merged())
    with pytest.raises(ValidationError, match="frozen"):
        config.run = "other"


def test_every_kind_of_data_set_has_a_model_of_its_own():
    assert len(KINDS) == len(get_args(get_args(DataSpec)[0]))
    assert set(KINDS) >= {spec["kind"] for spec in merged()["datasets"].values()}
