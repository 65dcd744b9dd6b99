"""A clone works in any folder, with its environment inside, as make puts it there."""

import os
import subprocess
import sys
import sysconfig

import pytest

from .working_copy import RESULTS, copy_repository


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
