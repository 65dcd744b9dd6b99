"""Shared by all tests: numerics on one thread, as in a run; the default configuration; small tables."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stagewise.cli import main
from stagewise.planning.processes import pin_threads

pin_threads()

ROOT = Path(__file__).resolve().parents[1]
Make = Callable[[Path], object]


@pytest.fixture(scope="module")
def default_config():
    """A fresh copy of config.yaml."""
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def frame():
    """Five inputs, two targets that are numbers, one column of classes; 90 rows."""
    generator = np.random.default_rng(5)
    inputs = generator.standard_normal((90, 5)) * [3, 2, 1.5, 1, 0.7]
    outputs = inputs @ generator.standard_normal((5, 2)) + generator.standard_normal((90, 2))
    frame = pd.DataFrame(np.hstack([inputs, outputs]), columns=[*"abcde", "price", "volume"])
    return frame.assign(city=np.where(inputs[:, 0] > 1, "Rome", "Oslo"))


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


@pytest.fixture
def saved(tmp_path):
    """Write a frame as a file of a given ending and return its path."""

    def save(frame, ending="csv"):
        path = tmp_path / f"table.{ending}"
        getattr(frame, f"to_{ending}")(path, index=False)
        return path

    return save


@pytest.fixture
def command(capsys):
    """Run `stagewise forecast` with arguments: exit code, standard output, standard error."""

    def run(*arguments):
        code = main(["forecast", *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
