"""What is generated is current, so that documents cannot drift from the code."""

import json
import re
from pathlib import Path

import pytest
import yaml

from stagewise.config.loading import read_plan
from stagewise.config.models import Config, Experiment
from stagewise.config.training import TRAINING_KINDS, TRAINING_PARTS
from stagewise.data.kinds import KINDS
from stagewise.dynamics.optimisers import RULES
from stagewise.errors import StagewiseError
from stagewise.release.generated import (
    END,
    START,
    between_markers,
    config_readme,
    generated_files,
    schema,
)
from stagewise.studies.common.ledger import read_claims
from stagewise.studies.common.registry import claims

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "path",
    [
        "workflow/schemas/config.schema.json",
        "config/README.md",
        "README.md",
        "docs/claims.md",
    ],
)
def test_generated_files_are_current(path):
    expected = generated_files(ROOT)[ROOT / path]
    assert (ROOT / path).read_text(encoding="utf-8") == expected, "run: make generate"


def test_the_description_of_the_config_has_every_key():
    text = config_readme()
    training = (*TRAINING_KINDS.values(), *TRAINING_PARTS.values())
    for model in (Config, Experiment, *KINDS.values(), *RULES.values(), *training):
        for name, field in model.model_fields.items():
            if name == "kind":
                continue
            assert f"| `{name}` |" in text
            assert field.description, f"{model.__name__}.{name} has no description"


def test_the_schema_refuses_unknown_keys_and_names_every_kind():
    parsed = json.loads(schema())
    assert parsed["additionalProperties"] is False
    assert set(parsed["properties"]) == set(Config.model_fields)
    assert {*KINDS, *RULES, *TRAINING_KINDS} == {
        each["properties"]["kind"]["const"]
        for each in parsed["$defs"].values()
        if "kind" in each["properties"]
    }


def test_the_reference_has_every_claim_and_no_other():
    default = read_plan(root=ROOT).config
    archived = {each.id: each for each in read_claims(ROOT / "reference/claims.json")}
    assert list(archived) == [claim.id for claim in claims()]
    for claim in claims():
        same = (claim.statement, claim.holds.words, claim.figure, claim.source)
        each = archived[claim.id]
        assert (each.statement, each.holds, each.figure, each.source) == same
        run = {*default.experiments, *default.training}
        assert (each.measured is not None) == (set(claim.experiments) <= run)


def test_a_document_without_its_markers_is_refused():
    with pytest.raises(StagewiseError, match=r"a\.md lacks the lines .* put them back"):
        between_markers(f"only {START}", "text", "a.md")
    assert between_markers(f"a{START}old{END}b", "new", "a.md") == f"a{START}\nnew\n{END}b"


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8")) <= 6000


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_links_of_the_documents_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_default_configuration_uses_enough_seeds():
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    seeds = {name: each["replicates"] for name, each in config["experiments"].items()}
    assert min(seeds.pop(name) for name in ("forecast", "real_data_sets")) >= 8
    assert seeds.pop("real_data_cifar10") == 3  # of 3072 pixels and 20,000 iterations
    assert seeds.pop("lampinen_ganguli_own") == 4  # of 5000 epochs, a quarter of a second each
    # One run a rank to look at, and a start that is the same for every seed.
    assert seeds.pop("saddle_stages") == 5
    assert seeds.pop("saddles_balanced") == 1
    deep = {"saddles", "stable_step_deep", "descent_separation", "rmsprop"}
    assert min(seeds.pop(name) for name in deep) >= 10
    assert min(seeds.values()) >= 20
