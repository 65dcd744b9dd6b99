"""Kinds of data are found by listing their folder, and a module in it is all that a new one takes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stagewise.data.kind import Data
from stagewise.data.kinds import KINDS, downloadable, find
from stagewise.errors import StagewiseError

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/add-data.md").read_text(encoding="utf-8")
MODULE, USE = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
CONFIGURED = """
from pathlib import Path
from stagewise.config.loading import read_plan
from stagewise.release.generated import config_readme, schema
plan = read_plan([Path("ring.yaml")])
print(plan.config.datasets["circle"].reach)
assert "## Data set of kind `ring`" in config_readme()
assert '"ring"' in schema()
"""


@pytest.fixture(scope="module")
def with_the_example(tmp_path_factory):
    """A copy of the package with the module of the guide, and nothing else changed."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    shutil.copy(ROOT / "config.yaml", folder)
    (folder / "src/stagewise/data/kinds/ring.py").write_text(MODULE, encoding="utf-8")
    return folder


def run(folder, *command):
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_kind_is_added_by_one_module(with_the_example):
    done = run(with_the_example, "-c", USE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "5 (12, 12) (3,)"


def test_the_new_kind_is_used_from_the_config_and_is_documented(with_the_example):
    section = re.search(r"^    (datasets:\n      circle: .*)$", GUIDE, re.MULTILINE)
    assert section
    (with_the_example / "ring.yaml").write_text(section[1], encoding="utf-8")
    done = run(with_the_example, "-c", CONFIGURED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "0.3"


def test_a_mistake_in_the_new_kind_is_a_sentence_like_any_other(with_the_example):
    (with_the_example / "ring.yaml").write_text("datasets: {circle: {kind: ring, reech: 0.3}}")
    done = run(with_the_example, "-m", "stagewise.cli", "estimate", "--configfile", "ring.yaml")
    assert done.returncode == 2
    assert "datasets.circle.reech is not a known key. Did you mean reach?" in done.stderr
    assert "(ring.yaml, line 1)" in done.stderr


def test_two_kinds_of_one_name_are_refused(tmp_path, monkeypatch):
    folder = tmp_path / "twins"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name in "ab":
        (folder / f"{name}.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="two kinds of data named 'ring'"):
        find("twins", [str(folder)])


def test_a_kind_says_what_it_is_and_every_key_what_it_means():
    for kind, each in KINDS.items():
        assert each.__doc__, kind
        undescribed = [
            key
            for key, field in each.model_fields.items()
            if key != "kind" and not field.description
        ]
        assert undescribed == [], kind


def test_importing_the_kinds_loads_nothing_that_only_some_of_them_need():
    slow = ["scipy", "sklearn", "pooch", "pandas", "pyarrow", "PIL", "matplotlib"]
    program = f"import sys, stagewise.data.kinds; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", ["mnist", "fashion_mnist", "cifar10"])
def test_what_can_be_downloaded_is_looked_for_without_downloading(kind, tmp_path, no_network):
    with pytest.raises(StagewiseError, match="is not there"):
        downloadable()[kind].look(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_kinds_without_samples_say_so(tmp_path):
    data: Data = KINDS["power_law"].model_validate({"kind": "power_law"})
    with pytest.raises(StagewiseError, match="Data of kind power_law have moments only"):
        data.read_samples(tmp_path)


@pytest.mark.parametrize("name", ["wine", "cancer_worst", "linnerud"])
def test_moments_of_bundled_data_are_those_of_their_samples(name, tmp_path):
    data = KINDS["bundled"].model_validate({"kind": "bundled", "name": name})
    inputs, outputs = data.read_samples(tmp_path)
    (moments,) = data.moments("any", tmp_path)
    assert moments.n == len(inputs)
    assert abs(moments.sigma_xy - inputs.T @ outputs / len(inputs)).max() < 1e-12
