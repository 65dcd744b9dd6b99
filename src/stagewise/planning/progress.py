"""What a run says while it lasts: the time left, and at its end why a job failed."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from stagewise.planning.costs import duration

SHOWN_LINES = 25


class JobList(logging.Handler):
    """Listens to Snakemake's log; writes the log of each job to a list."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.INFO)
        self.path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Take one event of Snakemake's."""
        logs = record.__dict__.get("log")
        if getattr(record, "event", None) == "job_info" and logs:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(f"{logs[0]}\n")


def say(line: str) -> None:
    """Print beside what Snakemake prints."""
    print(line, file=sys.stderr, flush=True)


class Progress(logging.Handler):
    """Listens to Snakemake's log; tells the time left after each job, from what jobs cost before.

    costs : gives the mean seconds of a job by rule, asked for when there is work to do. cores :
    gives the number of cores. say : takes each line. clock : gives seconds. It is silent in the
    processes that a cluster starts for single jobs, which are not told what the whole run is.
    """

    def __init__(
        self,
        costs: Callable[[], Mapping[str, float]],
        cores: Callable[[], int],
        say: Callable[[str], None] = say,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(logging.INFO)
        self._costs, self._cores, self._say, self._clock = costs, cores, say, clock
        self._seconds: Mapping[str, float] = {}
        self._rules: dict[int, str] = {}
        self._waiting: Counter[str] = Counter()
        self._known = False
        self._begun = 0.0
        self._whole = 0.0
        self._failed: list[tuple[str, list[str]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take one event of Snakemake's."""
        match getattr(record, "event", None):
            case "run_info" if not self._known:  # a dry run tells it again at its end
                self._begin(record.__dict__["stats"])
            case "job_info":
                self._rules[record.__dict__["jobid"]] = record.__dict__["rule_name"]
            case "job_finished":
                self._waiting[self._rules.get(record.__dict__["job_id"], "")] -= 1
            case "progress" if self._known and record.__dict__["done"] < record.__dict__["total"]:
                self._tell(record.__dict__["done"] / record.__dict__["total"])
            case "job_error":
                self._failed.append((record.__dict__["rule_name"], list(record.__dict__["log"])))

    def _begin(self, stats: Mapping[str, int]) -> None:
        self._known = True
        self._waiting = Counter({rule: each for rule, each in stats.items() if rule != "total"})
        self._seconds = self._costs()
        self._whole, self._begun = self._left(), self._clock()
        if self._seconds and self._whole >= 1:
            cores = self._cores()
            self._say(
                f"About {duration(self._whole / cores)} on {cores} core{'s' * (cores > 1)}, from "
                "what these jobs cost before."
            )

    def _left(self) -> float:
        """Seconds of one core that the jobs not finished yet take."""
        typical = sum(self._seconds.values()) / max(len(self._seconds), 1)
        return sum(
            each * (0.0 if rule == "all" else self._seconds.get(rule, typical))
            for rule, each in self._waiting.items()
        )

    def _tell(self, share_of_jobs: float) -> None:
        done = self._whole - self._left()
        share = done / self._whole if self._seconds and self._whole > 0 else share_of_jobs
        if share > 0:
            left = (self._clock() - self._begun) * (1 - share) / share
            self._say(f"{share:.0%} of the work done, about {duration(left)} left")

    def explain(self) -> None:
        """Say at the end of a failed run which rule failed, what its log says and how to resume."""
        for rule, logs in self._failed:
            self._say(f"\nThe rule {rule} failed.")
            for path in map(Path, logs):
                if path.is_file():
                    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                    cut = "" if len(lines) <= SHOWN_LINES else f" (its last {SHOWN_LINES} lines)"
                    self._say(f"Its log {path}{cut}:")
                    self._say("\n".join(f"    {line}" for line in lines[-SHOWN_LINES:]))
        self._say(
            "\nWhat is finished is kept. When the cause is mended, run the same command again: it "
            "goes on from here."
        )
