"""The workflow follows Snakemake's rules of style."""

import subprocess

from .working_copy import SNAKEMAKE, environment


def test_snakemake_finds_no_lint(fresh):
    done = subprocess.run(
        [SNAKEMAKE, "--lint"],
        cwd=fresh,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Congratulations" in done.stdout + done.stderr
