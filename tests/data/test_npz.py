import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stagewise.data.npz import read_moments, read_user_data, write_moments
from stagewise.errors import StagewiseError
from stagewise.intake import arrays as intake_arrays
from stagewise.intake.npz_members import load_archive
from stagewise.problems.moments import Moments

FIELDS = ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n")


def inputs(count: int = 12, dim: int = 3) -> np.ndarray:
    return np.random.default_rng([count, dim]).standard_normal((count, dim)) + 1.0


def draws(count: int = 2) -> list[Moments]:
    random = np.random.default_rng(count)
    return [
        Moments.of_block(random.standard_normal((9, 3)), random.standard_normal((9, 2)))
        for _ in range(count)
    ]


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return path


def complaint(path: Path) -> str:
    with pytest.raises(StagewiseError) as caught:
        read_user_data(path)
    sentence = str(caught.value)
    assert sentence.endswith((".", "?"))
    assert "Traceback" not in sentence
    return sentence


def bits(moments: Moments) -> dict[str, bytes]:
    return {field: np.asarray(getattr(moments, field)).tobytes() for field in FIELDS}


@pytest.mark.parametrize("count", [1, 3])
def test_moments_are_read_bit_for_bit_as_they_were_written(count, tmp_path):
    path = tmp_path / "folder" / "moments.npz"
    write_moments(draws(count), path)
    read = read_moments(path)
    assert [bits(each) for each in read] == [bits(each) for each in draws(count)]
    assert all(isinstance(each.n, int) and isinstance(each.tr_yy, float) for each in read)


def test_moments_written_twice_are_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_moments(draws(), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with zipfile.ZipFile(tmp_path / "one") as archive:
        assert {each.date_time[0] for each in archive.infolist()} == {1980}


@pytest.mark.parametrize("field", FIELDS)
def test_a_moments_file_that_lacks_a_field_is_refused(field, tmp_path):
    path = tmp_path / "moments.npz"
    write_moments(draws(), path)
    arrays = load_archive(path).arrays
    del arrays[field]
    np.savez(path, **arrays)
    with pytest.raises(StagewiseError) as caught:
        read_moments(path)
    assert str(caught.value) == f"{path} lacks {field}. Delete it and run again."


@pytest.mark.parametrize("block", [24, 120, 1 << 20])
def test_integer_labels_become_one_hot_outputs(block, tmp_path, monkeypatch):
    monkeypatch.setattr(intake_arrays, "_BLOCK_BYTES", block)
    labels = np.array([7, -1, 7, 3, 3, 3, -1, 7, 3, 7, 7, 7])
    moments = read_user_data(saved(tmp_path, X=inputs(), y=labels))
    expected = Moments.of_block(inputs(), (labels[:, None] == np.array([-1, 3, 7])).astype(float))
    for field in FIELDS:
        assert_allclose(getattr(moments, field), getattr(expected, field), rtol=1e-12)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.bool_])
def test_labels_may_be_any_kind_of_integer(kind, tmp_path):
    labels = (np.arange(12) % 2).astype(kind)
    moments = read_user_data(saved(tmp_path, X=inputs(), y=labels))
    assert moments.sigma_xy.shape == (3, 2)
    assert_allclose(moments.mean_y, [0.5, 0.5])


def test_real_targets_on_one_axis_are_one_output(tmp_path):
    targets = np.linspace(0, 1, 12)
    moments = read_user_data(saved(tmp_path, X=inputs(), y=targets))
    assert_allclose(moments.sigma_xy, inputs().T @ targets[:, None] / 12, rtol=1e-12)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64])
def test_targets_on_two_axes_are_outputs_as_they_are(kind, tmp_path):
    targets = (10 * inputs(12, 2)).astype(kind)
    moments = read_user_data(saved(tmp_path, X=inputs(), y=targets))
    assert_allclose(moments.sigma_xy, inputs().T @ targets / 12, rtol=1e-6)
    assert moments.sigma_xy.dtype == np.float64


def test_data_stored_compressed_are_read_too(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, X=inputs(), y=inputs(12, 2))
    assert read_user_data(path).n == 12


def ready(**more: Any) -> dict[str, Any]:
    data = Moments.of_block(inputs(), inputs(12, 2))
    return {"sigma_x": data.sigma_x, "sigma_xy": data.sigma_xy} | more


def test_ready_moments_without_means_are_centred_already(tmp_path):
    moments = read_user_data(saved(tmp_path, **ready()))
    assert moments.sigma_x.tobytes() == ready()["sigma_x"].tobytes()
    assert moments.sigma_xy.tobytes() == ready()["sigma_xy"].tobytes()
    assert moments.n == 0
    assert np.count_nonzero(moments.mean_x) + np.count_nonzero(moments.mean_y) == 0


def test_ready_moments_with_means_are_those_of_the_data(tmp_path):
    data = Moments.of_block(inputs(), inputs(12, 2))
    arrays = {field: getattr(data, field) for field in FIELDS}
    assert bits(read_user_data(saved(tmp_path, **arrays))) == bits(data)


@pytest.mark.parametrize(
    ("arrays", "named"),
    [
        (
            {"X": np.where(inputs() > 1.5, np.nan, inputs()), "y": np.arange(12)},
            "values missing or not finite, the first in column 'X[:, 0]'",
        ),
        (
            {"X": inputs(), "y": np.full(12, np.inf)},
            "12 values missing or not finite, the first in column 'y' (row 1, inf)",
        ),
        ({"X": inputs().astype(str), "y": np.arange(12)}, "X of type <U32; it must hold numbers."),
        ({"X": inputs(), "y": inputs(12, 2).astype(str)}, "y of type <U32; it must hold numbers."),
        ({"X": inputs() * 1j, "y": np.arange(12)}, "X of type complex128; it must hold numbers."),
        (
            ready(mean_x=np.full(3, np.nan), mean_y=np.ones(2)),
            "3 values of mean_x that are not finite",
        ),
        (ready(sigma_x=np.full((3, 3), np.nan)), "9 values of sigma_x that are not finite"),
        (ready(sigma_xy=np.array([["a"] * 2] * 3)), "sigma_xy of type <U1; it must hold numbers."),
    ],
)
def test_values_that_are_no_finite_numbers_are_refused_with_their_array(arrays, named, tmp_path):
    path = saved(tmp_path, **arrays)
    sentence = complaint(path)
    assert sentence.startswith(f"{path} holds ")
    assert named in sentence


@pytest.mark.parametrize("name", ["X", "y"])
def test_arrays_of_objects_are_refused_and_never_unpickled(name, tmp_path):
    arrays = {"X": inputs(), "y": np.arange(12)} | {name: np.array([{"a": 1}] * 12, dtype=object)}
    path = saved(tmp_path, **arrays)
    assert complaint(path).startswith(f"{path} holds {name} as Python objects, which")


@pytest.mark.parametrize(
    ("features", "targets"),
    [
        (inputs(12), np.arange(11)),
        (inputs(12), inputs(11, 2)),
        (inputs(12)[None], np.arange(12)),
        (inputs(12), np.array(3)),
        (inputs(12), np.array(3.5)),
        (np.array(1.0), np.arange(12)),
        (inputs(12), np.zeros((12, 2, 2))),
    ],
    ids=lambda array: str(array.shape),
)
def test_shapes_that_do_not_fit_are_both_named(features, targets, tmp_path):
    path = saved(tmp_path, X=features, y=targets)
    assert complaint(path) == (
        f"{path} holds X of shape {features.shape} and y of shape {targets.shape}; X must be "
        "(n, dim_in) and y (n,) or (n, dim_out) with the same n."
    )


@pytest.mark.parametrize(
    ("features", "targets"),
    [
        (np.zeros((0, 3)), np.zeros(0)),
        (np.zeros((0, 3)), np.zeros(0, int)),
        (np.zeros((4, 0)), np.zeros(4)),
        (np.zeros((4, 3)), np.zeros((4, 0))),
    ],
    ids=["no samples", "no labels", "no inputs", "no outputs"],
)
def test_data_without_samples_inputs_or_outputs_are_refused(features, targets, tmp_path):
    complaint(saved(tmp_path, X=features, y=targets))


def test_a_transposed_sigma_xy_is_recognised(tmp_path):
    arrays = ready(sigma_xy=ready()["sigma_xy"].T)
    assert complaint(saved(tmp_path, **arrays)).endswith(
        "sigma_xy has 2 rows but sigma_x is (3, 3); rows are inputs. Was YᵀX passed for XᵀY?"
    )


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sigma_x": np.ones((3, 2))}, "sigma_x has shape (3, 2)"),
        ({"sigma_xy": np.ones(3)}, "sigma_xy has shape (3,)"),
        ({"sigma_x": -np.eye(3)}, "sigma_x has the eigenvalue -1"),
        ({"sigma_x": np.triu(np.ones((3, 3)))}, "sigma_x is not symmetric"),
        ({"mean_x": np.ones(3)}, "holds mean_x and no mean_y. Give both means, or neither"),
        ({"mean_y": np.ones(2)}, "holds mean_y and no mean_x. Give both means, or neither"),
        (
            {"mean_x": np.ones(2), "mean_y": np.ones(2)},
            "mean_x of shape (2,); it must be (3,) to fit sigma_xy (3, 2).",
        ),
        (
            {"mean_x": np.ones(3), "mean_y": np.ones((2, 1))},
            "mean_y of shape (2, 1); it must be (2,) to fit sigma_xy",
        ),
        (
            {"mean_x": np.full(3, 50.0), "mean_y": np.ones(2)},
            "sigma_x and sigma_xy must be uncentred.",
        ),
        ({"tr_yy": np.ones(2)}, "tr_yy"),
        ({"tr_yy": np.array("much")}, "tr_yy"),
        ({"tr_yy": np.array(np.nan)}, "tr_yy"),
        ({"tr_yy": np.array(-1.0)}, "tr_yy"),
        ({"n": np.ones(2)}, " n "),
        ({"n": np.array("many")}, " n "),
        ({"n": np.array(np.nan)}, " n "),
        ({"n": np.array(-4)}, " n "),
        ({"n": np.array(2.5)}, " n "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_ready_moments_that_are_none_are_refused_in_a_sentence(changes, named, tmp_path):
    assert named in complaint(saved(tmp_path, **ready(**changes)))


@pytest.mark.parametrize(
    ("arrays", "held"),
    [
        ({"X": inputs()}, "X"),
        ({"sigma_x": np.eye(2)}, "sigma_x"),
        ({}, "none"),
    ],
)
def test_a_file_with_other_arrays_is_told_which_it_must_hold(arrays, held, tmp_path):
    path = saved(tmp_path, **arrays)
    assert complaint(path) == (
        f"{path} holds the arrays {held}; it must hold X and y, or sigma_x and "
        "sigma_xy. Names like data and target, images and labels, or x_train and y_train are "
        "understood too."
    )


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "none.npz"
    assert complaint(path) == f"{path} does not exist. Give the path of an .npz file."


def test_a_single_array_is_told_that_an_archive_is_needed(tmp_path):
    path = tmp_path / "mine.npy"
    np.save(path, inputs())
    assert complaint(path) == f"{path} holds a single array; an .npz archive is needed."


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"a text file\n" * 20, pickle.dumps({"X": [1.0]}), b"\x93NUMPY"],
    ids=["empty", "short", "text", "pickle", "cut array"],
)
def test_a_file_of_another_kind_is_refused(content, tmp_path):
    path = tmp_path / "mine.npz"
    path.write_bytes(content)
    sentence = complaint(path)
    assert sentence.startswith(f"{path} ")
    assert "pickle.load" not in sentence


def test_a_folder_is_refused(tmp_path):
    assert complaint(tmp_path).startswith(f"{tmp_path} cannot be read as an .npz file")


@pytest.mark.parametrize("suffix", ["", ".npy"])
def test_an_archive_with_members_that_are_no_arrays_is_refused(suffix, tmp_path):
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"X{suffix}", "hello")
        archive.writestr(f"y{suffix}", "hello")
    assert str(path) in complaint(path)


def read_or_complaint(path: Path) -> Moments | str:
    try:
        return read_user_data(path)
    except StagewiseError as error:
        return str(error)


def archive_of(compressed: bool) -> bytes:
    stream = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(stream, X=inputs(40), y=inputs(40, 2))
    return stream.getvalue()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_truncated_file_is_refused(compressed, share, tmp_path):
    path = tmp_path / "mine.npz"
    content = archive_of(compressed)
    path.write_bytes(content[: int(share * len(content))])
    assert complaint(path).startswith(f"{path} cannot be read as an .npz file of plain arrays: ")


@pytest.mark.parametrize("share", np.linspace(0.2, 0.6, 5).round(1))
@pytest.mark.parametrize("compressed", [False, True])
def test_a_damaged_value_is_noticed(compressed, share, tmp_path):
    path = tmp_path / "mine.npz"
    content = bytearray(archive_of(compressed))
    content[int(share * len(content))] ^= 0xFF
    path.write_bytes(content)
    assert complaint(path).startswith(f"{path} cannot be read as an .npz file of plain arrays: ")


@pytest.mark.parametrize("compressed", [False, True])
@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_a_sentence(tmp_path, compressed, data):
    path = tmp_path / "mine.npz"
    content = bytearray(archive_of(compressed))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    result = read_or_complaint(path)
    assert str(path) in result if isinstance(result, str) else result.n == 40


@pytest.mark.parametrize("offset", range(8))
@pytest.mark.parametrize("field", ["compression method", "flags"])
def test_an_archive_of_an_unknown_method_or_encrypted_is_refused(field, offset, tmp_path):
    path = tmp_path / "mine.npz"
    content = bytearray(archive_of(compressed=False))
    entry = content.index(b"PK\x01\x02")
    content[entry + (10 if field == "compression method" else 8)] = 1 << offset
    path.write_bytes(content)
    result = read_or_complaint(path)
    if isinstance(result, str):
        assert result.startswith(f"{path} cannot be read as an .npz file of plain arrays: ")
    else:
        assert result.n == 40  # a value that changes nothing
