"""The smoke run through Slurm gives the results of the local one, where a Slurm answers."""

import shutil
import subprocess

import pytest

from .working_copy import build, clone, fingerprints, forget_results


def slurm_answers() -> bool:
    if shutil.which("sinfo") is None or shutil.which("sbatch") is None:
        return False
    try:
        answer = subprocess.run(
            ["sinfo", "--noheader", "--states=idle,mixed,allocated"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0 and bool(answer.stdout.strip())


@pytest.mark.skipif(not slurm_answers(), reason="no Slurm answers")
def test_a_run_through_slurm_gives_the_same_results(smoke, tmp_path):
    copy = forget_results(clone(smoke, tmp_path / "slurm"))
    outcome = build(
        copy,
        *("--configfile", "config/smoke.yaml", "--profile", "profiles/slurm"),
        *("--slurm-no-account", "--slurm-status-command", "squeue"),
        *("--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"),
        cores=1,
    )
    assert "has been submitted with SLURM jobid" in outcome.output
    assert fingerprints(copy, "smoke") == fingerprints(smoke, "smoke")
