"""What the Snakefile does before it says anything of rules."""

import atexit
import logging
import os
import sys
from pathlib import Path
from typing import Any

from stagewise.config.loading import places_in
from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan
from stagewise.planning.costs import LIST_JOBS, known_costs, seconds_of_rules
from stagewise.planning.digests import keep_for_next_time
from stagewise.planning.plan import Plan
from stagewise.planning.processes import (
    clear_stale_lock,
    pin_threads,
    quote_interpreter,
    share_package,
)
from stagewise.planning.progress import JobList, Progress


def start(config: dict[str, Any], workflow: Any) -> tuple[Plan, Progress]:
    """The plan of a configuration as Snakemake has merged it, and what tells of its progress.

    Ends the process with a sentence and exit code 2 when the configuration cannot be used.
    """
    pin_threads()
    share_package()
    quote_interpreter()
    clear_stale_lock(Path.cwd())
    try:
        above = [*workflow.overwrite_configfiles]
        files = [Path(each) for each in workflow.configfiles if Path(each) not in above]
        plan = make_plan(config, places_in([*files, *above]))
    except StagewiseError as error:
        print(f"\n{error}\n", file=sys.stderr, flush=True)
        # Snakemake would wrap an exception in its own traceback; nothing has started yet.
        os._exit(2)
    atexit.register(keep_for_next_time)  # most sources are read by what the rules say afterwards
    if any(each.startswith("--report") for each in sys.argv):
        # A rule that had them as parameters would run again for a word.
        config["captions"] = {name: plan.caption(name) for name in plan.studies}
    progress = Progress(
        costs=lambda: seconds_of_rules(known_costs([plan], Path("reference"))),
        cores=lambda: workflow.resource_settings.cores or 1,
    )
    if not workflow.output_settings.quiet:
        logging.getLogger("snakemake").addHandler(progress)
    if LIST_JOBS in os.environ:
        logging.getLogger("snakemake").addHandler(JobList(Path(os.environ[LIST_JOBS])))
    return plan, progress
