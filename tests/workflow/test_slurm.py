"""The profile for Slurm: its groups, and that a run gives the local results where a Slurm answers."""

import re
import shutil
import subprocess

import pytest
import yaml

from .working_copy import REPOSITORY, build, clone, fingerprints, forget_results


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


def test_the_profile_gives_every_rule_to_a_job_that_is_worth_submitting():
    profile = yaml.safe_load((REPOSITORY / "profiles/slurm/config.yaml").read_text("utf-8"))
    rules = set(re.findall(r"^use rule job as (\w+) with:", _rules(), re.MULTILINE))
    assert rules == set(profile["groups"])
    assert set(profile["groups"].values()) == set(profile["group-components"])


def _rules() -> str:
    files = [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").glob("*.smk")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


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
