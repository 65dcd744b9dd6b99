import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stagewise.arrays import AnyArray
from stagewise.data.idx import decompressed, parse_idx, read_idx
from stagewise.errors import StagewiseError

FUZZ = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def idx(shape: tuple[int, ...], content: bytes) -> bytes:
    return struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape) + content


def random_array(shape: tuple[int, ...]) -> AnyArray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


IMAGES = random_array((5, 4, 3))
WHOLE = idx(IMAGES.shape, IMAGES.tobytes())


def complaint(content: bytes, dimensions: int = 3) -> str:
    with pytest.raises(StagewiseError) as caught:
        parse_idx(content, dimensions, "The file")
    return str(caught.value)


@FUZZ
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple), st.booleans())
def test_any_array_is_read_as_it_was_written_gzipped_or_not(tmp_path, shape, zipped):
    array, path = random_array(shape), tmp_path / "file"
    content = idx(shape, array.tobytes())
    path.write_bytes(gzip.compress(content) if zipped else content)
    read = read_idx(path, len(shape))
    assert read.dtype == np.uint8
    assert read.shape == shape
    assert read.tobytes() == array.tobytes()


def test_lengths_are_big_endian_and_values_unsigned():
    content = bytes([0, 0, 8, 1, 0, 0, 0, 3, 0, 128, 255])
    assert parse_idx(content, 1, "The file").tolist() == [0, 128, 255]


@pytest.mark.parametrize("length", range(4))
def test_a_file_that_ends_within_its_magic_is_refused(length):
    start = WHOLE[:length].hex() or "nothing"
    assert complaint(WHOLE[:length]) == (
        f"The file starts with {start}; an IDX file of unsigned bytes with 3 axes starts with "
        "00000803. Is it the right file?"
    )


@pytest.mark.parametrize("length", range(4, 16))
def test_a_file_that_ends_within_its_header_is_refused(length):
    assert complaint(WHOLE[:length]) == "The file ends within its header. Fetch it again."


@pytest.mark.parametrize("length", [16, 17, 40, 75])
def test_a_file_that_ends_within_its_content_is_refused(length):
    assert complaint(WHOLE[:length]) == (
        f"The file is truncated: it holds {length - 16} bytes for the shape (5, 4, 3), which takes "
        "60. Fetch it again."
    )


@pytest.mark.parametrize("extra", [1, 1000])
def test_a_file_that_goes_on_past_its_content_is_refused(extra):
    assert complaint(WHOLE + bytes(extra)) == (
        f"The file is longer than its header says: it holds {60 + extra} bytes for the shape "
        "(5, 4, 3), which takes 60. Fetch it again."
    )


@pytest.mark.parametrize(
    "shape", [(2**32 - 1, 28, 28), (2**32 - 1, 2**32 - 1, 2**32 - 1), (6, 4, 3)]
)
def test_a_header_that_promises_more_than_there_is_is_refused_without_allocating(shape):
    assert complaint(idx(shape, IMAGES.tobytes())).startswith("The file is truncated: it holds 60")


@pytest.mark.parametrize("shape", [(0, 2**32 - 1, 2**32 - 1), (2**32 - 1, 0, 2**32 - 1)])
def test_an_empty_array_of_absurd_lengths_is_refused(shape):
    assert complaint(idx(shape, b"")).startswith("The file ")


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0, 28)])
def test_an_empty_array_is_an_array(shape):
    assert parse_idx(idx(shape, b""), len(shape), "The file").shape == shape


@pytest.mark.parametrize(
    ("position", "value"),
    [(0, 1), (1, 1), (2, 0x09), (2, 0x0D), (2, 0), (3, 1), (3, 2), (3, 4), (3, 0)],
    ids=lambda number: f"{number:#04x}",
)
def test_a_wrong_magic_type_code_or_number_of_axes_is_refused(position, value):
    content = bytearray(WHOLE)
    content[position] = value
    assert complaint(bytes(content)) == (
        f"The file starts with {content[:4].hex()}; an IDX file of unsigned bytes with 3 axes "
        "starts with 00000803. Is it the right file?"
    )


def test_images_are_not_taken_for_labels():
    assert complaint(WHOLE, dimensions=1).endswith("starts with 00000801. Is it the right file?")


@pytest.mark.parametrize("length", [2, 5, 12, 30, -9, -8, -1])
def test_a_gzip_file_that_is_cut_is_refused(length, tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(WHOLE)[:length])
    with pytest.raises(StagewiseError) as caught:
        read_idx(path, 3)
    assert str(caught.value).startswith(f"{path} is not a whole gzip file (")
    assert str(caught.value).endswith("). Fetch it again.")


@pytest.mark.parametrize("position", [2, -1, -5, -9, 20, 40])
def test_a_gzip_file_that_is_damaged_is_refused(position, tmp_path):
    path = tmp_path / "file.gz"
    content = bytearray(gzip.compress(WHOLE))
    content[position] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StagewiseError, match=r"file\.gz is not a whole gzip file \("):
        decompressed(path)


def test_a_gzip_file_followed_by_something_else_is_refused(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(WHOLE) + b"something else")
    with pytest.raises(StagewiseError, match=r"file\.gz is not a whole gzip file \("):
        decompressed(path)


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "none"
    with pytest.raises(StagewiseError) as caught:
        read_idx(path, 3)
    assert str(caught.value) == f"{path} cannot be read: No such file or directory."


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(
        StagewiseError, match=re.escape(f"{tmp_path} cannot be read: Is a directory.")
    ):
        read_idx(tmp_path, 3)


def test_errors_of_a_file_name_its_path(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(WHOLE[:20])
    with pytest.raises(StagewiseError, match=re.escape(f"{path} is truncated: ")):
        read_idx(path, 3)


def read_or_complaint(path: Path, dimensions: int) -> AnyArray | str:
    try:
        return read_idx(path, dimensions)
    except StagewiseError as error:
        return str(error)


def assert_read_or_refused(path: Path, content: bytes, dimensions: int) -> None:
    path.write_bytes(content)
    result = read_or_complaint(path, dimensions)
    if isinstance(result, str):
        assert str(path) in result
    else:
        assert (result.dtype, result.ndim) == (np.dtype(np.uint8), dimensions)


@FUZZ
@given(st.binary(max_size=64), st.integers(1, 4))
def test_random_bytes_are_read_or_refused_in_a_sentence(tmp_path, content, dimensions):
    assert_read_or_refused(tmp_path / "file", content, dimensions)


@FUZZ
@given(st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3), st.binary(max_size=16))
def test_random_lengths_are_read_or_refused_in_a_sentence(tmp_path, lengths, content):
    assert_read_or_refused(tmp_path / "file", idx(tuple(lengths), content), 3)


@FUZZ
@given(st.data(), st.booleans())
def test_damaged_files_are_read_or_refused_in_a_sentence(tmp_path, data, zipped):
    content = bytearray(gzip.compress(WHOLE) if zipped else WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert_read_or_refused(tmp_path / "file", bytes(content), 3)
