"""The workflow follows Snakemake's rules of style."""

import subprocess

import yaml

from .working_copy import REPOSITORY, SNAKEMAKE, environment


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


def test_what_the_workflow_catalog_asks_for_is_there():
    text = (REPOSITORY / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8")
    usage = yaml.safe_load(text)["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment"}
    assert usage["software-stack-deployment"]["report"] is True
    assert (REPOSITORY / "config/README.md").is_file()
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme


def test_both_workflow_definitions_list_the_same_targets(fresh):
    listed = [
        subprocess.run(
            [SNAKEMAKE, *choice, "--list"],
            cwd=fresh,
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for choice in ([], ["-s", "workflow/Snakefile"])
    ]
    assert listed[0] == listed[1]
    assert "step_size" in listed[0]
