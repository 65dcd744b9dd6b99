"""The time left follows from what jobs cost before; a failure ends with its log and the remedy."""

import logging

import pandas as pd
import pytest

from stagewise.planning.costs import COLUMNS, seconds_of_rules
from stagewise.planning.progress import SHOWN_LINES, Progress

SECONDS = {"simulate": 10.0, "moments": 2.0}


class Run:
    """A run of Snakemake as its log tells it, on a clock that the test sets."""

    def __init__(self, seconds=SECONDS, cores=1):
        self.lines, self.now = [], 0.0
        self.progress = Progress(lambda: seconds, lambda: cores, self.lines.append, self.clock)

    def clock(self):
        return self.now

    def event(self, event, **fields):
        self.progress.handle(logging.makeLogRecord({"event": event} | fields))

    def job(self, number, rule, done, total):
        self.event("job_info", jobid=number, rule_name=rule)
        self.event("job_finished", job_id=number)
        self.event("progress", done=done, total=total)


def test_costs_of_steps_become_costs_of_rules():
    rows = [
        ("simulate/a", 2, 10, 4.0, 0, 0),
        ("simulate/b", 1, 10, 8.0, 0, 0),
        ("study/closed_form", 1, 0, 3.0, 0, 0),
        ("statistics/a", 1, 20, 5.0, 0, 0),
        ("verdicts", 1, 0, 1.0, 0, 0),
    ]
    assert seconds_of_rules(pd.DataFrame(rows, columns=COLUMNS)) == {
        "simulate": 4.0,
        "study": 3.0,
        "statistics": 5.0,
        "verdicts": 1.0,
    }
    assert seconds_of_rules(pd.DataFrame(columns=COLUMNS)) == {}


@pytest.mark.parametrize(
    ("cores", "text"), [(1, "About 24 s on 1 core,"), (2, "About 12 s on 2 cores,")]
)
def test_a_run_begins_with_a_forecast(cores, text):
    run = Run(cores=cores)
    run.event("run_info", stats={"simulate": 2, "moments": 2, "all": 1, "total": 5})
    assert len(run.lines) == 1
    assert run.lines[0].startswith(text)
    run.event("run_info", stats={"simulate": 2, "moments": 2, "all": 1, "total": 5})
    assert len(run.lines) == 1


def test_the_time_left_weighs_jobs_by_their_cost_at_the_speed_of_this_run():
    run = Run()
    run.event("run_info", stats={"simulate": 2, "moments": 2, "all": 1, "total": 5})
    run.now = 8.0  # twice as slow as before
    run.job(1, "moments", 1, 5)
    run.job(2, "moments", 2, 5)
    assert run.lines[-1] == "17% of the work done, about 40 s left"
    run.now = 28.0
    run.job(3, "simulate", 3, 5)
    assert run.lines[-1] == "58% of the work done, about 20 s left"
    run.now = 48.0
    run.job(4, "simulate", 4, 5)
    assert run.lines[-1].startswith("100% of the work done")
    count = len(run.lines)
    run.job(0, "all", 5, 5)
    assert len(run.lines) == count


def test_without_known_costs_jobs_count_alike():
    run = Run(seconds={})
    run.event("run_info", stats={"simulate": 3, "moments": 1, "total": 4})
    assert run.lines == []
    run.now = 10.0
    run.job(1, "moments", 1, 4)
    assert run.lines == ["25% of the work done, about 30 s left"]


def test_a_process_that_is_told_of_single_jobs_only_is_silent():
    run = Run()
    run.job(1, "moments", 1, 2)
    run.event("job_finished", job_id=99)
    run.event("progress", done=1, total=2)
    assert run.lines == []


def test_a_failed_run_ends_with_the_log_and_the_way_to_resume(tmp_path):
    log = tmp_path / "rule.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)), encoding="utf-8")
    run = Run()
    run.event("job_error", rule_name="simulate", log=[str(log), str(tmp_path / "none.log")])
    assert run.lines == []
    run.progress.explain()
    text = "\n".join(run.lines)
    assert "The rule simulate failed." in text
    assert f"Its log {log} (its last {SHOWN_LINES} lines):" in text
    assert "    line 99" in text
    assert "    line 74\n" not in text
    assert text.endswith("run the same command again: it goes on from here.")
