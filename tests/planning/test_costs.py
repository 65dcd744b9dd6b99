"""The ends of logs become costs, and costs a forecast that grows with the runs."""

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from stagewise.cli import main
from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan
from stagewise.planning.costs import (
    COLUMNS,
    Estimate,
    duration,
    elapsed,
    estimates,
    job_of,
    jobs_to_do,
    known_costs,
    measured_costs,
)
from stagewise.planning.experiments import expand
from stagewise.release.reviewing import claim_seconds, claims_text, estimate_text


@pytest.fixture
def plan(default_config):
    return make_plan(default_config)


def record(plan, root, path, seconds, memory=100):
    """The log of a job that has ended."""
    log = root / plan.logs / path
    log.parent.mkdir(parents=True, exist_ok=True)
    cost = f"CPU {seconds:.2f} s, steps of training 0.00 s, memory {memory} MB\n"
    log.write_text(f"what it said\n{cost}", encoding="utf-8")


def shards(plan, name):
    return [Path(f"simulate/{name}/{index}.log") for index in range(len(plan.shards(name)))]


def every_job(plan):
    """Logs of moments, trainings and statistics, as the rules name them."""
    experiments = [name for name, each in plan.config.experiments.items() if not each.plateaus]
    yield from (path for name in experiments for path in shards(plan, name))
    yield from (Path(f"statistics/{name}.log") for name in experiments)
    yield from (Path(f"moments/{name}.log") for name in plan.config.datasets)


def test_the_runs_of_the_shards_are_those_of_the_experiment(plan):
    jobs = [job_of(plan, path) for path in shards(plan, "mode_order")]
    experiment = plan.config.experiments["mode_order"]
    assert {job.step for job in jobs} == {"simulate/mode_order"}
    assert sum(job.runs for job in jobs) == len(expand("mode_order", experiment))
    assert max(job.runs for job in jobs) <= experiment.runs_per_shard
    statistics = job_of(plan, Path("statistics/mode_order.log"))
    assert statistics.runs == sum(job.runs for job in jobs)


def test_costs_are_summed_over_the_shards_of_a_step(plan, tmp_path):
    first, second = shards(plan, "mode_order")[:2]
    record(plan, tmp_path, first, 3.5, memory=200)
    record(plan, tmp_path, second, 2.0)
    (row,) = measured_costs(plan, tmp_path).to_dict("records")
    assert row == {
        "step": "simulate/mode_order",
        "jobs": 2,
        "runs": sum(job_of(plan, path).runs for path in (first, second)),
        "seconds": 5.5,
        "memory_mb": 200.0,
        "megabytes": 0.0,
    }


def test_costs_of_another_run_do_not_count(plan, tmp_path):
    record(plan, tmp_path, Path("smoke/moments/digits.log"), 9.0)
    assert measured_costs(plan, tmp_path).empty


def test_a_job_that_did_not_end_does_not_count(plan, tmp_path):
    record(plan, tmp_path, Path("moments/digits.log"), 9.0)
    failed = tmp_path / plan.logs / "moments/wine.log"
    failed.write_text("Traceback (most recent call last):\n", encoding="utf-8")
    assert list(measured_costs(plan, tmp_path)["step"]) == ["moments/digits"]


def test_what_was_measured_here_comes_before_the_reference(plan, tmp_path):
    reference = tmp_path / "reference"
    reference.mkdir()
    rows = [("moments/digits", 1, 0, 9.0, 1.0, 1.0), ("page", 1, 0, 2.0, 1.0, 1.0)]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(reference / "costs.csv", index=False)
    record(plan, tmp_path, Path("moments/digits.log"), 1.0)
    known = known_costs([plan], reference, tmp_path).set_index("step")["seconds"]
    assert dict(known) == {"moments/digits": 1.0, "page": 2.0}


def known_of(plan, root):
    for path in every_job(plan):
        runs = job_of(plan, path).runs
        record(plan, root, path, 0.01 * runs if runs else 1.0)
    return measured_costs(plan, root)


def test_an_estimate_grows_with_the_runs(plan, default_config, tmp_path):
    known = known_of(plan, tmp_path)
    default_config["experiments"]["step_size"]["replicates"] *= 10
    large = make_plan(default_config)
    jobs = [
        job_of(large, path) for path in (*shards(large, "step_size"), Path("moments/digits.log"))
    ]
    training, moments = estimates(jobs, known)
    runs = 10 * len(expand("step_size", plan.config.experiments["step_size"]))
    assert training.seconds == pytest.approx(0.01 * runs)
    assert training.jobs == len(large.shards("step_size"))
    assert training.longest <= 0.01 * large.config.experiments["step_size"].runs_per_shard
    assert moments.seconds == pytest.approx(1.0)
    assert not training.guessed


def test_a_step_that_was_never_run_is_guessed_from_similar_ones(plan, default_config, tmp_path):
    known = known_of(plan, tmp_path)
    default_config["experiments"]["own"] = default_config["experiments"]["closed_form"]
    changed = make_plan(default_config)
    (own,) = estimates([job_of(changed, path) for path in shards(changed, "own")], known)
    assert own.guessed
    assert own.seconds == pytest.approx(
        0.01 * len(expand("closed_form", plan.config.experiments["closed_form"]))
    )
    assert "? this step was never run" in estimate_text([own], 2)


def test_nothing_known_is_a_sentence(plan, tmp_path):
    with pytest.raises(StagewiseError, match="make smoke"):
        estimates([], measured_costs(plan, tmp_path))


def test_no_number_of_cores_is_faster_than_the_longest_job():
    forecasts = [
        Estimate("a", 4, seconds, longest, 1.0, 1.0, False)
        for seconds, longest in ((8.0, 2.0), (5.0, 5.0))
    ]
    assert elapsed(forecasts, 2) == pytest.approx(6.5)
    assert elapsed(forecasts, 100) == pytest.approx(5.0)
    assert elapsed([], 2) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (89, "89 s"),
        (95, "1 min 35 s"),
        (5400, "1 h 30 min"),
        (400000, "111 h 06 min"),
    ],
)
def test_durations_are_said_as_a_person_does(seconds, text):
    assert duration(seconds) == text


def test_a_claim_costs_what_its_experiments_cost(plan, tmp_path):
    claim = plan.claims["gidel_order"]
    for path in (*shards(plan, "mode_order"), Path("moments/pairs.log")):
        record(plan, tmp_path, path, 3.0)
    assert claim_seconds(plan, claim, measured_costs(plan, tmp_path)) is None
    record(plan, tmp_path, Path("moments/pairs_equal_lam.log"), 3.0)
    count = len(shards(plan, "mode_order")) + 2
    assert claim_seconds(plan, claim, measured_costs(plan, tmp_path)) == 3.0 * count


def test_the_list_of_claims_has_a_line_for_each(plan, tmp_path):
    lines = claims_text(plan, measured_costs(plan, tmp_path), tmp_path).splitlines()
    listed = lines[1 : 1 + len(plan.claims)]
    assert [line.split("  ")[1].strip() for line in listed] == list(plan.claims)
    assert all(line.startswith("not built") for line in listed)


def test_an_overlay_of_comments_alone_is_not_handed_to_snakemake(plan, tmp_path, monkeypatch):
    silent, telling = tmp_path / "silent.yaml", tmp_path / "telling.yaml"
    silent.write_text("# only: a comment\n", encoding="utf-8")
    telling.write_text("notice: hello\n", encoding="utf-8")
    commands = []

    def run(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    jobs_to_do(plan, [silent])
    jobs_to_do(plan, [silent, telling])
    assert "--configfile" not in commands[0]
    assert commands[1][-1] == str(telling)
    assert str(silent) not in commands[1]


def test_the_commands_print_and_refuse(monkeypatch, tmp_path, capsys):
    assert main(["claims"]) == 0
    assert "first one after another" not in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert main(["estimate"]) == 2
    assert "config.yaml is not in" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["estimate", "--cores", "0"])
    assert "must be a whole number" in capsys.readouterr().err
