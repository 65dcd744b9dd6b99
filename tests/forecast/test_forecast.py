"""What `stagewise forecast` answers."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from stagewise.data import samples
from stagewise.dynamics import gradient_descent
from stagewise.dynamics.first_weights import initial_weights
from stagewise.errors import StagewiseError
from stagewise.forecast import forecast
from stagewise.forecast.check import horizon, train
from stagewise.forecast.command import Progress, answer
from stagewise.forecast.intervals import law_spread, seed_interval
from stagewise.forecast.laws import curvature, integrate, refuse_divergence, stability_bound
from stagewise.forecast.options import Columns, Request
from stagewise.forecast.regression import explained_variance
from stagewise.forecast.report import Report, as_json, as_text
from stagewise.forecast.settings import settle
from stagewise.intake.streamed_moments import of_moments
from stagewise.problems.moments import Moments
from stagewise.problems.problem import Problem
from stagewise.theory import reduced_rank_regression


@pytest.fixture(scope="module")
def digits():
    return Moments.of_block(*samples.digits()).problem(centred=True)


def test_the_bundled_digits_are_those_of_scikit_learn():
    inputs, labels = load_digits(return_X_y=True)
    expected = Moments.of_block(inputs / 16.0, np.eye(10)[labels])
    for field in ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n"):
        np.testing.assert_array_equal(
            getattr(Moments.of_block(*samples.digits()), field), getattr(expected, field)
        )


def test_trained_networks_learn_when_the_forecast_says(digits):
    course = settle(Request("digits", delta=8.0), digits)
    spread = law_spread("integrated", 8.0, course.width, 9)
    measured = train(digits, course, horizon(digits, course, spread), seeds=4)
    ratio = measured.mean(axis=0) / np.array(course.iterations)
    assert np.mean(np.abs(np.log(ratio))) < 0.05


def test_check_shows_what_was_trained(command):
    options = ("--check", "--seeds", "2", "--stages", "2", "--delta", "8")
    code, printed, said = command("--data", "digits", *options, "--json")
    report = Report.from_json(printed)
    assert code == 0
    assert said.startswith("training 2 networks for ")
    for each in report.stages:
        assert each.low < each.measured < each.high
        assert each.measured == pytest.approx(each.iteration, rel=0.2)
    assert "measured/forecast" in as_text(report)


def test_training_that_takes_long_says_how_far_it_is(capsys):
    seconds = iter([0.0, 1.0, 10.0, 11.0, 20.0])
    progress = Progress(4, lambda: next(seconds))
    for trained in range(1, 5):
        progress(trained)
    assert capsys.readouterr().err == "trained 2 of 4 networks, about 10 s left …\n"


def test_json_comes_back_as_the_same_report():
    report = answer(Request("digits", method="staged", stages=3))
    assert Report.from_json(as_json(report)) == report
    assert json.loads(as_json(report))["stages"][0]["measured"] is None


def test_the_table_has_a_line_a_stage(command):
    code, printed, _ = command("--data", "digits", "--stages", "4")
    assert code == 0
    assert "1797 samples, 64 inputs, 10 classes" in printed
    assert "0.5 × the stability bound" in printed
    assert [line.split()[0] for line in printed.splitlines()[-4:]] == ["1", "2", "3", "4"]


def test_one_function_forecasts_with_every_method(digits):
    times = {
        method: forecast(digits, 0.3, 16.0, 10, method)
        for method in ("integrated", "staged", "plain", "reduced_rank")
    }
    for method in ("staged", "plain", "reduced_rank"):
        np.testing.assert_allclose(times[method], times["integrated"], rtol=0.25)
    np.testing.assert_allclose(times["staged"], times["integrated"], rtol=0.06)
    np.testing.assert_allclose(times["plain"], 16 / np.log1p(0.3 * digits.modes.sigma), rtol=1e-12)


def test_fewer_stages_are_the_first_ones(digits):
    three = forecast(digits, 0.3, 16.0, 10, stages=3)
    np.testing.assert_allclose(three, forecast(digits, 0.3, 16.0, 10)[:3], rtol=1e-10)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "newton"}, "integrated, staged"),
        ({"step_size": 10.0}, "diverge"),
        ({"delta": 300.0}, "up to 128"),
        ({"delta": -1.0}, "positive"),
        ({"width": 0}, "width is 0"),
        ({"stages": 12}, "from 1 to 9"),
    ],
)
def test_the_function_refuses_what_no_run_has(change, said, digits):
    settings = {"step_size": 0.3, "delta": 16.0, "width": 10} | change
    with pytest.raises(StagewiseError, match=said):
        forecast(digits, **settings)


def test_the_standard_deviation_is_that_of_the_first_layer(digits):
    std = float(np.exp(-8.0) / np.sqrt(64))
    assert settle(Request("digits", std=std, stages=1), digits).delta == pytest.approx(8.0)


@pytest.mark.parametrize(("factor", "rises"), [(0.5, False), (1.3, True)])
def test_the_loss_falls_steadily_below_the_stability_bound_only(factor, rises, digits):
    bound = settle(Request("digits", delta=8.0), digits).bound
    weights = initial_weights(digits, "gaussian", 2, 10, 8.0, np.random.default_rng(3))
    run = gradient_descent(digits, weights, factor * bound, np.arange(0, 400))
    assert bool((np.diff(run.loss) > 1e-12).any()) is rises


def test_a_step_is_refused_where_commuting_moments_make_descent_diverge():
    lam = 0.8 ** np.arange(6)
    problem = Problem(np.diag(lam), np.diag(lam * [1, 0.8, 0.6, 0.5, 0.4, 0.3]))
    weights = initial_weights(problem, "gaussian", 2, 6, 12.0, np.random.default_rng(1))
    run = gradient_descent(problem, weights, 1.4, np.arange(0, 2000, 20))
    path = curvature(integrate(problem, 1.4, 12.0, 6, 6), 1.4)
    assert run.status == "diverged"
    assert stability_bound(problem, path) == pytest.approx(1.0, rel=0.05)
    with pytest.raises(StagewiseError, match="never settles"):
        refuse_divergence(problem, 1.4, path)


def test_a_step_above_the_bound_is_noted():
    report = answer(Request("digits", step_size=2.8))
    assert "above the stability bound" in report.notes[0]


def test_explained_variance_is_that_of_reduced_rank_regression(digits):
    total = np.trace(digits.sigma_xy.T @ digits.least_squares)
    statistics = of_moments(Moments.of_block(*samples.digits()))
    explained, _ = explained_variance(statistics, centred=True)
    explained = explained * statistics.scale_y[0] ** 2
    for rank in (1, 4, 9):
        gap = digits.least_squares - reduced_rank_regression(digits, rank)
        lost = np.trace(gap.T @ digits.sigma_x @ gap)
        assert explained[rank - 1] == pytest.approx(total - lost, rel=1e-9)


def test_spread_of_the_start_is_seen_in_training(digits):
    course = settle(Request("digits", delta=8.0, stages=3), digits)
    measured = train(digits, course, 400, seeds=24)
    scatter = np.sqrt(law_spread("integrated", 8.0, 10, 3) ** 2 - 0.04**2)
    np.testing.assert_allclose(np.log(measured).std(axis=0), scatter, rtol=0.5)


def test_an_interval_from_seeds_needs_two_of_them():
    runs = np.exp(np.random.default_rng(0).normal(3, 0.1, (4000, 1)))
    low, high = seed_interval(runs)
    assert np.log(high / low) == pytest.approx(2 * 1.645 * 0.1, rel=0.05)
    assert np.isnan(seed_interval(runs[:1])).all()


def test_csv_parquet_and_arrays_give_the_same_forecast(frame, saved, tmp_path):
    inputs, outputs = frame[[*"abcde"]].to_numpy(), frame[["price", "volume"]].to_numpy()
    np.savez(tmp_path / "table.npz", X=inputs, y=outputs)
    columns = Columns(targets=("price", "volume"), drop=("city",))
    reports = [
        answer(Request(str(saved(frame, "csv")), columns)),
        answer(Request(str(saved(frame, "parquet")), columns)),
        answer(Request(str(tmp_path / "table.npz"))),
    ]
    times = [[each.iteration for each in report.stages] for report in reports]
    np.testing.assert_allclose(times[1:], times[:-1], rtol=1e-9)
    assert {report.n for report in reports} == {90}


def test_ready_moments_are_forecast_without_samples(tmp_path):
    np.savez(tmp_path / "m.npz", sigma_x=np.diag([2.0, 1.0]), sigma_xy=np.diag([1.0, 0.5]))
    report = answer(Request(str(tmp_path / "m.npz")))
    assert (report.n, report.explained_variance) == (0, None)
    assert "ready moments" in as_text(report)
    assert [each.explained_share for each in report.stages] == pytest.approx([2 / 3, 1])


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_the_plot_is_the_same_every_time(ending, tmp_path, command):
    path = tmp_path / f"forecast.{ending}"
    options = ("--data", "digits", "--stages", "3", "--method", "staged", "--plot", path)
    contents = []
    for _ in range(2):
        assert command(*options)[0] == 0
        contents.append(path.read_bytes())
    assert contents[0] == contents[1]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_digits_need_none_of_the_slow_imports():
    program = (
        "import sys\n"
        "from stagewise.cli import main\n"
        "main(['forecast', '--data', 'digits', '--stages', '1'])\n"
        "slow = {'sklearn', 'pandas', 'matplotlib', 'pydantic', 'pyarrow'}\n"
        "print(sorted(slow & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_numbers_in_the_answer_are_plain():
    report = answer(Request("digits", stages=1))
    assert math.isclose(report.step_size * 2, report.stability_bound)
    assert isinstance(report.stages[0].iteration, float)
