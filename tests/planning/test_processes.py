"""Locks that a killed run left are cleared only by who can know that they are stale."""

import errno
import fcntl

import pytest

from stagewise.planning.processes import clear_stale_lock


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
