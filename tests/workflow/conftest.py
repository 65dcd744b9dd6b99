"""Working copies that the tests share; each is built once, whichever process needs it first."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .working_copy import build, clone, copy_repository, forget_results

Make = Callable[[Path], object]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Make], Path]:
    """Make a folder under a name once for all processes that run these tests."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def folder(name: str, make: Make) -> Path:
        path, finished = root / name, root / f"{name}.finished"
        with _held(root / f"{name}.lock"):
            if not finished.exists():
                assert not path.exists(), f"{name} failed in another process"
                make(path)
                finished.touch()
        return path

    return folder


@contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def baseline(once: Callable[[str, Make], Path]) -> Path:
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
def elsewhere(once: Callable[[str, Make], Path]) -> Path:
    """Another, built on one core in a path with spaces and non-ASCII letters."""
    return once("ein schöner Ort für 数据", lambda path: build(copy_repository(path), cores=1))


@pytest.fixture(scope="session")
def smoke(once: Callable[[str, Make], Path]) -> Path:
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
