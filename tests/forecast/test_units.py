"""Columns in units far apart: what can be told is right, and what cannot is said."""

import json
import warnings

import numpy as np
import pytest


@pytest.fixture
def asked(command, tmp_path):
    generator = np.random.default_rng(1)
    x = generator.standard_normal((100, 8)) * np.linspace(2, 0.5, 8)
    y = x @ generator.standard_normal((8, 4)) + 0.3 * generator.standard_normal((100, 4))

    def ask(units, *options):
        np.savez(tmp_path / "data.npz", X=x * units, y=y)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return command("--data", tmp_path / "data.npz", "--json", *options)

    return ask


def one(unit, column=0):
    return np.where(np.arange(8) == column, unit, 1.0)


@pytest.mark.parametrize("unit", [1e-160, 1e-12, 1e9, 1e12])
@pytest.mark.parametrize("method", ["integrated", "staged"])
@pytest.mark.parametrize("column", [0, 3])
def test_no_unit_changes_the_shares_and_stages_hidden_by_it_are_counted(
    unit, column, method, asked
):
    plain = json.loads(asked(1.0)[1])
    code, out, err = asked(one(unit, column), "--method", method)
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["explained_variance"] == pytest.approx(plain["explained_variance"], rel=1e-8)
    assert ("1 of 4 stages can be told" in out) == (unit > 1)
    times = [stage["iteration"] for stage in report["stages"]]
    assert len(times) == (1 if unit > 1 else 4)
    assert times == sorted(set(times))


@pytest.mark.parametrize(("unit", "column"), [(10, 3), (30, 0)])
@pytest.mark.parametrize("method", ["integrated", "staged"])
def test_trained_networks_are_in_the_interval_in_whatever_unit(unit, column, method, asked):
    options = ("--method", method, "--width", "3")
    expected = json.loads(asked(one(unit, column), *options)[1])["stages"]
    trained = json.loads(asked(one(unit, column), *options, "--check", "--seeds", "2")[1])["stages"]
    assert len(trained) == 3
    for each, measured in zip(expected, trained, strict=True):
        assert each["low"] < measured["measured"] < each["high"]


def test_stages_that_are_forecast_roughly_are_named(asked):
    report = json.loads(asked(one(100, 0))[1])
    (rough,) = [note for note in report["notes"] if "forecast roughly" in note]
    wide = [str(each["stage"]) for each in report["stages"] if each["high"] > 1.39 * each["low"]]
    assert rough.startswith(f"stages {', '.join(wide)} ")


def test_scales_of_all_columns_at_once_change_nothing_once_they_are_standardised(asked):
    answers = [json.loads(asked(unit, "--standardise")[1])["stages"] for unit in (1.0, 2.0**300)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (1e20, "weights start as large as they end"),
        (1e60, "too far from 1 for floating-point numbers"),
        (1e-100, "too far from 1 for floating-point numbers"),
        (1e200, "Give them in other units"),
    ],
)
def test_units_with_which_nothing_can_be_told(unit, said, asked):
    code, out, err = asked(np.full(8, unit))
    assert (code, out) == (2, "")
    assert said in err


def test_training_without_end_is_not_begun(asked):
    code, out, err = asked(one(1e5), "--check")
    assert (code, out) == (2, "")
    assert "--standardise" in err
