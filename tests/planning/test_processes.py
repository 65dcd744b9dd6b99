"""How scripts are started, and that a killed run's locks are cleared only by who knows them stale."""

import errno
import fcntl
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest

from stagewise.planning import processes
from stagewise.planning.processes import clear_stale_lock, serve_jobs


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / ".snakemake" / "locks" / "0.input.lock"
    path.parent.mkdir(parents=True)
    path.touch()
    return path


def test_a_stale_lock_is_removed(lock, tmp_path):
    clear_stale_lock(tmp_path)
    assert not lock.exists()


def test_where_the_file_system_has_no_locks_everything_stays(lock, tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    clear_stale_lock(tmp_path)
    assert lock.exists()


def test_where_the_folder_cannot_be_made_nothing_happens(tmp_path):
    (tmp_path / ".snakemake").touch()
    clear_stale_lock(tmp_path)
    assert (tmp_path / ".snakemake").is_file()


@pytest.fixture
def interpreter(monkeypatch):
    """What Snakemake starts scripts with."""
    monkeypatch.setattr(sys, "executable", shlex.quote(sys.executable))
    return sys.executable


def test_on_a_cluster_scripts_have_an_interpreter_of_their_own(interpreter):
    serve_jobs(SimpleNamespace(local_exec=False))
    assert sys.executable == interpreter


def test_where_no_server_can_be_made_scripts_have_an_interpreter_of_their_own(
    interpreter, monkeypatch
):
    def refused(_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(processes, "start_server", refused)
    serve_jobs(SimpleNamespace(local_exec=True))
    assert sys.executable == interpreter


@pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux only")
def test_on_this_machine_they_are_forked_by_a_server_that_ends_with_the_run(
    interpreter, monkeypatch, tmp_path
):
    ends = []
    monkeypatch.setattr(processes.atexit, "register", ends.append)
    serve_jobs(SimpleNamespace(local_exec=True))
    script = tmp_path / "a script.py"
    script.write_text("import os; print(os.getppid())", encoding="utf-8")
    command = f"{sys.executable} {shlex.quote(str(script))}"
    parent = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
    (end,) = ends
    assert int(parent) == end.__self__.pid
    end()
    assert end.__self__.returncode == 0
