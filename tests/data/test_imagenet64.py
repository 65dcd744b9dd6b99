import io
import os
import pickle
import re
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stagewise.arrays import AnyArray
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds import imagenet64
from stagewise.data.kinds.imagenet64 import ImageNet64Data
from stagewise.errors import StagewiseError
from stagewise.problems.moments import Moments, stream_moments

PIXELS = 12
COUNT = 7
FUZZ = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def small_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet64, "PIXELS", PIXELS)


def arrays(seed: int = 0, count: int = COUNT) -> dict[str, AnyArray]:
    random = np.random.default_rng(seed)
    return {
        "data": random.integers(0, 256, (count, PIXELS), dtype=np.uint8),
        "labels": random.integers(1, 1001, count),
    }


def saved(path: Path, compressed: bool = False, **changes: Any) -> Path:
    content = {name: each for name, each in (arrays() | changes).items() if each is not None}
    (np.savez_compressed if compressed else np.savez)(path, **content)
    return path


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "train_data_batch_1.npz"


def read(path: Path, size: int = 3) -> tuple[AnyArray, AnyArray]:
    parts = list(imagenet64.blocks(path, size))
    assert all(0 < len(images) == len(labels) <= size for images, labels in parts)
    return np.vstack([images for images, _ in parts]), np.concatenate([each for _, each in parts])


def complaint(path: Path) -> str:
    with pytest.raises(StagewiseError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path} ")
    return str(caught.value).removeprefix(f"{path} ")


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("size", [1, 3, COUNT, 100])
@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.int64, ">i8"])
def test_images_are_read_as_they_were_written_and_labels_from_zero_on(kind, size, compressed, path):
    labels = arrays()["labels"].astype(kind)
    images, classes = read(saved(path, compressed, labels=labels), size)
    assert images.tolist() == arrays()["data"].tolist()
    assert classes.tolist() == (arrays()["labels"] - 1).tolist()


def test_other_arrays_such_as_the_published_mean_do_not_matter(path):
    images, _ = read(saved(path, mean=np.zeros(PIXELS)))
    assert len(images) == COUNT


def test_the_files_of_the_folder_are_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 2, 1):
        saved(tmp_path / f"train_data_batch_{number}.npz")
    for other in ("val_data.npz", "train_data_batch_3.txt"):
        (tmp_path / other).write_bytes(b"")
    files = imagenet64.batch_files(ImageNet64Data(kind="imagenet64", path=str(tmp_path)))
    assert [file.stem for file in files] == [f"train_data_batch_{each}" for each in (1, 2, 10)]


@pytest.mark.parametrize(("folder", "state"), [("", "has none of them"), ("no", "is not a folder")])
def test_a_folder_without_batches_is_refused(folder, state, tmp_path):
    (tmp_path / "val_data.npz").write_bytes(b"")
    with pytest.raises(StagewiseError) as caught:
        draw_moments("i", ImageNet64Data(kind="imagenet64", path=str(tmp_path / folder)), None)
    assert str(caught.value) == (
        f"ImageNet-64 is a folder of files train_data_batch_*.npz, but {tmp_path / folder} {state}."
        " Put the training batches of the 64 × 64 version there (as .npz), or set the data set's "
        "path to the folder that has them; relative paths start at the working directory."
    )


@pytest.mark.parametrize("block", [1, 4, 100])
def test_moments_of_two_files_are_those_of_all_their_images(block, tmp_path, monkeypatch):
    monkeypatch.setattr(imagenet64, "BLOCK", block)
    parts = [arrays(1, 5), arrays(2, 9)]
    for number, part in enumerate(parts):
        saved(tmp_path / f"train_data_batch_{number}.npz", **part)
    spec = ImageNet64Data(kind="imagenet64", path=str(tmp_path))
    (moments,) = draw_moments("imagenet64", spec, None)
    inputs = np.vstack([part["data"] for part in parts]) / 255
    outputs = np.eye(1000)[np.concatenate([part["labels"] for part in parts]) - 1]
    expected = Moments.of_block(inputs, outputs)
    for field in ("sigma_x", "sigma_xy", "mean_x", "mean_y", "tr_yy", "n"):
        np.testing.assert_allclose(getattr(moments, field), getattr(expected, field), rtol=1e-12)


def test_moments_of_each_file_merge_to_those_of_all(tmp_path):
    parts = [arrays(1, 5), arrays(2, 9), arrays(3, 2)]
    for number, part in enumerate(parts):
        saved(tmp_path / f"train_data_batch_{number}.npz", **part)

    def blocks(file: Path):
        for images, labels in imagenet64.blocks(file, 4):
            yield images / 255, np.eye(1000)[labels]

    spec = ImageNet64Data(kind="imagenet64", path=str(tmp_path))
    one, two, three = (stream_moments(blocks(file)) for file in imagenet64.batch_files(spec))
    (whole,) = draw_moments("imagenet64", spec, None)
    for merged in (one.merged(two).merged(three), three.merged(one.merged(two))):
        assert merged.n == whole.n == 16
        np.testing.assert_allclose(merged.sigma_x, whole.sigma_x, rtol=1e-12)
        np.testing.assert_allclose(merged.sigma_xy, whole.sigma_xy, rtol=1e-12)


@pytest.mark.parametrize("compressed", [True, False])
def test_a_file_is_never_in_memory_at_once(compressed, path):
    data = np.zeros((200_000, PIXELS), dtype=np.uint8)
    saved(path, compressed, data=data, labels=np.ones(len(data), dtype=np.uint8))
    tracemalloc.start()
    try:
        base = tracemalloc.get_traced_memory()[0]
        for _ in imagenet64.blocks(path, 64):
            pass
        peak = tracemalloc.get_traced_memory()[1] - base
    finally:
        tracemalloc.stop()
    # Labels are 8 bytes an image as they are returned, the pixels 12.
    assert peak < 200_000 * 8 * 2 + 300_000


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"data": arrays()["data"] / np.float32(255)},
            "holds data of type float32; it must hold unsigned bytes (uint8), not scaled.",
        ),
        (
            {"data": arrays()["data"].astype(np.int8)},
            "holds data of type int8; it must hold unsigned bytes (uint8), not scaled.",
        ),
        (
            {"labels": arrays()["labels"].astype(float)},
            "holds labels of type float64; it must hold integers.",
        ),
        (
            {"data": arrays()["data"].reshape(COUNT, 3, 2, 2)},
            "holds data of shape (7, 3, 2, 2) for 7 labels; it must be (7, 12): 64 × 64 pixels of "
            "3 colours, one row an image.",
        ),
        (
            {"data": arrays()["data"][:, :-1]},
            "holds data of shape (7, 11) for 7 labels; it must be (7, 12): 64 × 64 pixels of 3 "
            "colours, one row an image.",
        ),
        (
            {"labels": np.arange(1, 9)},
            "holds data of shape (7, 12) for 8 labels; it must be (8, 12): 64 × 64 pixels of 3 "
            "colours, one row an image.",
        ),
        (
            {"labels": np.eye(COUNT, dtype=np.int64)},
            "holds labels of shape (7, 7); they must be (images,), one an image.",
        ),
        (
            {"labels": np.array(3)},
            "holds labels of shape (); they must be (images,), one an image.",
        ),
        (
            {"labels": np.array([], dtype=np.int64)},
            "holds labels of shape (0,); they must be (images,), one an image.",
        ),
        (
            {"labels": np.arange(COUNT)},
            "holds labels from 0 to 6; those of ImageNet-64 go from 1 to 1000.",
        ),
        (
            {"labels": np.arange(COUNT) + 995},
            "holds labels from 995 to 1001; those of ImageNet-64 go from 1 to 1000.",
        ),
        (
            {"labels": -np.arange(COUNT)},
            "holds labels from -6 to 0; those of ImageNet-64 go from 1 to 1000.",
        ),
        ({"data": None}, "holds the arrays labels; it must hold data and labels."),
        ({"labels": None}, "holds the arrays data; it must hold data and labels."),
        (
            {"data": np.asfortranarray(arrays()["data"])},
            "holds data in Fortran order, so that images cannot be read one by one. Save "
            "np.ascontiguousarray of it.",
        ),
    ],
)
def test_arrays_of_another_kind_are_refused_in_a_sentence(changes, sentence, path):
    assert complaint(saved(path, **changes)) == sentence


class Trap:
    """Does something when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("import os; os.environ['STAGEWISE_TRAP'] = 'sprung'",)


@pytest.mark.parametrize("name", ["data", "labels"])
def test_pickled_arrays_are_refused_and_not_unpickled(name, path):
    trap = np.array([Trap()] * COUNT, dtype=object)
    saved(path, **{name: trap})
    wanted = {"data": "unsigned bytes (uint8), not scaled", "labels": "integers"}[name]
    assert complaint(path) == f"holds {name} of type object; it must hold {wanted}."
    assert "STAGEWISE_TRAP" not in os.environ


def test_the_pickled_files_of_the_smaller_versions_are_refused(path):
    path.write_bytes(pickle.dumps({"data": Trap(), "labels": [1]}))
    assert complaint(path) == (
        "cannot be read as an .npz file of plain arrays: File is not a zip file. Fetch it again."
    )
    assert "STAGEWISE_TRAP" not in os.environ


def test_a_file_that_is_missing_is_named(path):
    assert "No such file or directory" in complaint(path)


@pytest.mark.parametrize("length", [0, 1, 100, 300, -100, -1])
def test_a_file_that_is_cut_is_refused(length, path):
    saved(path)
    path.write_bytes(path.read_bytes()[:length])
    assert complaint(path).startswith("cannot be read as an .npz file of plain arrays: ")


def members(**contents: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"{name}.npy", content)
    return packed.getvalue()


def npy(array: AnyArray) -> bytes:
    packed = io.BytesIO()
    np.lib.format.write_array(packed, array)
    return packed.getvalue()


@pytest.mark.parametrize("name", ["data", "labels"])
def test_an_array_that_ends_before_its_header_says_is_refused(name, path):
    contents = {each: npy(array) for each, array in arrays().items()}
    contents[name] = contents[name][:-1]
    path.write_bytes(members(**contents))
    assert complaint(path) == f"is truncated: {name} ends too early. Fetch it again."


def test_data_that_goes_on_past_its_header_is_refused(path):
    contents = {name: npy(array) for name, array in arrays().items()}
    path.write_bytes(members(data=contents["data"] + b"!", labels=contents["labels"]))
    assert complaint(path) == f"holds more data than ({COUNT}, {PIXELS}). Fetch it again."


def test_a_header_that_promises_absurdly_many_labels_is_refused_without_allocating(path):
    contents = {name: npy(array) for name, array in arrays().items()}
    many = contents["labels"].replace(b"(7,)", b"(700000000000,)").replace(b" " * 11, b"", 1)
    path.write_bytes(members(data=contents["data"], labels=many))
    assert complaint(path).startswith("is truncated: labels ends too early.")


@FUZZ
@given(st.data(), st.booleans())
def test_damaged_files_are_read_or_refused_in_a_sentence(tmp_path, data, compressed):
    path = saved(tmp_path / "train_data_batch_1.npz", compressed)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    try:
        result = read(path)
    except StagewiseError as error:
        result = str(error)
    assert str(path) in result if isinstance(result, str) else len(result[0]) == COUNT


@FUZZ
@given(st.data())
def test_damaged_arrays_are_read_or_refused_in_a_sentence(tmp_path, data):
    path = tmp_path / "train_data_batch_1.npz"
    contents = {name: bytearray(npy(array)) for name, array in arrays().items()}
    for _ in range(data.draw(st.integers(1, 4))):
        content = contents[data.draw(st.sampled_from(sorted(contents)))]
        content[data.draw(st.integers(0, 127))] = data.draw(st.integers(0, 255))
    path.write_bytes(members(**{name: bytes(each) for name, each in contents.items()}))
    try:
        result = read(path)
    except StagewiseError as error:
        result = str(error)
        assert re.match(re.escape(str(path)), result)
    assert isinstance(result, str) or len(result[0]) == COUNT
