"""What jobs cost: measured, as their logs end with it, and estimated for jobs still to do.

A job is known by its log below the run's folder of logs: the rule, then the values of its
wildcards. A step is the jobs of a rule that do the same kind of work: every job is a step of
its own, but for the shards of an experiment, which are one.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stagewise.clock import read_cost
from stagewise.config.files import read_file
from stagewise.errors import StagewiseError
from stagewise.planning.experiments import run_count, shard_count
from stagewise.planning.plan import Plan
from stagewise.store.formats import read_csv

COLUMNS = ("step", "jobs", "runs", "seconds", "memory_mb", "megabytes")
LIST_JOBS = "STAGEWISE_LIST_JOBS"
"""Environment variable: a file to which a dry run writes the log of each of its jobs."""
RULES = (
    *("moments", "simulate", "training", "from_moments", "statistics", "joined", "table"),
    *("study", "verdict", "verdicts", "page"),
)
"""Rules with a script, whose names are the folders of logs."""


@dataclass(frozen=True)
class Job:
    """One job of the workflow.

    step : "simulate/closed_form" for each shard of that experiment. runs : training runs that it
    makes or reads, by which its cost grows; 0 if it does not.
    """

    step: str
    runs: int


def job_of(plan: Plan, log: Path) -> Job:
    """The job that has this path for its log, below the folder of logs."""
    rule, *values = log.with_suffix("").parts
    experiment = plan.config.experiments.get(values[0]) if values else None
    runs = 0
    if experiment is not None and rule == "statistics":
        runs = run_count(experiment)
    if experiment is not None and rule == "simulate":
        runs = len(range(int(values[1]), run_count(experiment), shard_count(experiment)))
    step = "/".join([rule, *(values[:1] if rule == "simulate" else values)])
    return Job(step, runs)


def jobs_to_do(
    plan: Plan,
    overlays: Sequence[Path] = (),
    root: Path = Path(),
    settings: Sequence[str] = (),
) -> list[Job]:
    """Every job that the next call of Snakemake would run, as Snakemake itself says.

    plan : of config.yaml with overlays and settings; see `read_plan`. Raises StagewiseError if it
    cannot tell.
    """
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--nolock", "--quiet", "all"]
    # Snakemake refuses an overlay of comments alone.
    files = [str(path.absolute()) for path in overlays if read_file(path)[0]]
    command += ["--configfile", *files] if files else []
    command += ["--config", *settings] if settings else []
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "jobs")
        environment = os.environ | {LIST_JOBS: str(listed)}
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = f"{done.stderr}{done.stdout}".strip()  # a dry run says errors on either
            raise StagewiseError(f"Snakemake cannot plan this run:\n{said}")
        logs = listed.read_text(encoding="utf-8").split("\n") if listed.is_file() else []
    return [job_of(plan, Path(each).relative_to(plan.logs)) for each in logs if each]


def measured_costs(plan: Plan, root: Path = Path()) -> pd.DataFrame:
    """Cost of each step whose jobs were run here; columns `COLUMNS`, summed over its jobs.

    root : working directory. seconds are of CPU time, which is one thread's; memory_mb is that of the
    largest job, megabytes what is in its folder. A job that failed or was killed does not count.
    """
    rows = []
    logs = root / plan.logs
    for rule in RULES:
        for path in [*sorted((logs / rule).rglob("*.log")), *logs.glob(f"{rule}.log")]:
            cost = read_cost(path.read_text(encoding="utf-8"))
            if cost is not None:
                seconds, _, memory = cost
                job = job_of(plan, path.relative_to(logs))
                size = _size(root / plan.results, path.relative_to(logs)) / 1e6
                rows.append((job.step, 1, job.runs, seconds, memory, size))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    how = {name: "max" if name == "memory_mb" else "sum" for name in COLUMNS[1:]}
    return frame.groupby("step", sort=False).agg(how).reset_index()[list(COLUMNS)]


def _size(results: Path, job: Path) -> int:
    """Bytes of what a job writes where that counts: trajectories."""
    if job.parts[0] != "simulate":
        return 0
    path = results.joinpath("trajectories", *job.parts[1:]).with_suffix(".parquet")
    return path.stat().st_size if path.is_file() else 0


def reference_costs(reference: Path) -> pd.DataFrame:
    """Costs archived with the reference; empty if there are none."""
    path = reference / "costs.csv"
    return read_csv(path) if path.is_file() else pd.DataFrame(columns=COLUMNS)


def known_costs(plans: Sequence[Plan], reference: Path, root: Path = Path()) -> pd.DataFrame:
    """Cost of each step as measured here, by the first run that has it, or else the reference's."""
    known = pd.DataFrame(columns=COLUMNS)
    for costs in (*(measured_costs(plan, root) for plan in plans), reference_costs(reference)):
        new = costs[~costs["step"].isin(known["step"])]
        if len(new):
            known = pd.concat([known, new], ignore_index=True) if len(known) else new
    return known


def seconds_of_rules(costs: pd.DataFrame) -> dict[str, float]:
    """Mean seconds of a job of each rule, from the costs of steps."""
    rules = costs["step"].str.partition("/")[0] if len(costs) else costs["step"]
    sums = costs.groupby(rules)[["seconds", "jobs"]].sum()
    return {str(rule): float(row["seconds"] / row["jobs"]) for rule, row in sums.iterrows()}


@dataclass(frozen=True)
class Estimate:
    """What a step will cost: jobs still to do, seconds of one core, size of outputs, memory.

    guessed : no job of this step is known, so that the mean of similar ones stands in.
    """

    step: str
    jobs: int
    seconds: float
    longest: float
    megabytes: float
    memory_mb: float
    guessed: bool


def estimates(jobs: Iterable[Job], known: pd.DataFrame) -> list[Estimate]:
    """An estimate for every step of these jobs.

    Costs grow in proportion to the training runs where a step has any, and are those of the known
    job otherwise; horizons, sizes and depths are taken to be like those of the known run. Raises
    StagewiseError when nothing is known.
    """
    if known.empty:
        raise StagewiseError(
            "No cost is known: no run was made here, and reference/costs.csv is not there. Make a "
            "small run first: make smoke."
        )
    waiting: dict[str, list[Job]] = {}
    for job in jobs:
        waiting.setdefault(job.step, []).append(job)
    return [_estimate(step, some, known) for step, some in waiting.items()]


def _estimate(step: str, jobs: list[Job], known: pd.DataFrame) -> Estimate:
    same = known[known["step"] == step]
    rule = step.partition("/")[0]
    per_run = jobs[0].runs > 0
    like = known[known["step"].str.partition("/")[0] == rule]
    if like.empty:
        like = known[known["runs"] == 0]
    rows = same if len(same) else like
    units = float(rows["runs" if per_run else "jobs"].sum()) or 1.0
    seconds, megabytes = (float(rows[name].sum()) / units for name in ("seconds", "megabytes"))
    sizes = [job.runs if per_run else 1 for job in jobs]
    return Estimate(
        step=step,
        jobs=len(jobs),
        seconds=seconds * sum(sizes),
        longest=seconds * max(sizes),
        megabytes=megabytes * sum(sizes),
        memory_mb=float(rows["memory_mb"].max()) if len(rows) else 0.0,
        guessed=not len(same),
    )


def elapsed(estimated: Iterable[Estimate], cores: int) -> float:
    """Seconds on so many cores: the work shared out, but no less than the longest job."""
    each = list(estimated)
    longest = max((one.longest for one in each), default=0.0)
    return max(sum(one.seconds for one in each) / cores, longest)


def duration(seconds: float) -> str:
    """Seconds as a person says it."""
    whole = max(round(seconds), 1)
    if whole < 90:
        return f"{whole} s"
    if whole < 90 * 60:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
