"""The README's commands do what it says, as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from stagewise.config.loading import read_plan

from .working_copy import REPOSITORY, copy_repository

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
USING = (REPOSITORY / "docs/using.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README + USING, re.MULTILINE | re.DOTALL)


NAMED = ("learning_times", "step_size", "real_data")
"""Figures that the README's commands and claims need beside those of the smoke run."""


def small_config(path: Path) -> Path:
    """The default configuration on the grids of the smoke run, under the default run's name.

    Of what that run leaves out, the figures that the README names are there.
    """
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    smoke = yaml.safe_load((REPOSITORY / "config/smoke.yaml").read_text(encoding="utf-8"))
    plan = read_plan(root=REPOSITORY)
    shown = [name for study in NAMED for name in plan.experiments_of(plan.study_reads(study))]
    named = {name: config["experiments"][name] | {"replicates": 2} for name in shown}
    update_config(config, smoke | {"run": ""})
    config["experiments"] |= named
    config["only"] += NAMED
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    target = copy_repository(folder / "copy", small_config(folder / "config.yaml"))
    (target / ".venv").symlink_to(sys.prefix)
    return target


def run(command: str, copy: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(copy / "src")}
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_two_commands_are_those_that_continuous_integration_runs():
    first = next(text for language, text in BLOCKS if language == "bash")
    lines = (REPOSITORY / ".ci/run").read_text(encoding="utf-8").splitlines()
    script = [re.sub(r"^(\w+=\S+ )+", "", line) for line in lines]
    assert first.splitlines() == ["make reproduce", "make test"]
    assert set(first.splitlines()) <= set(script)


@pytest.mark.release
def test_all_other_shell_commands_work_in_their_order(copy):
    blocks = [text for language, text in BLOCKS if language == "bash"][1:]
    assert blocks[0] == "source .venv/bin/activate\n"
    for block in blocks[1:]:
        done = run(f"{blocks[0]}{block}", copy)
        assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    for built in (
        "figures/learning_times.pdf",
        "results/tables/assumption.md",
        "results/claims.json",
        "figures/mine/learning_times.pdf",
        "figures/mydata/real_data.png",
    ):
        assert (copy / built).is_file(), built


def test_the_python_example_prints_measured_and_predicted_learning_times(copy):
    example = next(text for language, text in BLOCKS if language == "python")
    done = subprocess.run(
        [sys.executable, "-c", example],
        env=os.environ | {"PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    measured, predicted = (
        [float(number) for number in re.findall(r"[\d.]+", line)]
        for line in done.stdout.strip().splitlines()
    )
    assert measured == pytest.approx(predicted, rel=0.1)


def test_every_target_of_make_that_the_readme_names_exists():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make (\w+)`", README + USING))
    assert named
    assert named <= set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def test_every_file_that_the_readme_links_to_exists():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert all((REPOSITORY / link).exists() for link in links)
