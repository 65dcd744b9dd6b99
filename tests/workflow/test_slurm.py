"""The tiny run through Slurm gives the results of the local one, where a Slurm answers."""

import importlib.util
import shutil
import subprocess

import pytest

from .working_copy import build, fingerprints


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


pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
        reason="the plugin snakemake-executor-plugin-slurm is not installed",
    ),
    pytest.mark.skipif(not slurm_answers(), reason="no Slurm answers"),
]


def test_a_run_through_slurm_gives_the_same_results(unbuilt, baseline):
    outcome = build(
        unbuilt,
        *("--profile", "profiles/slurm", "--slurm-no-account"),
        *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5"),
        cores=1,
    )
    assert "has been submitted with SLURM jobid" in outcome.output
    assert fingerprints(unbuilt) == fingerprints(baseline)
