"""What a job cost, in words that its log ends with: CPU seconds, those of training's steps, memory."""

import re
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

_COST = re.compile(r"CPU ([\d.]+) s, steps of training ([\d.]+) s, memory ([\d.]+) MB\n")
_stepping = [0.0]


@contextmanager
def stepping() -> Iterator[None]:
    """Count what is done in the block, or in a function that this decorates, as steps of training."""
    start = time.process_time()
    try:
        yield
    finally:
        _stepping[0] += time.process_time() - start


def cost() -> str:
    """What this process has cost by now.

    Snakemake can measure jobs too, but looks twice a second, and misses most of a short one.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return (
        f"CPU {seconds:.2f} s, steps of training {_stepping[0]:.2f} s, memory {megabytes:.0f} MB\n"
    )


def read_cost(log: str) -> tuple[float, float, float] | None:
    """CPU seconds, those of steps, and MB from a log; None if the job has not ended."""
    found = _COST.search(log)
    return None if found is None else (float(found[1]), float(found[2]), float(found[3]))
