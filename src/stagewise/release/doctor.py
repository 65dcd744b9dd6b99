"""Whether this machine can do a run, and what to do where it cannot."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from stagewise.caches import can_be_written, nearest, user_cache
from stagewise.data.datasets import data_directory
from stagewise.data.kinds import downloadable
from stagewise.errors import StagewiseError
from stagewise.planning.plan import Plan
from stagewise.planning.processes import THREAD_VARIABLES
from stagewise.release.reviewing import aligned

OLDEST_PYTHON, TOO_NEW_PYTHON = (3, 11), (3, 14)
JOB_MEGABYTES = 500
"""Memory of the largest job of the default run."""
RUN_MEGABYTES = 500
"""Disk that a run and its logs may take."""


@dataclass(frozen=True)
class Check:
    """One thing that a run needs: "ok", a "note" that a run does not mind, or a "problem"."""

    name: str
    state: Literal["ok", "note", "problem"]
    found: str
    remedy: str = ""


def examine(plan: Plan, root: Path = Path()) -> list[Check]:
    """Everything that a run in this working directory needs."""
    return [
        python(sys.version_info[:2]),
        packages(root / "requirements.lock"),
        cores(available_cores()),
        memory(free_megabytes(), available_cores()),
        disk(shutil.disk_usage(root).free / 1e6),
        threads(threads_of_a_job()),
        cache(user_cache()),
        *data_sets(data_directory(plan.config.data_dir)),
        *write_access([root / name for name in (plan.results, plan.figures, "logs", ".snakemake")]),
    ]


def report(checks: list[Check]) -> str:
    """What `stagewise doctor` prints."""
    # Some errors of libraries have several lines.
    rows = [(each.state, each.name, " ".join(each.found.split())) for each in checks]
    table = aligned(rows).splitlines()
    lines = []
    for line, each in zip(table, checks, strict=True):
        lines += [line, *([f"    → {each.remedy}"] if each.remedy else [])]
    problems = sum(each.state == "problem" for each in checks)
    verdict = "This machine can do a run." if not problems else f"{problems} to mend before a run."
    return "\n".join([*lines, verdict])


def python(found: tuple[int, ...]) -> Check:
    """The interpreter."""
    text = ".".join(map(str, found))
    if OLDEST_PYTHON <= found < TOO_NEW_PYTHON:
        return Check("Python", "ok", text)
    return Check(
        "Python",
        "problem",
        text,
        "Install 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11 install",
    )


def packages(lock: Path) -> Check:
    """Whether the installed versions are those of the lock file, which the reference was made by."""
    if not lock.is_file():
        return Check("packages", "note", "no requirements.lock", "Run this in the repository.")
    locked = re.findall(r"^([\w.-]+)==([^\s;]+) *\\?$", lock.read_text(encoding="utf-8"), re.M)
    odd = [f"{name} {_installed(name)}" for name, wanted in locked if _installed(name) != wanted]
    if not odd:
        return Check("packages", "ok", f"{len(locked)} as in requirements.lock")
    shown = ", ".join(odd[:4]) + (", …" if len(odd) > 4 else "")
    remedy = "make install; other versions may round differently"
    return Check("packages", "note", f"not as in requirements.lock: {shown}", remedy)


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cores(count: int) -> Check:
    """Cores for jobs side by side."""
    if count > 1:
        return Check("cores", "ok", str(count))
    return Check("cores", "note", "1", "Nothing to mend; a run takes twice as long as on two.")


def free_megabytes() -> float:
    """Memory that is free, counting what the system can give back."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
    except OSError:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) / 1e6
    return int(re.findall(r"MemAvailable:\s+(\d+)", text)[0]) * 1024 / 1e6


def memory(free: float, count: int) -> Check:
    """Memory for as many jobs as there are cores."""
    found, jobs = f"{free:.0f} MB free", int(free // JOB_MEGABYTES)
    if jobs >= count:
        return Check("memory", "ok", found)
    if jobs:
        return Check(
            "memory", "note", found, f"Run fewer jobs at once: make reproduce CORES={jobs}"
        )
    return Check("memory", "problem", found, f"Close programs; a job takes {JOB_MEGABYTES} MB.")


def disk(free: float) -> Check:
    """Room for results."""
    if free >= RUN_MEGABYTES:
        return Check("disk", "ok", f"{free:.0f} MB free")
    remedy = (
        f"Free {RUN_MEGABYTES} MB; finished results are kept when a run stops for want of room."
    )
    return Check("disk", "problem", f"{free:.0f} MB free", remedy)


def threads_of_a_job() -> int:
    """Threads that the matrix libraries take in a process as a run starts them."""
    code = (
        "from stagewise.planning.processes import pin_threads; pin_threads(); import numpy, threadpoolctl;"
        "print(max((each['num_threads'] for each in threadpoolctl.threadpool_info()), default=1))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


def threads(count: int) -> Check:
    """One thread a job: more would round differently and crowd each other out."""
    if count == 1:
        return Check("threads", "ok", "1 a job")
    remedy = f"Results may differ in the last digits; set {', '.join(THREAD_VARIABLES[:2])} to 1."
    return Check("threads", "note", f"{count} a job", remedy)


def cache(folder: Path) -> Check:
    """Snakemake keeps a cache among the user's, and does not start without."""
    if can_be_written(folder):
        return Check("cache", "ok", str(folder))
    remedy = "Set XDG_CACHE_HOME to a folder that can be written; make does so by itself."
    return Check("cache", "problem", f"{folder} cannot be written", remedy)


def data_sets(folder: Path) -> Iterator[Check]:
    """Published data sets, which only `make paper` reads: there, whole and the right ones."""
    for name, data in downloadable().items():
        try:
            data.look(folder)
        except StagewiseError as error:
            yield Check(f"data set {name}", "note", str(error), "make paper downloads it.")
        else:
            yield Check(f"data set {name}", "ok", str(folder))


def write_access(folders: list[Path]) -> Iterator[Check]:
    """Whether files can be made where a run makes them."""
    for folder in folders:
        place = nearest(folder)
        probe = place / f".{os.getpid()}.probe"
        try:
            probe.touch()
            probe.unlink()
        except OSError as error:
            remedy = f"chown or chmod {place}, or work in a copy of the repository elsewhere."
            yield Check(f"write to {folder}", "problem", f"{error.strerror}", remedy)
        else:
            yield Check(f"write to {folder}", "ok", "yes")
