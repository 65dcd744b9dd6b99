"""Whatever is wrong with the data or the options is said in a sentence, with exit code 2."""

import numpy as np
import pandas as pd
import pytest

CITY = ("--drop", "city")


def assert_said(answer, *parts):
    code, printed, said = answer
    assert (code, printed) == (2, "")
    assert "Traceback" not in said
    for part in parts:
        assert part in said


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ("nowhere.csv", ["nowhere.csv does not exist"]),
        ("table.xlsx", ["workbook", "save its sheet as .csv"]),
        ("https://a.b/c.csv", ["download the file"]),
        ("", ["digits", ".npz"]),
        ("digit", ["digits", ".npz", ".csv", ".parquet"]),
    ],
)
def test_no_such_data(data, parts, command):
    assert_said(command("--data", data, "--targets", "a"), *parts)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_that_is_no_table(ending, tmp_path, command):
    path = tmp_path / f"bad.{ending}"
    path.write_bytes(b'"\x00' if ending == "csv" else b"PAR1")
    assert_said(command("--data", path, "--targets", "a"), "bad")


def test_an_empty_file(tmp_path, command):
    (tmp_path / "empty.csv").touch()
    answer = command("--data", tmp_path / "empty.csv", "--targets", "a")
    assert_said(answer, "empty.csv is empty")


def test_lines_of_different_length(tmp_path, command):
    (tmp_path / "ragged.csv").write_text("a,b,c\n1,2,3\n4,5\n")
    answer = command("--data", tmp_path / "ragged.csv", "--targets", "a")
    assert_said(answer, "Expected 3 columns, got 2")


def test_semicolons_between_columns(frame, tmp_path, command):
    frame.to_csv(tmp_path / "table.csv", sep=";", index=False)
    code, printed, _ = command("--data", tmp_path / "table.csv", "--targets", "price", *CITY)
    assert code == 0
    assert "columns are separated by semicolons" in printed


def test_no_targets(frame, saved, command):
    assert_said(command("--data", saved(frame)), "--targets A,B", "--label COLUMN", "price")


def test_unknown_columns_and_what_was_meant(frame, saved, command):
    answer = command("--data", saved(frame), "--targets", "prise,volume", "--drop", "town")
    assert_said(answer, "no column named 'prise'", "Did you mean 'price'?")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--targets", "price,price"], ["'price' is named twice"]),
        (["--targets", "price,"], ["no column named ''"]),
        (["--targets", "price", "--drop", "price"], ["both predicted and dropped"]),
        (["--targets", "price", "--drop", "a,b,c,d,e,volume,city"], ["left as an input"]),
        (["--targets", "city"], ["not numbers: 'city'", "holds 'Oslo' in row", "--label city"]),
        (["--targets", "price"], ["not numbers: 'city'", "--drop city"]),
        (["--label", "price", "--drop", "city"], ["too many for classes", "--targets price"]),
    ],
)
def test_columns_that_do_not_fit_their_roles(arguments, parts, frame, saved, command):
    assert_said(command("--data", saved(frame), *arguments), *parts)


def test_the_same_name_twice(tmp_path, command):
    (tmp_path / "table.csv").write_text("a,a,b\n1,2,3\n4,5,6\n")
    answer = command("--data", tmp_path / "table.csv", "--targets", "b")
    assert_said(answer, "more than one column named 'a'", "--no-header")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_missing_values_are_counted(ending, frame, saved, command):
    frame = frame.copy()
    frame.loc[[3, 7], "b"] = np.nan
    frame.loc[80, "d"] = np.inf
    answer = command("--data", saved(frame, ending), "--targets", "price", *CITY)
    assert_said(
        answer, "3 values missing", "the first in column 'b' (row 4)", "with some: 'b', 'd'."
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_missing_class(ending, frame, saved, command):
    frame = frame.copy()
    frame.loc[2, "city"] = None
    answer = command("--data", saved(frame, ending), "--label", "city")
    assert_said(answer, "1 value missing", "column 'city' (row 3)")


def test_text_further_down_in_a_column_of_numbers(frame, saved, command):
    rows = pd.concat([frame] * 200, ignore_index=True)  # more than a block
    rows["a"] = rows["a"].astype(object)
    rows.loc[len(rows) - 1, "a"] = "oops"
    answer = command("--data", saved(rows), "--targets", "price", *CITY)
    assert_said(answer, "in column 'a'", "'oops'")


def test_a_single_class(frame, saved, command):
    answer = command("--data", saved(frame.assign(city="Rome")), "--label", "city")
    assert_said(answer, "single class 'Rome'")


def test_constant_columns(frame, saved, command):
    path = saved(frame.assign(b=4, volume=0.1))
    arguments = ("--data", path, "--targets", "price,volume", *CITY)
    assert_said(command(*arguments), "constant columns", "'b', 'volume'", "--drop-constant")
    code, printed, _ = command(*arguments, "--drop-constant")
    assert code == 0
    assert "4 inputs, 1 number" in printed
    assert "Note: constant columns are left out: 'b', 'volume'." in printed


def test_a_constant_column_is_an_intercept_without_centring(frame, saved, command):
    path = saved(frame.assign(b=1))
    code, printed, _ = command("--data", path, "--targets", "price", *CITY, "--uncentred")
    assert code == 0
    assert "not centred" in printed


def test_everything_constant(frame, saved, command):
    arguments = ("--targets", "price", "--drop", "city,volume", "--drop-constant")
    answer = command("--data", saved(frame.assign(price=1)), *arguments)
    assert_said(answer, "Every output", "constant")


@pytest.mark.parametrize(("rows", "said"), [(0, "0 rows"), (1, "1 row of")])
@pytest.mark.parametrize("columns", [("--targets", "price"), ("--label", "city")])
def test_too_few_rows(rows, said, columns, frame, saved, command):
    drop = CITY if "city" not in columns else ()
    path = saved(frame.head(rows), "parquet")
    assert_said(command("--data", path, *columns, *drop), said, "at least 2")


def test_as_many_inputs_as_rows_is_noted(frame, saved, command):
    code, printed, _ = command("--data", saved(frame.head(5)), "--targets", "price", *CITY)
    assert code == 0
    assert "no more samples (5) than inputs (6)" in printed


def test_no_covariance(saved, command):
    table = pd.DataFrame({"x": [1, 1, -1, -1] * 5, "y": [1, -1, 1, -1] * 5})
    assert_said(command("--data", saved(table), "--targets", "y"), "zero covariance")


def test_arrays_name_no_columns(tmp_path, command):
    np.savez(tmp_path / "data.npz", sigma_x=np.eye(3), sigma_xy=np.ones((3, 1)))
    answer = command("--data", tmp_path / "data.npz", "--targets", "a")
    assert_said(answer, "are about tables")


def test_constant_inputs_of_arrays(tmp_path, command):
    inputs = np.random.default_rng(2).standard_normal((40, 3))
    inputs[:, 1] += 1e7
    inputs[:, 2] = 0.1
    np.savez(tmp_path / "data.npz", X=inputs, y=inputs[:, :1])
    assert_said(command("--data", tmp_path / "data.npz"), "constant columns", "'X[:, 2]'")
    code, printed, _ = command("--data", tmp_path / "data.npz", "--drop-constant")
    assert code == 0
    assert "2 inputs, 1 number" in printed


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--width", "0"], ["width is 0"]),
        (["--delta", "0"], ["delta is 0", "positive"]),
        (["--delta", "nan"], ["delta is nan", "positive"]),
        (["--std", "-1"], ["std is -1", "positive"]),
        (["--std", "0.5"], ["std is 0.5", "below 1/√64 = 0.125"]),
        (["--step-size", "-0.1"], ["step-size is -0.1", "positive"]),
        (["--stages", "0"], ["stages is 0", "from 1 to 9"]),
        (["--stages", "10"], ["stages is 10", "from 1 to 9"]),
        (["--width", "4", "--stages", "5"], ["from 1 to 4"]),
        (["--delta", "200"], ["delta is 200", "--method staged"]),
        (["--check", "--seeds", "0"], ["seeds is 0"]),
        (["--plot", "forecast.svg"], ["forecast.svg", ".png or .pdf"]),
        (["--label", "a"], ["are about tables"]),
    ],
)
def test_settings_that_no_run_has(arguments, parts, command):
    assert_said(command("--data", "digits", *arguments), *parts)


@pytest.mark.parametrize("method", ["integrated", "staged"])
def test_a_step_with_which_descent_diverges_is_not_forecast(method, command):
    answer = command("--data", "digits", "--step-size", "10", "--method", method)
    assert_said(answer, "would itself diverge", "nothing to forecast", "about 2.3")
