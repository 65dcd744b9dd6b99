"""Kills, full disks, divergence: nothing is lost, nothing half-written passes for a result."""

import os
import random
import signal
import subprocess
import time

from stagewise.store.parquet import read_table

from .working_copy import (
    RESULTS,
    build,
    change_config,
    environment,
    fingerprints,
    forget_results,
    run_snakemake,
    snakemake_command,
)

KILLS = 10 if os.environ.get("STAGEWISE_RELEASE") else 3
"""A release tries ten."""


def _killed(copy, seconds: float, whole_group: bool) -> int | None:
    """Start a run, kill it after some seconds; its process group, None if it had ended before."""
    process = subprocess.Popen(
        snakemake_command(),
        cwd=copy,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.wait(seconds) == 0
        return None
    except subprocess.TimeoutExpired:
        kill = os.killpg if whole_group else os.kill
        kill(process.pid, signal.SIGKILL)
        process.wait()
        return process.pid


def test_a_run_killed_again_and_again_is_resumed_to_the_same_results(unbuilt, baseline):
    started = time.monotonic()
    run_snakemake(unbuilt, "--dry-run")
    beginning = time.monotonic() - started  # until the first job could start
    whole = float((baseline / "seconds.txt").read_text(encoding="utf-8"))
    generator = random.Random("stagewise")
    groups, finished = [], []
    try:
        for kill in range(KILLS):
            # Killed at any moment, but so that the work is not done before the last kill.
            working = generator.uniform(0, 1.6 * max(whole - beginning, 1) / KILLS)
            # Its jobs die with it (the power goes), or live on (only it is out of memory).
            group = _killed(unbuilt, beginning + working, whole_group=kill % 2 == 0)
            finished.append(len(list((unbuilt / RESULTS).rglob("*.*"))))
            if group is None:  # on a machine that has become faster: there is nothing left to kill
                forget_results(unbuilt)
            else:
                groups.append(group)
        build(unbuilt)
    finally:
        for group in groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue
    assert len(groups) > KILLS / 2
    assert max(finished[:-1]) > 0, "every kill came before the first job was done"
    assert fingerprints(unbuilt) == fingerprints(baseline)
    assert run_snakemake(unbuilt).nothing_to_do


def test_a_disk_that_is_full_ends_in_a_sentence_and_leaves_nothing_half_written(unbuilt, baseline):
    limit = 30_000  # bytes a file may have: less than the shard needs
    shard = f"{RESULTS}/trajectories/closed_form/0.parquet"
    assert (baseline / shard).stat().st_size > limit
    outcome = run_snakemake(unbuilt, shard, file_limit=limit)
    assert outcome.returncode != 0
    assert f"{shard} cannot be written: " in outcome.output
    assert "finished results are kept." in outcome.output
    assert "Traceback" not in outcome.output
    left = [path for path in (unbuilt / RESULTS).rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["staircase.npz"]
    assert build(unbuilt, shard).jobs == ["Training shard 0 of closed_form"]
    assert (unbuilt / shard).read_bytes() == (baseline / shard).read_bytes()


def test_runs_that_diverge_are_a_result_and_not_a_crash(unbuilt):
    change_config(
        unbuilt,
        {
            "experiments": {
                "closed_form": {"step_size": [0.05, 9.0], "extra_iterations": 100},
                "real_data": {"step_size": [0.25, 60.0], "extra_iterations": 100},
            }
        },
    )
    build(unbuilt, "claims", "figures", "tables")
    times = read_table(unbuilt / RESULTS / "learning_times.parquet").to_pandas()
    for _, each in times.groupby("experiment", observed=True):
        diverged = each["relative_step_size"] > 1
        assert set(each.loc[diverged & (each["depth"] == 2), "status"]) == {"diverged"}
        assert "diverged" not in set(each.loc[~diverged, "status"])
