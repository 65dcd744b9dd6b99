"""The configuration is read outside of Snakemake as Snakemake reads it."""

import copy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from stagewise.config.loading import merged, read_plan, read_yaml
from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = sorted((ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_an_overlay_is_merged_as_snakemake_does(overlay, default_config):
    ours = merged(default_config, read_yaml(overlay))
    theirs = copy.deepcopy(default_config)
    update_config(theirs, yaml.safe_load(overlay.read_text(encoding="utf-8")))
    assert ours == theirs
    assert read_plan(overlay, ROOT) == make_plan(theirs)


@pytest.mark.parametrize("text", ["a: [", "- a", "", "\0"])
def test_a_file_that_is_no_configuration_is_a_sentence(text, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StagewiseError, match=r"config\.yaml"):
        read_plan(root=tmp_path)
