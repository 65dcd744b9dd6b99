"""How much of the default run's CPU time is the stepping of networks, by stage.

    python benchmarks/stepping.py

Runs the default run anew, all of it, and adds up what its jobs wrote at the end of their logs.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from stagewise.clock import read_cost

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / "logs" / "results"


def costs(logs: Path, since: float) -> pd.DataFrame:
    """Jobs, CPU seconds and seconds of stepping by stage, and the largest job's memory in MB.

    since : logs written before, perhaps of other runs, do not count.
    """
    rows = []
    for path in sorted(logs.rglob("*.log")):
        found = read_cost(path.read_text(encoding="utf-8"))
        if found is not None and path.stat().st_mtime >= since:
            rows.append((path.relative_to(logs).with_suffix("").parts[0], 1, *found))
    frame = pd.DataFrame(rows, columns=["stage", "jobs", "cpu", "stepping", "memory"])
    how = {"jobs": "sum", "cpu": "sum", "stepping": "sum", "memory": "max"}
    return frame.groupby("stage").agg(how).sort_values("cpu", ascending=False)


def main() -> None:
    """Run, then print the table, a line per stage, slowest first."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    command = [sys.executable, "-m", "snakemake", "--cores", str(os.cpu_count()), "--forceall"]
    since = time.time()
    subprocess.run([*command, "--quiet"], cwd=ROOT, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = used.ru_utime + used.ru_stime
    stages = costs(LOGS, since)
    jobs, steps = stages["cpu"].sum(), stages["stepping"].sum()
    print("| stage | jobs | CPU, s | share | of which stepping, s | largest job, MB |")
    print("|---|---:|---:|---:|---:|---:|")
    for stage, row in stages.iterrows():
        print(
            f"| {stage} | {row['jobs']:.0f} | {row['cpu']:.1f} | {row['cpu'] / total:.0%} "
            f"| {row['stepping']:.1f} | {row['memory']:.0f} |"
        )
    print(f"| Snakemake | | {total - jobs:.1f} | {(total - jobs) / total:.0%} | | |")
    print(f"| all | {stages['jobs'].sum():.0f} | {total:.1f} | | {steps:.1f} | |")
    print(f"\nAll over stepping: {total / steps:.1f}")


if __name__ == "__main__":
    main()
