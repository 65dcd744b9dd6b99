import gzip
import hashlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from stagewise.data import downloads
from stagewise.data.downloads import PublishedFile, mismatch, obtain
from stagewise.errors import StagewiseError

CONTENT = bytes(range(256)) * 40
NAME = "things.gz"
NOBODY = 65534
ARCHIVE = gzip.compress(CONTENT, mtime=0)
KINDS = {
    "content": hashlib.sha256(CONTENT).hexdigest(),
    "archive": hashlib.md5(ARCHIVE).hexdigest(),
}
FAULTS = ["missing", "other content", "web page", "cut", "cut at the start", "no length"]


def published(kind: str = "content", mirrors: tuple[str, ...] = ("http://127.0.0.1:9/",)):
    return PublishedFile("Things", NAME, mirrors, KINDS[kind], kind)


@pytest.fixture(params=KINDS)
def served(request, mirrors) -> PublishedFile:
    mirrors.contents[NAME] = ARCHIVE
    return published(request.param, mirrors.addresses)


def content_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def complaint(*arguments: object) -> str:
    with pytest.raises(StagewiseError) as caught:
        obtain(*arguments)
    return str(caught.value)


def test_a_missing_file_is_downloaded_whole_and_kept(served, mirrors, tmp_path):
    path = obtain(served, tmp_path / "new" / "folder", True)
    assert path == tmp_path / "new" / "folder" / NAME
    assert path.read_bytes() == ARCHIVE
    assert content_of(path.parent) == [NAME]
    assert mirrors.asked == [f"/first/{NAME}"]


@pytest.mark.parametrize("fault", FAULTS)
def test_the_second_mirror_is_used_when_the_first_fails(fault, served, mirrors, tmp_path):
    mirrors.faults["first"] = fault
    assert obtain(served, tmp_path, True).read_bytes() == ARCHIVE
    assert mirrors.asked == [f"/first/{NAME}", f"/second/{NAME}"]
    assert content_of(tmp_path) == [NAME]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_mirror_that_failed_is_asked_again(fault, served, mirrors, tmp_path):
    mirrors.faults |= {"first": [fault], "second": "missing"}
    assert obtain(served, tmp_path, True).read_bytes() == ARCHIVE
    assert mirrors.asked == [f"/first/{NAME}", f"/second/{NAME}", f"/first/{NAME}"]


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_stays_in_the_folder_when_every_mirror_fails(fault, served, mirrors, tmp_path):
    mirrors.faults |= {"first": fault, "second": fault}
    sentence = complaint(served, tmp_path / "things", True)
    assert sentence.startswith(
        f"{tmp_path / 'things' / NAME} is not there and could not be downloaded ("
    )
    for address in mirrors.addresses:
        assert sentence.count(f"{address}: ") == 1
    assert sentence.endswith(
        f"Put the file there; Things is published at {served.mirrors[0]}. Or set data_dir in the "
        "config (or the variable STAGEWISE_DATA) to the folder whose sub-folder things has it."
    )
    assert content_of(tmp_path / "things") == []
    assert len(mirrors.asked) == 2 * downloads.ROUNDS


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("missing", "HTTP 404"),
        ("cut", "ChunkedEncodingError"),
        ("no length", "(ValueError|InvalidHeader|ConnectionError)"),
    ],
)
def test_the_sentence_says_why_each_mirror_failed(fault, reason, served, mirrors, tmp_path):
    mirrors.faults |= {"first": fault, "second": "missing"}
    assert re.search(f"/first/: {reason}; http.*/second/: HTTP 404", complaint(served, tmp_path, 1))


def test_other_content_is_told_by_its_digest_and_size(mirrors, tmp_path):
    mirrors.contents[NAME] = b"something else"
    wanted = published("archive", mirrors.addresses[:1])
    digest = hashlib.md5(b"something else").hexdigest()
    assert f"/first/: its MD5 is {digest}, not {wanted.digest} (it has 14 bytes))" in complaint(
        wanted, tmp_path, True
    )


def test_a_mirror_that_does_not_answer_is_given_up(mirrors, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "TIMEOUT", 0.05)
    mirrors.contents[NAME] = ARCHIVE
    mirrors.faults["first"] = "silent"
    start = time.monotonic()
    assert obtain(published("content", mirrors.addresses), tmp_path, True).exists()
    assert time.monotonic() - start < 2


def test_a_mirror_that_cannot_be_reached_is_passed_over(mirrors, tmp_path):
    mirrors.contents[NAME] = ARCHIVE
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        assert obtain(published("content", (nobody, mirrors.addresses[1])), tmp_path, True).exists()


def test_the_file_appears_only_after_it_was_verified(served, tmp_path, monkeypatch):
    seen = []

    def look(file: PublishedFile, path: Path) -> str:
        seen.append(content_of(tmp_path))
        return mismatch(file, path)

    monkeypatch.setattr(downloads, "mismatch", look)
    obtain(served, tmp_path, True)
    assert seen == [[f".{NAME}.{os.getpid()}.part"]]


def test_what_a_killed_download_left_is_not_taken_for_the_file_and_goes(served, tmp_path):
    old, running = (tmp_path / f".{NAME}.{number}.part" for number in (1, 2))
    for path in (old, running):
        path.write_bytes(ARCHIVE[:20])
    os.utime(old, (0, 0))
    assert obtain(served, tmp_path, True).read_bytes() == ARCHIVE
    assert content_of(tmp_path) == [running.name, NAME]


def test_a_folder_that_cannot_be_made_is_named(served, mirrors, tmp_path):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "things"
    assert complaint(served, folder, True) == (
        f"{folder / NAME} is not there and cannot be downloaded to {folder}: Not a directory. Set "
        "data_dir in the config (or the variable STAGEWISE_DATA) to a folder that can be written "
        "to."
    )
    assert mirrors.asked == []


@contextmanager
def permissions(mode: int, folder: Path) -> Iterator[None]:
    """A folder with these permissions, for a user to whom they apply."""
    root = os.geteuid() == 0
    folder.chmod(mode)
    try:
        if root:
            os.seteuid(NOBODY)
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that every user reaches, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data = Path(folder, "data")
        data.mkdir()
        yield data


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_a_folder_that_is_read_only_is_used(kind, shared_folder, no_network):
    (shared_folder / NAME).write_bytes(ARCHIVE)
    with permissions(0o555, shared_folder):
        assert obtain(published(kind), shared_folder, True) == shared_folder / NAME
    assert content_of(shared_folder) == [NAME]


def test_a_file_that_is_missing_in_a_folder_that_is_read_only_is_named(
    served, mirrors, shared_folder
):
    with permissions(0o555, shared_folder):
        sentence = complaint(served, shared_folder, True)
    assert f"cannot be downloaded to {shared_folder}: Permission denied" in sentence
    assert "to a folder that can be written to." in sentence
    assert mirrors.asked == []


def test_a_folder_that_may_not_be_entered_is_named(served, mirrors, shared_folder):
    (shared_folder / NAME).write_bytes(ARCHIVE)
    with permissions(0o000, shared_folder):
        sentence = complaint(served, shared_folder, True)
    assert sentence.startswith(f"{shared_folder} cannot be looked at: Permission denied.")
    assert mirrors.asked == []


@pytest.mark.parametrize("download", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_the_folder_is_used_without_network(kind, download, tmp_path, no_network):
    (tmp_path / NAME).write_bytes(ARCHIVE)
    assert obtain(published(kind), tmp_path, download) == tmp_path / NAME


def test_an_unpacked_file_is_as_good_where_its_content_is_known(tmp_path, no_network):
    (tmp_path / "things").write_bytes(CONTENT)
    assert obtain(published("content"), tmp_path, True) == tmp_path / "things"
    assert "its MD5 is" in complaint(published("archive"), tmp_path, False)


@pytest.mark.parametrize("problem", ["", "it is too short"])
def test_an_unzipped_file_without_a_digest_is_judged_by_its_own_check(
    problem, tmp_path, no_network
):
    (tmp_path / "things").write_bytes(CONTENT)
    file = replace(published("archive"), unzipped=lambda path: problem)
    if not problem:
        assert obtain(file, tmp_path, True) == tmp_path / "things"
    else:
        assert f"not the original file of Things: {problem}. " in complaint(file, tmp_path, True)


@pytest.mark.parametrize(
    "place",
    [
        "things",
        "THINGS.gz",
        "things/things",
        "raw/things.gz",
        "a/b/c/things",
        "../Things/raw/things",
    ],
)
def test_a_file_is_found_under_the_names_and_in_the_folders_that_others_use(
    place, tmp_path, no_network
):
    path = tmp_path / "mine" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(ARCHIVE if path.suffix else CONTENT)
    found = obtain(published(), tmp_path / "mine", True, others=[tmp_path / "Things"])
    assert found.resolve() == path.resolve()


def test_of_two_copies_the_whole_one_is_used(tmp_path, no_network):
    (tmp_path / "raw").mkdir()
    (tmp_path / NAME).write_bytes(ARCHIVE[:-9])
    (tmp_path / "raw" / NAME).write_bytes(ARCHIVE)
    assert obtain(published(), tmp_path, True) == tmp_path / "raw" / NAME


def test_files_that_are_of_no_use_are_named(tmp_path, no_network):
    (tmp_path / "photographs.zip").touch()
    assert f"({tmp_path} holds photographs.zip, which is of no use for it)" in complaint(
        published(), tmp_path, False
    )


def test_the_same_content_compressed_in_another_way_is_the_original(tmp_path, no_network):
    (tmp_path / NAME).write_bytes(gzip.compress(CONTENT, compresslevel=1, mtime=12345))
    assert obtain(published("content"), tmp_path, True) == tmp_path / NAME
    assert "its MD5 is" in complaint(published("archive"), tmp_path, True)


def test_a_missing_file_that_may_not_be_downloaded_is_named_with_its_folder(tmp_path, no_network):
    hint = ", or something else"
    assert complaint(published(), tmp_path / "things", False, hint) == (
        f"{tmp_path / 'things' / NAME} is not there. Put the file there, or something else; Things "
        "is published at http://127.0.0.1:9/. Or set data_dir in the config (or the variable "
        "STAGEWISE_DATA) to the folder whose sub-folder things has it."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_the_folder_that_is_not_the_original_is_refused_and_kept(
    kind, tmp_path, no_network
):
    tampered = gzip.compress(CONTENT[:-1] + b"!", mtime=0)
    (tmp_path / NAME).write_bytes(tampered)
    sentence = complaint(published(kind), tmp_path, True)
    assert sentence.startswith(f"{tmp_path / NAME} is not the original file of Things: ")
    assert f"not {KINDS[kind]} (it has {len(tampered)} bytes). Put the right file" in sentence
    assert "Delete" not in sentence
    assert (tmp_path / NAME).read_bytes() == tampered


@pytest.mark.parametrize("length", [2, 5, 30, -8, -1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_in_the_folder_that_is_cut_is_refused(kind, length, tmp_path, no_network):
    (tmp_path / NAME).write_bytes(ARCHIVE[:length])
    problem = "it is not a whole gzip file" if kind == "content" else "its MD5 is"
    assert f"is not the original file of Things: {problem}" in complaint(
        published(kind), tmp_path, True
    )


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path, no_network):
    (tmp_path / NAME).mkdir()
    assert "is a folder that does not hold the file" in complaint(published(), tmp_path, True)


def test_progress_is_shown_on_the_terminal_even_where_a_log_stands_in_for_it(mirrors, tmp_path):
    mirrors.contents[NAME] = ARCHIVE
    program = (
        "import contextlib, io, pathlib, sys\n"
        "from stagewise.data.downloads import PublishedFile, obtain\n"
        f"file = {replace(published(), mirrors=mirrors.addresses)!r}\n"
        "with contextlib.redirect_stderr(io.StringIO()):\n"
        "    obtain(file, pathlib.Path(sys.argv[1]), True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert f"{mirrors.addresses[0]}{NAME}: 100%" in done.stderr
    assert done.stdout == ""
