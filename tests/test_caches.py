"""A home and a package that cannot be written are no obstacle, and nothing is left behind."""

import os
import subprocess
import sys
from pathlib import Path

from stagewise.caches import can_be_written, nearest

ROOT = Path(__file__).resolve().parents[1]
NOWHERE = "/dev/null/home"
"""A folder that nobody can make, root included."""


def said(code, home, temporary):
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("XDG_CACHE_HOME", "NUMBA_CACHE_DIR")
    }
    environment |= {"HOME": str(home), "TMPDIR": str(temporary)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


UNWRITABLE = """
import os
real = os.access
os.access = lambda path, mode: "stagewise" not in str(path) and real(path, mode)
import stagewise
print(os.environ.get("NUMBA_CACHE_DIR", ""))
"""


def test_what_is_compiled_has_a_temporary_place_that_goes_with_the_process(tmp_path):
    folder = said(UNWRITABLE, NOWHERE, tmp_path)
    assert Path(folder).parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_can_be_written_is_used(tmp_path):
    assert said(UNWRITABLE, tmp_path, tmp_path) == ""


def test_a_folder_below_a_file_cannot_be_written(tmp_path):
    assert can_be_written(tmp_path / "new" / "folder")
    assert not can_be_written(Path(NOWHERE))


def test_a_folder_that_may_not_be_entered_cannot_be_written(tmp_path, monkeypatch):
    closed, stat, access = tmp_path / "closed", os.stat, os.access
    closed.mkdir()

    def refuse_below(path, *rest, **more):
        if closed in Path(path).parents:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, *rest, **more)

    # Root may enter every folder, so that the system's own refusal cannot be had in every test run.
    monkeypatch.setattr(os, "stat", refuse_below)
    monkeypatch.setattr(os, "access", lambda path, mode: path != closed and access(path, mode))
    assert nearest(closed / "home" / ".cache") == closed
    assert not can_be_written(closed / "home" / ".cache")


def test_make_gives_snakemake_a_cache_where_the_home_has_none(tmp_path):
    asked = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "--eval"]
    asked += ["show:\n\t@echo $$XDG_CACHE_HOME", "show"]
    for home, cache in ((NOWHERE, f"{tmp_path}/.snakemake/cache"), (str(tmp_path), "")):
        environment = {key: value for key, value in os.environ.items() if key != "XDG_CACHE_HOME"}
        done = subprocess.run(
            asked,
            cwd=tmp_path,
            env=environment | {"HOME": home},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == cache
