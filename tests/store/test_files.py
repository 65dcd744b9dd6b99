import errno
import os
import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from stagewise.errors import StagewiseError
from stagewise.store.files import replacing, write_text
from stagewise.store.parquet import write_table


def folder_content(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_text_file_appears_with_its_folders_and_in_utf_8(tmp_path):
    path = tmp_path / "a" / "b" / "text.txt"
    write_text("σ and λ\n", path)
    assert path.read_bytes() == "σ and λ\n".encode()
    assert folder_content(path.parent) == ["text.txt"]


def test_the_file_is_not_there_before_the_block_ends(tmp_path):
    path = tmp_path / "file"
    with replacing(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent
    assert path.read_text() == "half"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_half_written(failure, tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise failure

    with pytest.raises(failure):
        write_half()
    assert path.read_text() == "old"
    assert folder_content(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("write", "content"),
    [(write_table, pa.table({"real": np.arange(1000.0)})), (write_text, "x" * 100_000)],
)
def test_a_full_disk_is_a_sentence_that_says_so_and_leaves_nothing(write, content, tmp_path):
    path = tmp_path / "file"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        with pytest.raises(StagewiseError) as caught:
            write(content, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value).startswith(f"{path} cannot be written: ")
    assert os.strerror(errno.EFBIG) in str(caught.value)
    assert "Free disk space or fix the permissions" in str(caught.value)
    assert folder_content(tmp_path) == []


def test_a_failure_without_a_system_message_is_still_explained(tmp_path):
    def fail() -> None:
        with replacing(tmp_path / "file"):
            raise OSError("the writer gave up")

    with pytest.raises(StagewiseError, match="cannot be written: the writer gave up"):
        fail()


def test_a_folder_in_the_place_of_the_file_is_a_sentence(tmp_path):
    with pytest.raises(StagewiseError, match="cannot be written: Is a directory"):
        write_text("text", tmp_path)


def test_a_file_in_the_place_of_the_folder_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StagewiseError, match=r"file/below/text\.txt cannot be written: "):
        write_text("text", tmp_path / "file" / "below" / "text.txt")
