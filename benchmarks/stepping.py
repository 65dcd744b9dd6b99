"""How much of the default run's CPU time is the stepping of networks, by stage.

    python benchmarks/stepping.py [logs/results]

Reads what Snakemake measured of each job of the last default run, then trains every experiment once
more in this process with a clock around the steps. The rule `training` (training on samples) is a
stage of its own: its steps are not told apart from the rest of it.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from stagewise.config.loading import read_plan
from stagewise.data.npz import read_moments
from stagewise.dynamics.batch import Batch
from stagewise.pipeline import simulate
from stagewise.planning.experiments import expand
from stagewise.planning.plan import Plan


class Clock:
    """CPU seconds spent in a method of a class, whoever calls it."""

    def __init__(self, owner: type, method: str) -> None:
        self.seconds = 0.0
        self._wrapped: Callable[..., Any] = getattr(owner, method)
        setattr(owner, method, lambda *given: self._timed(*given))

    def _timed(self, *given: Any) -> Any:
        start = time.process_time()
        try:
            return self._wrapped(*given)
        finally:
            self.seconds += time.process_time() - start


def measured_jobs(logs: Path) -> pd.DataFrame:
    """Jobs and CPU seconds by rule, from Snakemake's benchmark files."""
    rows = defaultdict(list)
    for path in sorted(logs.rglob("*.tsv")):
        rule = path.relative_to(logs).with_suffix("").parts[0]
        rows[rule].append(float(pd.read_csv(path, sep="\t", na_values="-")["cpu_time"].sum()))
    found = {rule: (len(seconds), sum(seconds)) for rule, seconds in rows.items()}
    return pd.DataFrame.from_dict(found, orient="index", columns=["jobs", "seconds"])


def stepping(plan: Plan) -> tuple[float, float]:
    """CPU seconds of stepping, and of measuring and recording, over all experiments."""
    steps, measuring = Clock(Batch, "advance"), Clock(Batch, "measure")
    for name, experiment in plan.config.experiments.items():
        draws = [read_moments(Path(path)) for path in plan.moments_of(name)]
        datasets = dict(zip(experiment.datasets, draws, strict=True))
        for batch in simulate.prepare(expand(name, experiment), experiment, datasets):
            simulate.train(batch, experiment, experiment.recorded)
    return steps.seconds, measuring.seconds


def main() -> None:
    """Print the table, a line per stage, slowest first."""
    logs = Path(sys.argv[1] if len(sys.argv) > 1 else "logs/results")
    jobs = measured_jobs(logs).sort_values("seconds", ascending=False)
    if jobs.empty:
        print(f"{logs} has no benchmark files. Run the workflow first: snakemake --cores all")
        return
    total = jobs["seconds"].sum()
    with threadpool_limits(1):  # as the jobs of a run
        steps, measuring = stepping(read_plan())
    print("| stage | jobs | CPU, s | share |\n|---|---:|---:|---:|")
    for rule, (count, seconds) in jobs.iterrows():
        print(f"| {rule} | {count:.0f} | {seconds:.1f} | {seconds / total:.0%} |")
    print(f"| all | {jobs['jobs'].sum():.0f} | {total:.1f} | |")
    print(f"| of which stepping | | {steps:.1f} | {steps / total:.0%} |")
    print(f"| of which measuring | | {measuring:.1f} | {measuring / total:.0%} |")
    print(f"\nAll over stepping: {total / steps:.1f}")


if __name__ == "__main__":
    main()
