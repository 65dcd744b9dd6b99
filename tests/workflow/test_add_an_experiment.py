"""The guide docs/add-an-experiment.md is followed to the letter, and works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stagewise.studies.common.ledger import read_claims

from .working_copy import REPOSITORY, SNAKEMAKE, environment

GUIDE = (REPOSITORY / "docs/add-an-experiment.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) ?(.*)\n((?:.*\n)*?)^```$", GUIDE, re.MULTILINE)


def insert(path: Path, place: str, text: str) -> None:
    """Put text where the guide says: at the end, or after or before a line."""
    content = path.read_text(encoding="utf-8")
    if place == "at the end":
        path.write_text(f"{content}\n\n{text}", encoding="utf-8")
        return
    found = re.fullmatch(r'(after|before) "(.*)"', place)
    assert found, place
    side, line = found.groups()
    assert content.count(f"\n{line}") == 1, f"{path} has no single line that begins with {line}"
    before, _, after = content.partition(f"\n{line}")
    rest, _, following = after.partition("\n")
    middle = f"{text}\n\n{line}{rest}\n" if side == "before" else f"{line}{rest}\n{text}"
    path.write_text(f"{before}\n{middle}{following}", encoding="utf-8")


def run(command: str, copy: Path) -> None:
    tools = copy / "bin"
    tools.mkdir(exist_ok=True)
    stagewise = tools / "stagewise"
    stagewise.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stagewise.cli "$@"\n')
    stagewise.chmod(0o755)
    path = os.pathsep.join([str(tools), str(SNAKEMAKE.parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euc", command],
        cwd=copy,
        env=environment() | {"PATH": path, "PYTHONPATH": str(copy / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}"


@pytest.fixture
def followed(built):
    """A working copy in which every step of the guide was taken."""
    for language, place, text in BLOCKS:
        name, _, where = place.partition(": ")
        if language == "bash":
            run(text, built)
        elif where:
            insert(built / name, where, text)
        else:
            (built / name).write_text(text, encoding="utf-8")
    return built


def test_the_guide_leads_to_a_figure_and_a_verdict(followed):
    for kind in ("pdf", "png"):
        assert (followed / f"figures/doubling/doubling.{kind}").stat().st_size > 1000
    (verdict,) = read_claims(followed / "results/doubling/verdicts/ours_doubling.json")
    assert verdict.verdict == "supported"
    assert verdict.measured == pytest.approx(2, abs=0.05)
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--ignore", "I001", "src"],
        cwd=followed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_files_that_the_guide_links_to_exist():
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE)
    assert links
    assert all((REPOSITORY / "docs" / link).exists() for link in links)
