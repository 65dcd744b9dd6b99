"""Benchmark files become costs, and costs a forecast that grows with the runs."""

import pandas as pd
import pytest

from stagewise.cli import main
from stagewise.errors import StagewiseError
from stagewise.planning.checking import make_plan
from stagewise.planning.costs import (
    COLUMNS,
    Forecast,
    elapsed,
    forecast_costs,
    jobs_of,
    known_costs,
    measured_costs,
)
from stagewise.planning.experiments import expand
from stagewise.release.reviewing import claim_seconds, claims_text, duration, estimate_text

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def plan(default_config):
    return make_plan(default_config)


def record(root, job, seconds, memory="100.0", cpu="-", size=1000):
    """A job's benchmark file and outputs, as a run leaves them."""
    benchmark = root / job.benchmark
    benchmark.parent.mkdir(parents=True, exist_ok=True)
    row = f"{seconds}\t0:00:01\t{memory}\t0\t0\t0\t0\t0\t0\t{cpu}\n"
    benchmark.write_text(HEADER + row, encoding="utf-8")
    for path in job.outputs:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x" * size)


def jobs_by_step(plan):
    steps = {}
    for job in jobs_of(plan):
        steps.setdefault(job.step, []).append(job)
    return steps


def test_the_jobs_make_every_file_of_the_plan_once(plan):
    made = [path for job in jobs_of(plan) for path in job.outputs]
    assert len(made) == len(set(made))
    from_one_job = {"claims.json", "verdicts.txt", "macros.tex", "provenance.json"}
    wanted = {*plan.figure_files(), *plan.table_files(), *plan.intermediate_files()}
    wanted = {path for path in wanted if path.rpartition("/")[2] not in from_one_job}
    assert wanted <= set(made)


def test_the_runs_of_the_shards_are_those_of_the_experiment(plan):
    steps = jobs_by_step(plan)
    shards = steps["simulate/mode_order"]
    experiment = plan.config.experiments["mode_order"]
    assert sum(job.runs for job in shards) == len(expand("mode_order", experiment))
    assert max(job.runs for job in shards) <= experiment.runs_per_shard
    assert [job.runs for job in steps["statistics/mode_order"]] == [sum(job.runs for job in shards)]


def test_costs_are_summed_over_the_shards_of_a_step(plan, tmp_path):
    first, second = jobs_by_step(plan)["simulate/mode_order"][:2]
    record(tmp_path, first, 4.0, memory="200.0", cpu="3.5")
    record(tmp_path, second, 2.0, memory="-")
    (row,) = measured_costs(plan, tmp_path).to_dict("records")
    assert row == {
        "step": "simulate/mode_order",
        "jobs": 2,
        "runs": first.runs + second.runs,
        "seconds": 6.0,
        "cpu_seconds": 5.5,
        "memory_mb": 200.0,
        "megabytes": 0.002,
    }


def test_a_job_whose_output_is_gone_has_no_cost(plan, tmp_path):
    (job,) = jobs_by_step(plan)["moments/digits"]
    record(tmp_path, job, 1.0)
    (tmp_path / job.outputs[0]).unlink()
    assert measured_costs(plan, tmp_path).empty


def test_what_was_measured_here_comes_before_the_reference(plan, tmp_path):
    reference = tmp_path / "reference"
    reference.mkdir()
    rows = [("moments/digits", 1, 0, 9.0, 9.0, 1.0, 1.0), ("index", 1, 0, 2.0, 2.0, 1.0, 1.0)]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(reference / "costs.csv", index=False)
    (job,) = jobs_by_step(plan)["moments/digits"]
    record(tmp_path, job, 1.0)
    known = known_costs([plan], reference, tmp_path).set_index("step")["seconds"]
    assert dict(known) == {"moments/digits": 1.0, "index": 2.0}


def test_a_forecast_grows_with_the_runs_and_leaves_out_what_is_built(
    plan, default_config, tmp_path
):
    for job in jobs_of(plan):
        record(tmp_path, job, 0.01 * job.runs if job.runs else 1.0)
    known = measured_costs(plan, tmp_path)
    assert forecast_costs(plan, known, tmp_path) == []

    default_config["run"] = "large"
    default_config["experiments"]["step_size"]["replicates"] *= 10
    large = make_plan(default_config)
    forecasts = {each.step: each for each in forecast_costs(large, known, tmp_path)}
    assert set(forecasts) == {job.step for job in jobs_of(large)}
    runs = 10 * len(expand("step_size", plan.config.experiments["step_size"]))
    assert forecasts["simulate/step_size"].seconds == pytest.approx(0.01 * runs)
    assert forecasts["simulate/step_size"].jobs == len(large.shards("step_size"))
    assert forecasts["simulate/step_size"].longest <= 0.01 * 500
    assert forecasts["moments/digits"].seconds == pytest.approx(1.0)
    assert not any(each.guessed for each in forecasts.values())


def test_a_step_that_was_never_run_is_guessed_from_similar_ones(plan, default_config, tmp_path):
    for job in jobs_of(plan):
        record(tmp_path, job, 0.01 * job.runs if job.runs else 1.0)
    known = measured_costs(plan, tmp_path)
    default_config["experiments"]["own"] = default_config["experiments"]["closed_form"]
    forecasts = forecast_costs(make_plan(default_config), known, tmp_path)
    assert [each.step for each in forecasts] == ["simulate/own", "statistics/own"]
    assert all(each.guessed for each in forecasts)
    own, _ = forecasts
    assert own.seconds == pytest.approx(
        0.01 * len(expand("closed_form", plan.config.experiments["closed_form"]))
    )
    assert "? this step was never run" in estimate_text(forecasts, 2)


def test_nothing_known_is_a_sentence(plan, tmp_path):
    with pytest.raises(StagewiseError, match="make smoke"):
        forecast_costs(plan, measured_costs(plan, tmp_path), tmp_path)


def test_no_number_of_cores_is_faster_than_the_longest_job():
    forecasts = [
        Forecast("a", 4, seconds, longest, 1.0, 1.0, False)
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
    steps = jobs_by_step(plan)
    for job in (*steps["simulate/mode_order"], *steps["moments/pairs"]):
        record(tmp_path, job, 3.0)
    assert claim_seconds(plan, claim, measured_costs(plan, tmp_path)) is None
    record(tmp_path, steps["moments/pairs_equal_lam"][0], 3.0)
    shards = len(steps["simulate/mode_order"])
    assert claim_seconds(plan, claim, measured_costs(plan, tmp_path)) == 3.0 * (shards + 2)


def test_the_list_of_claims_has_a_line_for_each(plan, tmp_path):
    lines = claims_text(plan, measured_costs(plan, tmp_path), tmp_path).splitlines()
    listed = lines[1 : 1 + len(plan.claims)]
    assert [line.split("  ")[1].strip() for line in listed] == list(plan.claims)
    assert all(line.startswith("not built") for line in listed)


def test_the_commands_print_and_refuse(monkeypatch, tmp_path, capsys):
    assert main(["claims"]) == 0
    assert "first one after another" not in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert main(["estimate"]) == 2
    assert "config.yaml cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["estimate", "--cores", "0"])
    assert "must be a whole number" in capsys.readouterr().err
