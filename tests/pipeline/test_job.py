"""A script's log, and the sentence that it ends with."""

import errno
from types import SimpleNamespace

import pytest

from stagewise.clock import read_cost
from stagewise.errors import StagewiseError
from stagewise.pipeline.job import logged


def job(path):
    return SimpleNamespace(log=[str(path)])


def test_what_is_printed_goes_to_the_log(tmp_path, capsys):
    with logged(job(tmp_path / "logs" / "rule.log")):
        print("σ = 1")
    said, log = "σ = 1\n", (tmp_path / "logs" / "rule.log").read_text(encoding="utf-8")
    assert log.startswith(said)
    assert read_cost(log.removeprefix(said)) is not None
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (StagewiseError("This is wrong."), "This is wrong."),
        (
            OSError(errno.ENOSPC, "No space left on device", "cache"),
            "cache cannot be written: No space left on device. Free disk space",
        ),
        (OSError(errno.EFBIG, "File too large"), "A file of this run cannot be written"),
        (MemoryError("Unable to allocate 9 TiB"), "more memory than there is (Unable to allocate"),
        (MemoryError(), "more memory than there is (no more was given)"),
    ],
)
def test_what_the_person_can_mend_is_a_sentence_and_exit_code_two(
    error, sentence, tmp_path, capsys
):
    with pytest.raises(SystemExit) as stop, logged(job(tmp_path / "rule.log")):
        raise error
    assert stop.value.code == 2
    for text in (capsys.readouterr().err, (tmp_path / "rule.log").read_text(encoding="utf-8")):
        assert sentence in text
        assert "Traceback" not in text


@pytest.mark.parametrize("error", [KeyError("x"), OSError(errno.EIO, "Input/output error")])
def test_a_fault_of_the_program_keeps_its_traceback(error, tmp_path):
    with pytest.raises(type(error)), logged(job(tmp_path / "rule.log")):
        raise error
    log = (tmp_path / "rule.log").read_text(encoding="utf-8")
    assert "Traceback" in log
    assert read_cost(log) is None


def say_and_fail(error):
    print("something")
    if error:
        raise error


@pytest.mark.parametrize("error", [None, StagewiseError("This is wrong.")])
def test_a_disk_so_full_that_the_log_cannot_be_written_is_a_sentence_too(error, capsys):
    with pytest.raises(SystemExit) as stop, logged(job("/dev/full")):
        say_and_fail(error)
    assert stop.value.code == 2
    assert (str(error) if error else "No space left on device") in capsys.readouterr().err
