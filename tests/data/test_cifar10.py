import gzip
import hashlib
import io
import re
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stagewise.arrays import AnyArray
from stagewise.data.datasets import draw_moments
from stagewise.data.kinds import cifar10
from stagewise.data.kinds.cifar10 import Cifar10Data
from stagewise.errors import StagewiseError

COUNT = 4
RECORD = 3073
INSIDE = "cifar-10-batches-bin"
FUZZ = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def records(number: int) -> AnyArray:
    random = np.random.default_rng(number)
    content = random.integers(0, 256, (COUNT, RECORD), dtype=np.uint8)
    content[:, 0] = random.integers(0, 10, COUNT)
    return content


BATCHES = {name: records(number) for number, name in enumerate(cifar10.BATCHES.values())}
CONTENTS = {name: each.tobytes() for name, each in BATCHES.items()}
FIRST = "data_batch_1.bin"


def archive(contents: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{INSIDE}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


# Not in order, and with other files, as published.
WHOLE = archive({"readme.html": b"<html>", **dict(sorted(CONTENTS.items(), reverse=True))})


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "IMAGES_PER_BATCH", COUNT)
    publish(WHOLE, monkeypatch)


def publish(content: bytes, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Let `content` be what the archive's digest stands for."""
    digest = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(cifar10, "ARCHIVE", replace(cifar10.ARCHIVE, digest=digest, **changes))


def put_archive(data_dir: Path, content: bytes = WHOLE) -> Path:
    path = data_dir / "cifar10" / cifar10.ARCHIVE.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_unpacked(folder: Path, names: list[str] | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in CONTENTS if names is None else names:
        (folder / name).write_bytes(CONTENTS[name])


def spec(**keys: object) -> Cifar10Data:
    return Cifar10Data(kind="cifar10", **keys)


def read(data_dir: Path, size: int = 3, **keys: object) -> AnyArray:
    """Records as they were, put together again from the blocks."""
    parts = list(spec(**keys).blocks(data_dir, size))
    assert all(0 < len(images) == len(labels) <= size for images, labels in parts)
    return np.vstack([np.column_stack([labels, images]) for images, labels in parts])


def complaint(data_dir: Path, **keys: object) -> str:
    with pytest.raises(StagewiseError) as caught:
        read(data_dir, **keys)
    return str(caught.value)


PLACES = {
    "archive": put_archive,
    "unpacked": lambda data_dir: put_unpacked(data_dir / "cifar10"),
    "unpacked in its folder": lambda data_dir: put_unpacked(data_dir / "cifar10" / INSIDE),
}


@pytest.mark.parametrize("size", [1, 3, COUNT, 100])
@pytest.mark.parametrize("place", PLACES)
def test_the_training_batches_are_read_in_order_wherever_they_lie(
    place, size, tmp_path, no_network
):
    PLACES[place](tmp_path)
    assert read(tmp_path, size).tolist() == np.vstack(list(BATCHES.values())[:5]).tolist()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("batches", [[1], [1, 2], [5, 3], ["test"], [1, 2, 3, 4, 5, "test"]])
def test_any_subset_of_batches_is_read_when_the_config_says_so(
    batches, place, tmp_path, no_network
):
    PLACES[place](tmp_path)
    names = [name for batch, name in cifar10.BATCHES.items() if batch in batches]
    expected = np.vstack([BATCHES[name] for name in names])
    assert read(tmp_path, batches=batches).tolist() == expected.tolist()


def test_only_the_unpacked_batches_that_are_asked_for_need_be_there(tmp_path, no_network):
    put_unpacked(tmp_path / "cifar10", ["data_batch_2.bin"])
    assert read(tmp_path, batches=[2]).tolist() == BATCHES["data_batch_2.bin"].tolist()


@pytest.mark.parametrize("batches", [[], [0], [6], ["train"], [1, 1], 1])
def test_batches_that_do_not_exist_are_refused(batches):
    with pytest.raises(ValidationError, match="batches"):
        spec(batches=batches)


def test_the_archive_is_preferred_because_it_can_be_verified(tmp_path, no_network):
    put_unpacked(tmp_path / "cifar10")
    (tmp_path / "cifar10" / FIRST).write_bytes(b"")
    put_archive(tmp_path)
    assert len(read(tmp_path)) == 5 * COUNT


def test_nothing_is_unpacked_from_the_archive(tmp_path, no_network):
    path = put_archive(tmp_path)
    read(tmp_path)
    assert list(path.parent.iterdir()) == [path]


def test_the_archive_is_downloaded_when_nothing_is_there(tmp_path, mirrors, monkeypatch):
    mirrors.contents[cifar10.ARCHIVE.name] = WHOLE
    mirrors.faults["first"] = ["cut", "other content"]
    publish(WHOLE, monkeypatch, mirrors=mirrors.addresses[:1])
    with pytest.raises(StagewiseError, match="its MD5 is"):
        read(tmp_path)
    assert len(read(tmp_path)) == 5 * COUNT
    assert len(mirrors.asked) == 3


def test_pixels_are_scaled_to_one_and_labels_one_hot(tmp_path, no_network):
    put_archive(tmp_path)
    (moments,) = draw_moments("cifar10", spec(batches=[1, "test"]), str(tmp_path))
    used = np.vstack([BATCHES[FIRST], BATCHES["test_batch.bin"]])
    inputs, outputs = used[:, 1:] / 255, np.eye(10)[used[:, 0]]
    some = inputs[:, 1000:1050]
    np.testing.assert_allclose(
        moments.sigma_x[1000:1050, 1000:1050], some.T @ some / len(used), rtol=1e-12
    )
    np.testing.assert_allclose(moments.sigma_xy, inputs.T @ outputs / len(used), rtol=1e-12)


def test_a_missing_archive_is_named_with_what_could_be_put_there(tmp_path, no_network):
    assert complaint(tmp_path, batches=[2, "test"], download=False) == (
        f"{tmp_path / 'cifar10' / 'cifar-10-binary.tar.gz'} is not there. Put the file there, or "
        "data_batch_2.bin, test_batch.bin unpacked from it; CIFAR-10 is published at "
        "https://www.cs.toronto.edu/~kriz/. Or set data_dir in the config (or the variable "
        "STAGEWISE_DATA) to the folder whose sub-folder cifar10 has it."
    )


@pytest.mark.parametrize("content", [b"", WHOLE[:-9], WHOLE + b"!", archive({})])
def test_an_archive_that_is_not_the_published_one_is_refused(content, tmp_path, no_network):
    path = put_archive(tmp_path, content)
    assert complaint(tmp_path).startswith(f"{path} is not the original file of CIFAR-10: its MD5")


@pytest.mark.parametrize(
    "content",
    [b"", b"not a tar", gzip.compress(b"not a tar"), WHOLE[:-3000], WHOLE[: len(WHOLE) // 2]],
    ids=["empty", "text", "gzipped text", "cut at the end", "cut in the middle"],
)
def test_what_is_not_a_whole_gzipped_tar_is_refused(content, tmp_path, monkeypatch):
    publish(content, monkeypatch)
    path = put_archive(tmp_path, content)
    assert complaint(tmp_path).startswith(f"{path} cannot be read as a tar archive (")


def test_an_archive_without_a_batch_is_refused(tmp_path, monkeypatch):
    content = archive({name: each for name, each in CONTENTS.items() if name != FIRST})
    publish(content, monkeypatch)
    path = put_archive(tmp_path, content)
    assert complaint(tmp_path).startswith(f"{path} has no file {INSIDE}/{FIRST}; it holds {INSIDE}")
    assert len(read(tmp_path, batches=[2])) == COUNT


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_member_that_is_no_file_is_refused(kind, tmp_path, monkeypatch):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(f"{INSIDE}/{FIRST}")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    publish(packed.getvalue(), monkeypatch)
    path = put_archive(tmp_path, packed.getvalue())
    assert complaint(tmp_path, batches=[1]).startswith(f"{path} has no file {INSIDE}/{FIRST}; ")


def batch_complaint(content: bytes, size: int = 3) -> str:
    with pytest.raises(StagewiseError) as caught:
        list(cifar10.read_batch(io.BytesIO(content), "The batch", size))
    return str(caught.value)


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("length", [0, 1, RECORD - 1, RECORD, 2 * RECORD, COUNT * RECORD - 1])
def test_a_batch_that_ends_early_is_refused(length, size):
    assert batch_complaint(CONTENTS[FIRST][:length], size) == (
        f"The batch is truncated: it holds {length} bytes, and a batch of CIFAR-10 has "
        f"{COUNT * RECORD}. Fetch it again."
    )


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("extra", [1, RECORD])
def test_a_batch_that_goes_on_is_refused(extra, size):
    assert batch_complaint(CONTENTS[FIRST] + bytes(extra), size) == (
        f"The batch is longer than the {COUNT * RECORD} bytes of a batch of CIFAR-10. Is it a "
        "batch of the binary distribution?"
    )


@pytest.mark.parametrize("label", [10, 255])
@pytest.mark.parametrize("place", range(COUNT))
def test_a_label_beyond_nine_is_refused(place, label):
    content = BATCHES[FIRST].copy()
    content[place, 0] = label
    assert batch_complaint(content.tobytes()) == (
        f"The batch holds the label {label}, but those of CIFAR-10 go from 0 to 9. Is it a batch "
        "of the binary distribution?"
    )


@pytest.mark.parametrize("damage", ["cut", "long", "label"])
def test_a_damaged_unpacked_batch_is_named_by_its_path(damage, tmp_path, no_network):
    put_unpacked(tmp_path / "cifar10")
    content = CONTENTS[FIRST]
    path = tmp_path / "cifar10" / FIRST
    path.write_bytes(
        {"cut": content[:-1], "long": content + b"!", "label": b"\x0a" + content[1:]}[damage]
    )
    assert complaint(tmp_path).startswith(f"{path} ")
    with pytest.raises(StagewiseError, match=re.escape(f"{path} ")):
        Cifar10Data(kind="cifar10").look(tmp_path)


def test_a_damaged_batch_in_an_archive_is_named_by_both_paths(tmp_path, monkeypatch):
    content = archive(CONTENTS | {FIRST: CONTENTS[FIRST][:-1]})
    publish(content, monkeypatch)
    path = put_archive(tmp_path, content)
    assert complaint(tmp_path).startswith(f"{FIRST} in {path} is truncated: ")


def test_a_folder_in_the_place_of_a_batch_is_refused(tmp_path, no_network):
    put_unpacked(tmp_path / "cifar10")
    (tmp_path / "cifar10" / FIRST).unlink()
    (tmp_path / "cifar10" / FIRST).mkdir()
    sentence = complaint(tmp_path, download=False)
    assert "(" + f"{tmp_path / 'cifar10'} holds data_batch_2.bin, " in sentence


@pytest.mark.parametrize(
    "place", ["cifar10/sub/folder", "CIFAR10/cifar-10-batches-bin", "cifar-10-batches-bin"]
)
def test_batches_are_found_where_other_libraries_keep_them(place, tmp_path, no_network):
    put_unpacked(tmp_path / place)
    assert len(read(tmp_path, batches=[2])) == COUNT


def test_the_archive_may_be_unzipped(tmp_path, no_network):
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10/cifar-10-binary.tar").write_bytes(gzip.decompress(WHOLE))
    assert len(read(tmp_path, batches=[2])) == COUNT


@pytest.mark.parametrize(
    "place", ["cifar10/cifar-10-python.tar.gz", "cifar10/cifar-10-batches-py/data_batch_1"]
)
def test_the_version_for_python_is_never_loaded_and_the_binary_one_asked_for(
    place, tmp_path, no_network
):
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\x80\x04.")
    sentence = complaint(tmp_path, download=False)
    assert sentence.startswith(f"{tmp_path / 'cifar10/cifar-10-binary.tar.gz'} is not there.")
    assert f"{path} is the Python version of CIFAR-10" in sentence
    assert "pickles" in sentence


@FUZZ
@given(st.binary(max_size=3 * RECORD), st.integers(1, 5))
def test_random_bytes_are_refused_in_a_sentence(content, size):
    assert re.match("The batch (is truncated|holds the label)", batch_complaint(content, size))


@FUZZ
@given(st.data())
def test_damaged_archives_are_read_or_refused_in_a_sentence(data):
    unzipped = bytearray(gzip.decompress(WHOLE))
    for _ in range(data.draw(st.integers(1, 4))):
        # The headers of the members, where damage does most.
        block = 512 * data.draw(st.integers(0, len(unzipped) // 512 - 1))
        unzipped[block + data.draw(st.integers(0, 511))] = data.draw(st.integers(0, 255))
    read_or_refused(gzip.compress(bytes(unzipped), compresslevel=0))


@FUZZ
@given(st.data())
def test_damaged_compression_is_read_or_refused_in_a_sentence(data):
    content = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read_or_refused(bytes(content))


def read_or_refused(content: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        publish(content, patch)
        path = put_archive(Path(folder), content)
        try:
            result = read(Path(folder))
        except StagewiseError as error:
            result = str(error)
    assert str(path) in result if isinstance(result, str) else result.shape == (5 * COUNT, RECORD)
