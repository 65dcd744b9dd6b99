"""Moments → trajectories → statistics → figures, tables, verdicts → one page to read."""

import logging
import os
import sys
from pathlib import Path

# The package beside this file is used, whether or not one is installed.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from stagewise.planning.costs import known_costs
from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan
from stagewise.planning.plan import AGGREGATES
from stagewise.planning.processes import clear_stale_lock, pin_threads, share_package
from stagewise.planning.progress import Progress, seconds_of_rules

pin_threads()
share_package()
clear_stale_lock(Path.cwd())


configfile: "config.yaml"


try:
    plan = make_plan(config)
except StagewiseError as error:
    print(f"\n{error}\n", file=sys.stderr, flush=True)
    # Snakemake would wrap an exception in its own traceback; nothing has started yet.
    os._exit(2)

# Captions and reports see the configuration with its defaults filled in.
config.update(plan.plain_config)


progress = Progress(
    costs=lambda: seconds_of_rules(known_costs([plan], Path("reference"))),
    cores=lambda: workflow.resource_settings.cores or 1,
)
if not workflow.output_settings.quiet:
    logging.getLogger("snakemake").addHandler(progress)


onerror:
    progress.explain()


wildcard_constraints:
    dataset=r"\w+",
    experiment=r"\w+",
    shard=r"\d+",
    study=r"\w+",
    claim=r"\w+",


report: "workflow/report/workflow.rst"


localrules:
    all,
    figures,
    tables,
    claims,


rule all:
    """Everything: the index page depends on all figures, tables and verdicts."""
    input:
        f"{plan.figures}/index.html",
        plan.figure_files(),
        plan.table_files(),
        # Listed so that one that was deleted is made again, though nothing else is missing.
        plan.intermediate_files(),


rule figures:
    """Every figure, without the page."""
    input:
        plan.figure_files(),


rule tables:
    """Every table."""
    input:
        plan.table_files(),


rule claims:
    """Every verdict."""
    input:
        f"{plan.results}/claims.json",


include: "workflow/rules/data.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/studies.smk"
