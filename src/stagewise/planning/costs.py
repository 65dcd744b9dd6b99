"""What jobs cost: measured by Snakemake's benchmark files, and forecast for runs not made yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stagewise.errors import StagewiseError
from stagewise.planning.experiments import run_count
from stagewise.planning.plan import AGGREGATES, TABLES, Plan
from stagewise.store.formats import read_csv

COLUMNS = ("step", "jobs", "runs", "seconds", "cpu_seconds", "memory_mb", "megabytes")

PARTS = ("forecasts", "references", "teachers", "plateaus")
"""Aggregates whose part of an experiment has a job of its own."""


@dataclass(frozen=True)
class Job:
    """One job of the workflow.

    step : what it belongs to, "simulate/closed_form" for each shard of that experiment. runs :
    training runs that it makes or reads, by which its cost grows; 0 if it does not. benchmark :
    the file in which Snakemake records its cost. outputs : the files that it makes.
    """

    step: str
    runs: int
    benchmark: str
    outputs: tuple[str, ...]


def jobs_of(plan: Plan) -> list[Job]:
    """Every job of the default target."""
    logs = f"logs/{plan.results}"
    jobs = []
    read = [plan.moments_of(name) for name in plan.config.experiments]
    for path in dict.fromkeys(
        [*plan.assumption_moments(), *(each for one in read for each in one)]
    ):
        step = f"moments/{Path(path).stem}"
        jobs.append(Job(step, 0, f"{logs}/{step}.tsv", (path,)))
    runs = {name: run_count(each) for name, each in plan.config.experiments.items()}
    for name, count in runs.items():
        shards = [] if plan.config.experiments[name].plateaus else plan.shards(name)
        jobs += [
            Job(
                f"simulate/{name}",
                len(range(index, count, len(shards))),
                f"{logs}/simulate/{name}/{index}.tsv",
                (path,),
            )
            for index, path in enumerate(shards)
        ]
    for aggregate in PARTS:
        for path in plan.parts(aggregate):
            step = f"{aggregate}/{Path(path).stem}"
            jobs.append(Job(step, 0, f"{logs}/{step}.tsv", (path,)))
    for path in plan.trained():
        step = f"training/{Path(path).stem}"
        jobs.append(Job(step, 0, f"{logs}/{step}.tsv", (path,)))
    for path in plan.parts("learning_times"):
        name = Path(path).stem
        outputs = (
            path,
            *plan.parts("trajectory_summary", [name]),
            *plan.parts("stages", [name]),
        )
        step = f"statistics/{name}"
        jobs.append(Job(step, runs[name], f"{logs}/{step}.tsv", outputs))
    joined = tuple(plan.aggregates(AGGREGATES).values())
    jobs.append(Job("aggregates", 0, f"{logs}/aggregates.tsv", joined))
    tables = {name: f"{name}_summary" for name in ("learning_times", "stage_counts")}
    for table in TABLES:
        step = tables.get(table, table)
        jobs.append(Job(step, 0, f"{logs}/{step}.tsv", tuple(plan.table_formats(table))))
    for name in plan.studies:
        step = f"studies/{name}"
        files = [f"{plan.figures}/{name}.{kind}" for kind in ("pdf", "png", "json")]
        files.append(plan.study_verdicts(name))
        jobs.append(Job(step, 0, f"{logs}/{step}.tsv", tuple(files)))
    jobs.append(Job("index", 0, f"{logs}/index.tsv", (f"{plan.figures}/index.html",)))
    return jobs


def measured_costs(plan: Plan, root: Path = Path()) -> pd.DataFrame:
    """Cost of each step whose jobs were run here; columns `COLUMNS`, summed over its jobs.

    root : working directory. memory_mb is that of the largest job.
    """
    rows = []
    for job in jobs_of(plan):
        benchmark = root / job.benchmark
        if not benchmark.is_file() or not all((root / path).is_file() for path in job.outputs):
            continue
        record = pd.read_csv(benchmark, sep="\t", na_values=["-"]).iloc[0]
        size = sum((root / path).stat().st_size for path in job.outputs)
        rows.append(
            (job.step, 1, job.runs, record["s"], record["cpu_time"], record["max_rss"], size / 1e6)
        )
    frame = pd.DataFrame(rows, columns=COLUMNS)
    # A job shorter than Snakemake's first look has no memory and no processor time recorded.
    frame["cpu_seconds"] = frame["cpu_seconds"].astype("float64").fillna(frame["seconds"])
    frame["memory_mb"] = frame["memory_mb"].astype("float64").fillna(0.0)
    how = {name: "max" if name == "memory_mb" else "sum" for name in COLUMNS[1:]}
    return frame.groupby("step", sort=False).agg(how).reset_index()[list(COLUMNS)]


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


@dataclass(frozen=True)
class Forecast:
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


def forecast_costs(plan: Plan, known: pd.DataFrame, root: Path = Path()) -> list[Forecast]:
    """A forecast for every step with jobs whose outputs are missing.

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
    for job in jobs_of(plan):
        if not all((root / path).is_file() for path in job.outputs):
            waiting.setdefault(job.step, []).append(job)
    return [_forecast(step, jobs, known) for step, jobs in waiting.items()]


def _forecast(step: str, jobs: list[Job], known: pd.DataFrame) -> Forecast:
    same = known[known["step"] == step]
    stage = step.partition("/")[0] + "/"
    per_run = jobs[0].runs > 0
    like = known[known["step"].str.startswith(stage)]
    if like.empty:
        like = known[known["runs"] == 0]
    rows = same if len(same) else like
    units = float(rows["runs" if per_run else "jobs"].sum()) or 1.0
    seconds, megabytes = (float(rows[name].sum()) / units for name in ("seconds", "megabytes"))
    sizes = [job.runs if per_run else 1 for job in jobs]
    return Forecast(
        step=step,
        jobs=len(jobs),
        seconds=seconds * sum(sizes),
        longest=seconds * max(sizes),
        megabytes=megabytes * sum(sizes),
        memory_mb=float(rows["memory_mb"].max()) if len(rows) else 0.0,
        guessed=not len(same),
    )


def elapsed(forecasts: Iterable[Forecast], cores: int) -> float:
    """Seconds on so many cores: the work shared out, but no less than the longest job."""
    each = list(forecasts)
    longest = max((one.longest for one in each), default=0.0)
    return max(sum(one.seconds for one in each) / cores, longest)
