"""Tables are streamed into the moments that their rows have in memory."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stagewise.intake.columns import Columns
from stagewise.intake.intake import take_in
from stagewise.intake.outputs import encoding
from stagewise.intake.table_samples import table_samples
from stagewise.intake.tables import Table
from stagewise.problems.moments import Moments

TARGETS = Columns(targets=("price", "volume"), drop=("city",))
LABEL = Columns(label="city", drop=("price", "volume"))
SMALL = 1 << 11
"""Bytes of a block, so that a table of this size takes several."""

FIELDS = ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n")


def extract(table, columns):
    return take_in(table_samples(table, columns), droppable=True)


def assert_same_moments(found, expected):
    found = found.statistics.moments()
    for field in FIELDS:
        np.testing.assert_allclose(
            getattr(found, field), getattr(expected, field), rtol=1e-12, atol=1e-14
        )


def one_hot(column):
    return pd.get_dummies(column).to_numpy(dtype=np.float64)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_targets_have_the_moments_of_the_table_in_memory(ending, frame, saved):
    table = Table.open(saved(frame, ending), SMALL)
    found = extract(table, TARGETS)
    inputs, outputs = frame[[*"abcde"]].to_numpy(), frame[["price", "volume"]].to_numpy()
    assert_same_moments(found, Moments.of_block(inputs, outputs))
    assert found.outputs == ("price", "volume")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_label_is_one_output_a_class(ending, frame, saved):
    found = extract(Table.open(saved(frame, ending), SMALL), LABEL)
    expected = Moments.of_block(frame[[*"abcde"]].to_numpy(), one_hot(frame["city"]))
    assert_same_moments(found, expected)
    assert found.outputs == ("city = Oslo", "city = Rome")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_small_table_is_read_in_several_blocks(ending, frame, saved):
    batches = list(Table.open(saved(frame, ending), SMALL).batches(["a", "b", "price"]))
    assert len(batches) > 1
    assert sum(batch.num_rows for batch in batches) == len(frame)


def test_the_order_of_the_targets_is_that_of_the_command_line(frame, saved):
    columns = Columns(targets=("volume", "price"), drop=("city",))
    found = extract(Table.open(saved(frame), SMALL), columns)
    np.testing.assert_allclose(found.statistics.mean_y, frame[["volume", "price"]].mean())


def test_classes_that_are_numbers_are_in_the_order_of_numbers(frame, saved):
    frame = frame.assign(city=np.arange(len(frame)) % 11)
    found = encoding(table_samples(Table.open(saved(frame), SMALL), LABEL))
    assert found.names == tuple(f"city = {number}" for number in range(11))


def test_categories_of_parquet_are_classes(frame, saved):
    frame = frame.assign(city=frame["city"].astype("category"))
    found = extract(Table.open(saved(frame, "parquet"), SMALL), LABEL)
    np.testing.assert_allclose(found.statistics.mean_y, one_hot(frame["city"]).mean(axis=0))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_true_and_false_are_one_and_zero(ending, frame, saved):
    frame = frame.assign(e=frame["a"] > 0)
    found = extract(Table.open(saved(frame, ending), SMALL), TARGETS)
    assert found.statistics.mean_x[4] == pytest.approx(frame["e"].mean())


def test_a_column_of_whole_numbers_may_go_on_with_fractions(frame, saved):
    frame = frame.assign(a=[str(row) if row < 60 else f"{row}.5" for row in range(len(frame))])
    found = extract(Table.open(saved(frame), SMALL), TARGETS)
    assert found.statistics.mean_x[0] == pytest.approx(frame["a"].astype(float).mean())


def test_a_line_longer_than_a_block_is_read(saved):
    wide = pd.DataFrame(np.random.default_rng(1).standard_normal((6, 400)))
    wide.columns = [f"x{place}" for place in range(400)]
    found = extract(Table.open(saved(wide), 256), Columns(targets=("x0",)))
    assert found.statistics.n == 6


def test_centred_moments_keep_precision_far_from_zero(frame, saved):
    moved = frame.assign(a=frame["a"] + 2.0**30, price=frame["price"] - 2.0**31)
    moved = moved.assign(a=moved["a"].round(6), price=moved["price"].round(6))
    near = moved.assign(a=moved["a"] - 2.0**30, price=moved["price"] + 2.0**31)
    found = extract(Table.open(saved(moved), SMALL), TARGETS).statistics.moments().problem(True)
    inputs, outputs = near[[*"abcde"]].to_numpy(), near[["price", "volume"]].to_numpy()
    expected = Moments.of_block(inputs, outputs).problem(True)
    np.testing.assert_allclose(found.sigma_x, expected.sigma_x, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.sigma_xy, expected.sigma_xy, rtol=1e-9, atol=1e-9)


def test_constant_columns_are_found_exactly(frame, saved):
    frame = frame.assign(b=1e9 + 0.1, d=1e9 + 1e-4 * frame["d"], volume=0.1)
    found = extract(Table.open(saved(frame, "parquet"), SMALL), TARGETS)
    assert found.constant_inputs == (1,)
    assert found.constant_outputs == (1,)


def test_a_wholly_missing_column_of_parquet_is_missing_and_not_text(frame, saved, command):
    path = saved(frame, "parquet")
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, "b", pa.nulls(len(table))), path)
    code, _, said = command("--data", path, "--targets", "price", "--drop", "city")
    assert code == 2
    assert "90 values missing" in said
