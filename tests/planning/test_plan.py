"""A configuration becomes a plan or is refused in sentences, whatever is in it."""

import copy
import datetime
import random
from pathlib import Path

import pytest
import yaml

from stagewise.config.loading import read_plan
from stagewise.config.models import Experiment
from stagewise.data.datasets import draw_moments
from stagewise.dynamics.observables import OBSERVABLES
from stagewise.errors import StagewiseError
from stagewise.pipeline.forecasts import forecasts_table
from stagewise.planning import plan as planning
from stagewise.planning.checking import MAX_SHARDS, make_plan
from stagewise.planning.digests import imported_modules
from stagewise.planning.experiments import run_count
from stagewise.planning.plan import Plan, tables
from stagewise.studies.common.registry import study_names

ROOT = Path(__file__).resolve().parents[2]
MUTATIONS = 500
ODD_VALUES = (
    *(None, True, False, "", " ", "no", "1e-3", "../../etc", "σ", "a" * 300, "\0", "{x}", "*"),
    *(0, -1, 1, 2, 10**9, 10**400, 0.0, -0.5, 1e-320, 1e308, float("nan"), float("inf")),
    *([], {}, [None], [[]], [0.1, "x"], {"kind": "digits"}, {"kind": "npz", "path": "\0"}),
    *({1: 2}, {None: None}, datetime.date(2019, 12, 8), {"": 0}),
)


def places(node, path=()):
    """Paths of all values below a node of a nested configuration."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def at(config, path):
    for key in path:
        config = config[key]
    return config


def mutated(config, generator):
    """A copy of a configuration with one thing wrong, missing, moved, repeated or added."""
    config = copy.deepcopy(config)
    *above, key = generator.choice(list(places(config)))
    parent = at(config, above)
    match generator.choice(("replace", "delete", "move", "repeat", "add")):
        case "replace":
            parent[key] = copy.deepcopy(generator.choice(ODD_VALUES))
        case "delete":
            del parent[key]
        case "move":
            parent[key] = copy.deepcopy(at(config, generator.choice(list(places(config)))))
        case "repeat" if isinstance(parent, list):
            parent.extend([parent[key]] * generator.choice((1, 3)))
        case _ if isinstance(parent, dict):
            parent[generator.choice(("extra", "Run", 7, None, ""))] = parent[key]
    return config


def walk(plan: Plan) -> int:
    """Ask a plan for everything that the Snakefile asks for; the number of files."""
    files = [*plan.figure_files(), *plan.table_files(), *plan.intermediate_files()]
    for name in plan.config.experiments:
        assert plan.section(name, "simulate")["datasets"]
        assert plan.section(name, "forecasts")["datasets"]
        files += plan.moments_of(name)
    for name in plan.studies:
        assert plan.study_files(name)
        assert plan.study_config(name)
    return len(files) + sum(len(plan.table_inputs(table)) for table in tables())


def test_mutations_of_the_default_config_are_planned_or_refused_in_sentences(default_config):
    generator = random.Random("stagewise")
    refused = 0
    for _ in range(MUTATIONS):
        config = mutated(default_config, generator)
        try:
            assert walk(make_plan(config)) > 0
        except StagewiseError as error:
            refused += 1
            headline, *sentences = str(error).splitlines()
            assert headline == "The configuration cannot be used."
            assert sentences
            assert all(each.startswith("- ") and each.endswith((".", "?")) for each in sentences)
    assert MUTATIONS // 4 < refused < MUTATIONS  # both ways out are well tried


def test_more_shards_than_a_workflow_should_have_are_refused_with_the_remedy(default_config):
    config = copy.deepcopy(default_config)
    config["experiments"]["closed_form"] |= {"replicates": 10**9, "runs_per_shard": 100}
    with pytest.raises(StagewiseError, match=r"closed_form.* runs_per_shard") as caught:
        make_plan(config)
    assert f"at most {MAX_SHARDS}" in str(caught.value)


@pytest.mark.parametrize("name", ["stages", "learning_times", "trajectory_summary", "Moments"])
def test_a_run_called_like_a_folder_of_the_default_run_is_refused(name, default_config):
    with pytest.raises(StagewiseError, match=rf"run is '{name}', .* choose another name\.$"):
        make_plan(default_config | {"run": name})


def test_no_folder_or_file_that_the_default_run_makes_can_be_the_name_of_a_run(default_config):
    plan = make_plan(default_config)
    made = [*plan.figure_files(), *plan.table_files(), *plan.intermediate_files()]
    below = {Path(path).parts[1].partition(".")[0] for path in made if path.startswith("results/")}
    assert {"moments", "trajectories", "tables", "claims", "macros", "provenance"} <= below
    for name in below | {"verdicts", "plateaus", "training"}:
        with pytest.raises(StagewiseError, match="choose another name"):
            make_plan(default_config | {"run": name})
    # A figure's name is free: figures/NAME/ and figures/NAME.png are in nobody's way.
    assert make_plan(default_config | {"run": "rmsprop"}).figures == "figures/rmsprop"


def test_the_large_run_has_a_hundred_thousand_runs_in_hundreds_of_jobs():
    plan = read_plan([ROOT / "config/large.yaml"], ROOT)
    runs = sum(run_count(experiment) for experiment in plan.config.experiments.values())
    assert runs == pytest.approx(1e5, rel=0.1)
    assert len(plan.everything()) < 1000


def test_the_forecasts_depend_on_nothing_but_what_they_are_given(default_config):
    everything = {
        "datasets": ["digits"],
        "centred": False,
        "width": [3],
        "delta": [3.0, 5.0],
        "step_size": [0.1, 0.2],
        "step_size_unit": "per_curvature",
        "replicates": 1,
        "modes": 2,
        "forecast": True,
        "horizon": 7.0,
        "horizon_mode": 1,
        "extra_iterations": 9,
        "records_per_decade": 17,
        "runs_per_shard": 3,
        "rotate_hidden": True,
        "depth": [1, 3],
        "initialisation": ["aligned"],
        "summarise": True,
        "compare_commuting": True,
        "references": True,
        "teacher_theory": True,
        "refine": False,
        "stages": True,
        "plateaus": False,
        "curvature": False,
        "iterations": 50,
        "observables": ["loss"],
        "engine": "numpy",
        "optimizer": [{"kind": "rmsprop", "decay": 0.9}],
        "product_scale": None,
    }
    assert set(everything) == set(Experiment.model_fields)
    plan = make_plan(default_config | {"experiments": {"own": everything}})
    assert plan.parts("forecasts") == ["results/forecasts/own.parquet"]
    draws = {"digits": draw_moments("digits", plan.config.datasets["digits"], None)}
    tables = [
        forecasts_table("own", Experiment.model_validate(section), draws)
        for section in (plan.section("own", "forecasts"), everything)
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].num_rows == 2 * 2 * 2


def test_training_depends_on_the_rules_that_it_names_and_on_its_kind_alone(
    default_config, monkeypatch
):
    asked = {}

    def remembered(*modules, found):
        asked[name] = imported_modules(*modules, found=found)
        return "digest"

    monkeypatch.setattr(planning, "source_digest", remembered)
    plan = make_plan(default_config)
    for name in plan.config.training:
        plan.training_source(name)
    rules, kinds = "stagewise.dynamics.optimisers.", "stagewise.pipeline.training."
    found = {
        name: {each.removeprefix(rules) for each in modules if each.startswith(rules)}
        for name, modules in asked.items()
    }
    assert found["minibatch"] == {"gradient_descent"}
    assert found["perceptron"] == {"gradient_descent", "heavy_ball"}
    assert found["optimisers"] > {"adam", "nesterov", "clipped"}
    assert "rmsprop" not in found["optimisers"]
    assert f"{kinds}networks" in asked["perceptron"]
    assert f"{kinds}mini_batches" not in asked["perceptron"]


@pytest.mark.parametrize("name", study_names())
def test_captions_show_the_parameters_of_the_run(name):
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    before = make_plan(config)
    text = before.caption(name)
    assert "{" not in text
    shown = before.study_config(name)["experiments"]
    for experiment in shown:
        config["experiments"][experiment]["replicates"] = 1554
    if shown:
        text = make_plan(config).caption(name)
        assert "1554" in text or "777" in text  # half of them where each draw is learned twice


def test_an_experiment_records_what_studies_read_of_it(default_config):
    experiments = make_plan(default_config).config.experiments
    assert experiments["step_size"].recorded == ["mode_strengths"]
    assert experiments["stable_step"].recorded == ["mode_strengths", "imbalance"]
    assert not experiments["step_size"].summarise
    assert experiments["autoencoder"].summarise
    assert experiments["stage_counts_2"].stages


def test_what_is_chosen_changes_nothing_that_is_recorded(default_config):
    everything = make_plan(default_config).config.experiments
    some = make_plan(default_config | {"only": ["step_size", "forecast"]}).config.experiments
    assert some == {name: everything[name] for name in some}


def test_an_experiment_lists_what_it_records_beside_what_is_read(default_config):
    listed = default_config["experiments"]["step_size"] | {"observables": ["loss"]}
    unlisted = default_config["experiments"]["step_size"]
    own = {"step_size": listed, "listed": listed, "unlisted": unlisted}
    experiments = make_plan(default_config | {"experiments": own}).config.experiments
    assert experiments["step_size"].recorded == ["loss", "mode_strengths"]
    assert experiments["listed"].recorded == ["loss"]
    assert experiments["unlisted"].recorded == list(OBSERVABLES)
