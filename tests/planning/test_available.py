"""What can be had of published data is fetched; a run without the rest says so in an overlay."""

from pathlib import Path

import pytest
import yaml

from stagewise.cli import main
from stagewise.config.loading import read_plan
from stagewise.data import downloads
from stagewise.errors import StagewiseError
from stagewise.planning.available import fetch, without

ROOT = Path(__file__).resolve().parents[2]
PAPER = ROOT / "config/paper.yaml"
IMAGES = {"mnist", "fashion_mnist", "cifar10"}


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """An empty data folder, and no mirror that answers; what was asked of them."""
    monkeypatch.setenv("STAGEWISE_DATA", str(tmp_path))
    monkeypatch.chdir(ROOT)
    asked = []

    def no_answer(address, path):
        asked.append(address.rpartition("/")[2])
        return "no network"

    monkeypatch.setattr(downloads, "_download", no_answer)
    monkeypatch.setattr(downloads, "PAUSE", 0)
    return asked


def test_each_published_data_set_is_asked_for_and_missed_by_name(nowhere):
    missing = fetch(read_plan([PAPER]))
    assert set(missing) == IMAGES
    assert "no network" in missing["cifar10"]
    assert {"train-images-idx3-ubyte.gz", "cifar-10-binary.tar.gz"} <= set(nowhere)


def test_where_the_configuration_forbids_it_nothing_is_downloaded(nowhere, tmp_path):
    kinds = {name: {"kind": name, "download": False} for name in IMAGES}
    quiet = tmp_path / "quiet.yaml"
    quiet.write_text(yaml.safe_dump({"datasets": kinds}), encoding="utf-8")
    assert set(fetch(read_plan([PAPER, quiet]))) == IMAGES
    assert nowhere == []


def test_the_overlay_leaves_out_what_is_missing_and_no_more(tmp_path):
    plan = read_plan([PAPER], root=ROOT)
    overlay = without(plan, {"fashion_mnist", "cifar10"})
    (tmp_path / "without.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    less = read_plan([PAPER, tmp_path / "without.yaml"], root=ROOT).config
    assert less.experiments["real_data"].datasets == ["digits", "mnist"]
    gone = set(plan.config.assumption) - set(less.assumption)
    assert gone == {"fashion_mnist", "cifar10"}
    changed = {
        name for name, each in plan.config.experiments.items() if each != less.experiments[name]
    }
    assert changed == {"real_data", "real_data_uncentred"}


def test_a_run_of_which_nothing_is_left_is_refused():
    with pytest.raises(StagewiseError, match=r"No data set of experiments\.real_data can be had"):
        without(read_plan(root=ROOT), {"digits"})


def test_the_command_names_what_is_left_out_and_writes_the_overlay(nowhere, tmp_path, capsys):
    settings = [f"run=tmp_{tmp_path.name}"]
    target = ROOT / "results" / f"tmp_{tmp_path.name}" / "data_sets.yaml"
    try:
        assert main(["fetch", "--configfile", str(PAPER), "--config", *settings]) == 0
        overlay = yaml.safe_load(target.read_text(encoding="utf-8"))
    finally:
        target.unlink(missing_ok=True)
        target.parent.rmdir()
    assert overlay["experiments"]["real_data"] == {"datasets": ["digits"]}
    assert "fashion_mnist is left out. " in capsys.readouterr().out
