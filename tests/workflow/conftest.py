"""Working copies that the tests share; each is built once, whichever process needs it first."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .working_copy import build, clone, copy_repository, forget_results

Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def baseline(once: Once) -> Path:
    """A working copy with the tiny configuration, built on two cores. Do not change it.

    How long that took is in seconds.txt.
    """

    def make(path: Path) -> None:
        copy = copy_repository(path)
        started = time.monotonic()
        build(copy)
        seconds = time.monotonic() - started
        (copy / "seconds.txt").write_text(f"{seconds}", encoding="utf-8")

    return once("baseline", make)


@pytest.fixture(scope="session")
def elsewhere(once: Once) -> Path:
    """Another, built on one core in a path with spaces and non-ASCII letters."""
    return once("ein schöner Ort für 数据", lambda path: build(copy_repository(path), cores=1))


@pytest.fixture(scope="session")
def smoke(once: Once) -> Path:
    """A working copy as it is distributed, in which the overlay config/smoke.yaml was built.

    What Snakemake printed is in smoke.txt.
    """

    def make(path: Path) -> None:
        copy = copy_repository(path, config=None)
        outcome = build(copy, "--configfile", "config/smoke.yaml")
        (copy / "smoke.txt").write_text(outcome.output, encoding="utf-8")

    return once("smoke", make)


@pytest.fixture
def built(baseline: Path, tmp_path: Path) -> Path:
    """A working copy of one's own in which everything is built and nothing is left to do."""
    return clone(baseline, tmp_path / "built")


@pytest.fixture
def unbuilt(baseline: Path, tmp_path: Path) -> Path:
    """A working copy of one's own in which nothing is built (but what is compiled stays so)."""
    return forget_results(clone(baseline, tmp_path / "unbuilt"))


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A working copy of one's own as it is distributed, with the default configuration."""
    return copy_repository(tmp_path / "fresh", config=None)
