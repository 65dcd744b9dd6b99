import gzip
import hashlib
import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stagewise.arrays import AnyArray
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds import mnist
from stagewise.data.kinds.mnist import FashionMnistData, MnistData
from stagewise.errors import StagewiseError

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "mnist": (MnistData(kind="mnist"), mnist.FILES),
    "fashion_mnist": (FashionMnistData(kind="fashion_mnist"), mnist.FASHION_FILES),
}


def idx(array: AnyArray) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9], dtype=np.uint8)
CONTENTS = {mnist.IMAGES: idx(IMAGES), mnist.LABELS: idx(LABELS)}
ARCHIVES = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in CONTENTS.items()}


@pytest.fixture(autouse=True)
def stand_ins(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The original digests are replaced by those of the stand-in files."""
    if "real_data" in request.fixturenames:
        return
    for name, content in CONTENTS.items():
        sha256 = hashlib.sha256(content).hexdigest()
        md5 = hashlib.md5(ARCHIVES[f"{name}.gz"]).hexdigest()
        for files, digest in ((mnist.FILES, sha256), (mnist.FASHION_FILES, md5)):
            monkeypatch.setitem(files, name, replace(files[name], digest=digest))


@pytest.fixture(params=KINDS)
def spec(request) -> MnistData | FashionMnistData:
    return KINDS[request.param][0]


@pytest.fixture
def served(mirrors, monkeypatch):
    mirrors.contents |= ARCHIVES
    for _, files in KINDS.values():
        for name, file in list(files.items()):
            monkeypatch.setitem(files, name, replace(file, mirrors=mirrors.addresses))
    return mirrors


def put(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, archive in ARCHIVES.items():
        (folder / name).write_bytes(archive)


def folder_content(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_loaded(images: AnyArray, labels: AnyArray) -> None:
    assert images.tolist() == IMAGES.tolist()
    assert labels.tolist() == LABELS.tolist()


def complaint(spec: MnistData | FashionMnistData, folder: Path) -> str:
    with pytest.raises(StagewiseError) as caught:
        spec.load(folder)
    return str(caught.value)


def test_missing_files_are_downloaded_once_into_the_folder_of_their_data_set(
    spec, served, tmp_path
):
    assert_loaded(*spec.load(tmp_path))
    assert folder_content(tmp_path / spec.kind) == sorted(ARCHIVES)
    assert served.asked == [f"/first/{name}" for name in ARCHIVES]
    assert_loaded(*spec.load(tmp_path))
    assert len(served.asked) == 2


@pytest.mark.parametrize("fault", ["missing", "cut", "other content", "web page"])
def test_the_second_mirror_is_used_when_the_first_fails(fault, spec, served, tmp_path):
    served.faults["first"] = fault
    assert_loaded(*spec.load(tmp_path))
    assert folder_content(tmp_path / spec.kind) == sorted(ARCHIVES)


def test_files_that_cannot_be_had_are_named_with_the_place_to_put_them(spec, served, tmp_path):
    served.faults |= {"first": "missing", "second": "cut"}
    sentence = complaint(spec, tmp_path)
    assert sentence.startswith(f"{tmp_path / spec.kind / mnist.IMAGES}.gz is not there and could")
    assert f"to the folder whose sub-folder {spec.kind} has it." in sentence
    assert folder_content(tmp_path / spec.kind) == []


def test_files_in_the_folder_are_used_without_network(spec, tmp_path, no_network):
    put(tmp_path / "elsewhere")
    elsewhere = spec.model_copy(update={"directory": "elsewhere"})
    assert_loaded(*elsewhere.load(tmp_path))


def test_unpacked_mnist_files_are_used_without_network(tmp_path, no_network):
    (tmp_path / "mnist").mkdir()
    for name, content in CONTENTS.items():
        (tmp_path / "mnist" / name).write_bytes(content)
    assert_loaded(*MnistData(kind="mnist").load(tmp_path))


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("mnist", "{}-idx{}-ubyte"),
        ("mnist", "{}.idx{}-ubyte"),
        ("mnist/MNIST/raw", "{}-idx{}-ubyte"),
        ("MNIST/raw", "{}-idx{}-ubyte.gz"),
        ("mnist/{0}-idx{1}-ubyte", "{}.idx{}-ubyte"),
    ],
)
def test_mnist_is_found_as_other_libraries_name_and_unzip_it(folder, pattern, tmp_path, no_network):
    for part, axes in (("train-images", 3), ("train-labels", 1)):
        path = tmp_path / folder.format(part, axes) / pattern.format(part, axes)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = CONTENTS[f"{part}-idx{axes}-ubyte"]
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    assert_loaded(*MnistData(kind="mnist").load(tmp_path))


def test_unzipped_fashion_files_are_known_by_their_shape_counts_and_mean(tmp_path, no_network):
    folder = tmp_path / "fashion_mnist"
    folder.mkdir()
    images = np.full((60_000, 28, 28), 73, np.uint8)
    images[:4200] = 72  # to a mean of 0.2860
    labels = (np.arange(60_000) % 10).astype(np.uint8)
    (folder / mnist.IMAGES).write_bytes(idx(images))
    (folder / mnist.LABELS).write_bytes(idx(labels))
    spec = FashionMnistData(kind="fashion_mnist")
    assert spec.load(tmp_path)[0].shape == images.shape
    (folder / mnist.LABELS).write_bytes(idx(labels // 2))
    assert "its labels occur [12000, " in complaint(spec, tmp_path)
    (folder / mnist.IMAGES).write_bytes(idx(images + 1))
    assert "its mean pixel is 0.28" in complaint(spec, tmp_path)


def test_a_missing_file_that_may_not_be_downloaded_is_named(spec, tmp_path, no_network):
    sentence = complaint(spec.model_copy(update={"download": False}), tmp_path)
    assert sentence.startswith(f"{tmp_path / spec.kind / mnist.IMAGES}.gz is not there. Put the ")


def test_the_two_files_put_in_each_others_place_are_refused(spec, tmp_path, no_network):
    put(tmp_path / spec.kind)
    images, labels = (tmp_path / spec.kind / name for name in ARCHIVES)
    images.write_bytes(labels.read_bytes())
    assert complaint(spec, tmp_path).startswith(f"{images} is not the original file of ")


def test_a_file_of_the_other_data_set_is_refused(tmp_path, no_network, monkeypatch):
    put(tmp_path / "mnist")
    other = replace(mnist.FILES[mnist.IMAGES], digest=hashlib.sha256(b"").hexdigest())
    monkeypatch.setitem(mnist.FILES, mnist.IMAGES, other)
    assert "is not the original file of MNIST: the SHA-256 of its content is" in complaint(
        MnistData(kind="mnist"), tmp_path
    )


def test_pixels_are_scaled_to_one_and_labels_one_hot(spec, tmp_path, no_network):
    put(tmp_path / spec.kind)
    (moments,) = draw_moments("images", spec, str(tmp_path))
    assert (moments.n, moments.sigma_xy.shape) == (6, (16, 10))
    np.testing.assert_allclose(moments.mean_x, IMAGES.reshape(6, 16).mean(axis=0) / 255)
    np.testing.assert_allclose(moments.mean_y * 6, np.bincount(LABELS, minlength=10))


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_has_two_mirrors_of_which_the_first_is_encrypted(kind):
    for file in KINDS[kind][1].values():
        assert len(file.mirrors) >= 2
        assert file.mirrors[0].startswith("https://")
        assert {mirror[-1] for mirror in file.mirrors} == {"/"}


@pytest.fixture
def real_data() -> Path:
    """Folder of the real files, if this machine has them."""
    for folder in filter(None, (os.environ.get("STAGEWISE_DATA"), ROOT.parent / "shared" / "data")):
        if all(any(Path(folder, "mnist").glob(f"{name}*")) for name in mnist.FILES):
            return Path(folder)
    pytest.skip("the MNIST files are neither in STAGEWISE_DATA nor in ../shared/data")


def test_the_real_training_set_has_its_known_shape_brightness_and_labels(real_data, no_network):
    images, labels = MnistData(kind="mnist").load(real_data)
    assert (images.shape, labels.shape) == ((60_000, 28, 28), (60_000,))
    assert abs(images.mean() / 255 - 0.1307) < 5e-5
    assert np.bincount(labels).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
