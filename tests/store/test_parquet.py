"""Parquet tables: the same bytes for the same data, the same hash whatever the layout."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stagewise.errors import StagewiseError
from stagewise.store.parquet import canonical_hash, read_table, write_table


def table_of_every_kind() -> pa.Table:
    random = np.random.default_rng(0)
    return pa.table(
        {
            "real": pa.array(random.standard_normal(60)),
            "integer": pa.array(random.integers(0, 9, 60)),
            "switch": pa.array(random.random(60) < 0.5),
            "text": pa.array([f"t{each}" for each in random.integers(0, 5, 60)]),
            "short": pa.array(
                [f"s{each}" for each in random.integers(0, 5, 60)]
            ).dictionary_encode(),
            "gaps": pa.array([None if each % 7 == 0 else float(each) for each in range(60)]),
        }
    )


def test_a_table_is_read_as_it_was_written(tmp_path):
    table = table_of_every_kind()
    write_table(table, tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet").equals(table)


def test_metadata_of_columns_is_kept(tmp_path):
    field = pa.field("delta", pa.float64(), metadata={"unit": "iterations"})
    write_table(pa.table([[1.0]], schema=pa.schema([field])), tmp_path / "table.parquet")
    read = read_table(tmp_path / "table.parquet").schema.field("delta")
    assert read.metadata[b"unit"] == b"iterations"


def test_chosen_columns_are_read_alone(tmp_path):
    write_table(table_of_every_kind(), tmp_path / "table.parquet")
    read = read_table(tmp_path / "table.parquet", columns=["real", "short"])
    assert read.column_names == ["real", "short"]


def test_a_table_written_twice_has_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_table(table_of_every_kind(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def layouts() -> dict[str, pa.Table]:
    table = table_of_every_kind()
    encoded = table["text"].combine_chunks().dictionary_encode()
    parts = [table.slice(0, 17), table.slice(17, 1), table.slice(18)]
    own_dictionaries = pa.chunked_array(
        [part["short"].cast(pa.string()).combine_chunks().dictionary_encode() for part in parts]
    )
    return {
        "chunked": pa.concat_tables(parts),
        "with an empty chunk": pa.concat_tables([table, table.slice(0, 0)]),
        "a slice": pa.concat_tables([parts[1], table, parts[1]]).slice(1, 60),
        "more dictionaries": table.set_column(3, "text", encoded),
        "fewer dictionaries": table.set_column(4, "short", table["short"].cast(pa.string())),
        "a dictionary a chunk": table.set_column(4, "short", own_dictionaries),
        "sorted dictionary": table.set_column(
            4,
            "short",
            pa.DictionaryArray.from_arrays(
                pa.array([int(value[1:]) for value in table["short"].to_pylist()], pa.int32()),
                pa.array([f"s{each}" for each in range(5)]),
            ),
        ),
    }


@pytest.mark.parametrize("layout", layouts())
def test_the_hash_does_not_depend_on_how_the_table_is_laid_out_in_memory(layout):
    assert canonical_hash(layouts()[layout]) == canonical_hash(table_of_every_kind())


@pytest.mark.parametrize("rows", [1, 7, 60])
@pytest.mark.parametrize("use_dictionary", [True, False])
def test_the_hash_does_not_depend_on_how_the_file_is_laid_out(rows, use_dictionary, tmp_path):
    table, path = table_of_every_kind(), tmp_path / "table.parquet"
    pq.write_table(table, path, row_group_size=rows, use_dictionary=use_dictionary)
    assert canonical_hash(read_table(path)) == canonical_hash(table)


ONE = pa.table({"a": [1.0, 2.0], "b": ["x", "y"]})


@pytest.mark.parametrize(
    "other",
    [
        pa.table({"a": [1.0, np.nextafter(2.0, 3)], "b": ["x", "y"]}),
        pa.table({"a": [2.0, 1.0], "b": ["x", "y"]}),
        pa.table({"a": [1.0, None], "b": ["x", "y"]}),
        pa.table({"a": [1.0, float("nan")], "b": ["x", "y"]}),
        pa.table({"a": [1, 2], "b": ["x", "y"]}),
        pa.table({"a": pa.array([1.0, 2.0], pa.float32()), "b": ["x", "y"]}),
        pa.table({"c": [1.0, 2.0], "b": ["x", "y"]}),
        pa.table({"b": ["x", "y"], "a": [1.0, 2.0]}),
        pa.table({"a": [1.0, 2.0]}),
        pa.table({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "z"]}),
        pa.table({"a": [1.0, 2.0], "b": ["x", "Y"]}),
        pa.table({"a": [1.0, 2.0], "b": ["x", None]}),
        pa.table({"a": [1.0, 2.0], "b": ["x", ""]}),
        pa.table({"a": [1.0, 2.0], "b": ["xy", ""]}),
    ],
)
def test_any_difference_in_names_types_order_values_or_gaps_changes_the_hash(other):
    assert canonical_hash(other) != canonical_hash(ONE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([None], [""]),
        ([None], [0]),
        ([None], [0.0]),
        ([None], [False]),
        ([None, 0], [0, None]),
        ([float("nan")], [None]),
        (["a\0b", "c"], ["a", "b\0c"]),
        (["ab", "c"], ["a", "bc"]),
    ],
    ids=repr,
)
def test_gaps_and_look_alikes_are_told_apart(one, other):
    kind = pa.array(one + other).type
    tables = [pa.table({"a": pa.array(values, kind)}) for values in (one, other)]
    assert canonical_hash(tables[0]) != canonical_hash(tables[1])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.none() | st.text(max_size=3), max_size=6),
    st.lists(st.none() | st.text(max_size=3), max_size=6),
    st.integers(0, 6),
)
def test_hashes_of_text_are_equal_exactly_when_the_text_is(one, other, cut):
    kind = pa.string()
    pieces = pa.chunked_array([pa.array(one[:cut], kind), pa.array(one[cut:], kind)])
    whole, another = (pa.table({"a": pa.array(values, kind)}) for values in (one, other))
    assert canonical_hash(pa.table({"a": pieces})) == canonical_hash(whole)
    assert (canonical_hash(whole) == canonical_hash(another)) == (one == other)


def test_a_missing_table_is_a_sentence_with_its_path(tmp_path):
    path = tmp_path / "none.parquet"
    with pytest.raises(StagewiseError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path} cannot be read as Parquet (")
    assert str(caught.value).endswith("Delete it and run the same command again.")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_table_is_a_sentence_with_its_path(share, tmp_path):
    path = tmp_path / "table.parquet"
    write_table(table_of_every_kind(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(StagewiseError, match=r"table\.parquet cannot be read as Parquet"):
        read_table(path)


def test_a_file_of_another_kind_is_a_sentence_with_its_path(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text("experiment,run\n" * 50)
    with pytest.raises(StagewiseError, match=r"table\.parquet cannot be read as Parquet"):
        read_table(path)


def read_or_complaint(path: Path) -> pa.Table | str:
    try:
        return read_table(path)
    except StagewiseError as error:
        return str(error)


@pytest.mark.parametrize("share", np.linspace(0.1, 0.9, 9).round(2))
def test_a_damaged_value_is_never_taken_for_a_result(share, tmp_path):
    path = tmp_path / "table.parquet"
    random = np.random.default_rng(0)
    write_table(pa.table({"real": random.standard_normal(2000)}), path)
    content = bytearray(path.read_bytes())
    content[int(share * 16_000)] ^= 1  # 2000 values of 8 bytes that no compression shortens
    path.write_bytes(content)
    with pytest.raises(StagewiseError, match=r"table\.parquet cannot be read as Parquet"):
        read_table(path)


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_in_a_sentence(tmp_path, data):
    path = tmp_path / "table.parquet"
    write_table(table_of_every_kind(), path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    result = read_or_complaint(path)
    if isinstance(result, str):
        assert result.endswith("Delete it and run the same command again.")
    else:
        assert result.num_columns >= 0


def test_a_type_that_arrow_lacks_is_refused_in_a_sentence(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> pa.Table:
        raise pa.ArrowNotImplementedError("Integers with more than 64 bits not implemented")

    monkeypatch.setattr(pq, "read_table", refuse)
    with pytest.raises(StagewiseError, match="cannot be read as Parquet"):
        read_table(tmp_path / "table.parquet")
