"""The same results on any number of cores, in shards of any size, anywhere, after any accident."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stagewise.planning.plan import AGGREGATES, tables

from .working_copy import (
    FIGURES,
    REPOSITORY,
    RESULTS,
    build,
    change_config,
    environment,
    fingerprints,
    planned,
    run_snakemake,
    snakemake_command,
)

PATIENCE = 120


def test_everything_that_is_compared_exists(baseline):
    compared = set(fingerprints(baseline))
    written = {
        f"{RESULTS}/tables/{table}.{kind}" for table in tables() for kind in ("csv", "md", "tex")
    }
    figures = {
        f"{FIGURES}/{figure}.{kind}"
        for figure in ("closed_form", "joint_decomposition", "real_data")
        for kind in ("pdf", "png")
    }
    aggregates = {f"{RESULTS}/{name}.parquet" for name in AGGREGATES}
    moments = {f"{RESULTS}/moments/{name}.npz" for name in ("staircase", "autoencoder", "digits")}
    verdicts = {f"{RESULTS}/{name}" for name in ("claims.json", "macros.tex", "verdicts.txt")}
    assert compared == written | figures | aggregates | moments | verdicts


def test_one_core_and_two_give_the_same_results(baseline, elsewhere):
    assert fingerprints(elsewhere) == fingerprints(baseline)


def test_a_copy_without_git_in_a_path_with_spaces_and_umlauts_runs_to_the_end(elsewhere):
    assert " " in elsewhere.name
    assert not elsewhere.name.isascii()
    assert not (elsewhere / ".git").exists()
    assert (elsewhere / FIGURES / "index.html").is_file()
    assert run_snakemake(elsewhere).nothing_to_do


def test_another_shard_size_gives_the_same_results(built, baseline):
    for experiment, size in (("closed_form", 4), ("real_data", 3)):
        change_config(built, {"experiments": {experiment: {"runs_per_shard": size}}})
    trained = [job for job in build(built).jobs if job.startswith("Training")]
    assert trained == [
        "Training shard 0 of closed_form",
        "Training shard 0 of real_data",
        "Training shard 1 of closed_form",
        "Training shard 1 of real_data",
        "Training shard 2 of closed_form",
    ]
    assert fingerprints(built) == fingerprints(baseline)


def test_a_second_call_has_nothing_to_do(built):
    before = fingerprints(built)
    second = run_snakemake(built)
    assert second.returncode == 0
    assert second.nothing_to_do
    assert fingerprints(built) == before


def test_a_living_run_keeps_others_out_and_a_killed_one_is_finished_by_the_same_call(
    unbuilt, baseline
):
    with _running(unbuilt) as process:
        _wait_for(lambda: _shards(unbuilt))
        os.killpg(process.pid, signal.SIGSTOP)  # alive, but it gets no further meanwhile
        listed = planned(unbuilt)
        refused = run_snakemake(unbuilt)
    assert "Page" in listed  # a dry run only reads
    assert refused.returncode != 0
    assert "cannot be locked" in refused.output
    assert not refused.jobs

    finished = {path: path.stat().st_mtime_ns for path in _shards(unbuilt)}
    assert 0 < len(finished) < len(_shards(baseline))
    resumed = build(unbuilt)
    assert fingerprints(unbuilt) == fingerprints(baseline)
    # What was finished stays; at most the one job that was running is done again.
    again = [path for path, stamp in finished.items() if path.stat().st_mtime_ns != stamp]
    assert len(again) <= 1
    read = {"closed_form": "staircase", "real_data": "digits"}
    for path in finished:  # whichever experiment came first
        assert f"Moments of the data set {read[path.parent.name]}" not in resumed.jobs


def test_the_lock_of_a_run_that_is_alive_is_kept_though_others_came_before_it(tmp_path):
    lock = tmp_path / ".snakemake" / "locks" / "0.output.lock"
    first, second = _holder(tmp_path), _holder(tmp_path)
    lock.parent.mkdir(parents=True)
    lock.touch()
    first.communicate("")
    third = _holder(tmp_path)
    kept = lock.exists()
    second.communicate("")
    third.communicate("")
    assert kept
    _holder(tmp_path).communicate("")
    assert not lock.exists()


@contextmanager
def _running(copy: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Snakemake on one core in a process group of its own, which is gone afterwards."""
    process = subprocess.Popen(
        snakemake_command(cores=1),
        cwd=copy,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL, "the run ended before it was killed"


def _shards(copy: Path) -> list[Path]:
    return sorted((copy / RESULTS / "trajectories").glob("*/*.parquet"))


def _wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _holder(directory: Path) -> subprocess.Popen[str]:
    """A process that looks for stale locks as a run does when it starts, then lives on."""
    code = (
        "import pathlib, sys; from stagewise.planning.processes import clear_stale_lock; "
        "clear_stale_lock(pathlib.Path(sys.argv[1])); print(flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(directory)],
        env=environment() | {"PYTHONPATH": str(REPOSITORY / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process
