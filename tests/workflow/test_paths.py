"""A clone works in any folder, with its environment inside, as make puts it there."""

import os
import shutil
import subprocess
import sys
import sysconfig

import pytest

from .working_copy import REPOSITORY, RESULTS, copy_repository


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param("a clone", marks=pytest.mark.release),
        pytest.param("Übung [1]", marks=pytest.mark.release),
        "it's (mine) & $yours;",
    ],
)
def test_jobs_start_where_the_environment_lies_in_a_path_that_a_shell_would_split(folder, tmp_path):
    copy = copy_repository(tmp_path / folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", copy / ".venv"], check=True)
    (site,) = (copy / ".venv").glob("lib/python*/site-packages")
    (site / "installed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    interpreter = copy / ".venv/bin/python"
    done = subprocess.run(
        [interpreter, "-m", "snakemake", "--cores", "1", f"{RESULTS}/moments/digits.npz"],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (copy / RESULTS / "moments/digits.npz").is_file()


def test_an_environment_in_a_folder_with_an_umlaut_works_in_the_locale_c(tmp_path):
    folder = tmp_path / "Übung"
    for name in ("bin", "lib/python3.11/site-packages"):
        (folder / ".venv" / name).mkdir(parents=True)
    installed = folder / ".venv/lib/python3.11/site-packages/__editable__.stagewise-0.1.0.pth"
    stubs = {
        folder / ".venv/bin/python": "true",
        folder / "uv": f'test "$LC_ALL" != C && echo "{folder}/src" > "{installed}"',
    }
    for path, does in stubs.items():
        path.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        path.chmod(0o755)
    for name in ("requirements.lock", "pyproject.toml", ".venv/dependencies"):
        (folder / name).touch()
    shutil.copy(REPOSITORY / "Makefile", folder)
    places = f"{folder}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["make", "install"],
        cwd=folder,
        env=os.environ | {"LC_ALL": "C", "PATH": places},
        check=True,
    )
    assert installed.read_text(encoding="ascii") == "../../../../src\n"
    assert (installed.parent / "../../../../src").resolve() == folder / "src"
