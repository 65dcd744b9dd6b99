"""Moments → trajectories → statistics → studies, tables → one page to read."""

import sys
from pathlib import Path

# The package beside this file is used, whether or not one is installed.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from stagewise.planning.processes import serve_jobs
from stagewise.planning.start import start


configfile: "config.yaml"


plan, progress = start(config, workflow)


onstart:
    serve_jobs(workflow)


onerror:
    progress.explain()


wildcard_constraints:
    **plan.wildcards(),


report: "workflow/report/workflow.rst"


rule all:
    """Everything."""
    input:
        plan.everything(),
    localrule: True


include: "workflow/rules/shared.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/results.smk"


# figures, tables, claims, and every study and claim: snakemake --cores 1 step_size
for name, files in plan.targets().items():

    rule:
        name:
            name
        input:
            files,
        localrule: True
