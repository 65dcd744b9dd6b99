"""Shared by all tests: numerics on one thread, as in a run; the default configuration."""

from pathlib import Path

import pytest
import yaml

from stagewise.planning.processes import pin_threads

pin_threads()

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def default_config():
    """A fresh copy of config.yaml."""
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
