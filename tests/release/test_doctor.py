"""Each thing that can be wrong with a machine is found and has a remedy."""

import os
from pathlib import Path

import pytest

from stagewise.cli import main
from stagewise.release import doctor
from stagewise.release.doctor import Check


@pytest.mark.parametrize(
    ("check", "state"),
    [
        (doctor.python((3, 11)), "ok"),
        (doctor.python((3, 13)), "ok"),
        (doctor.python((3, 9)), "problem"),
        (doctor.python((3, 14)), "problem"),
        (doctor.cores(1), "note"),
        (doctor.cores(2), "ok"),
        (doctor.memory(4000.0, 4), "ok"),
        (doctor.memory(1200.0, 4), "note"),
        (doctor.memory(100.0, 1), "problem"),
        (doctor.disk(10_000.0), "ok"),
        (doctor.disk(10.0), "problem"),
        (doctor.threads(1), "ok"),
        (doctor.threads(8), "note"),
    ],
)
def test_what_is_not_well_has_a_remedy(check, state):
    assert check.state == state
    assert bool(check.remedy) == (state != "ok")


def test_too_little_memory_for_every_core_names_a_number_of_cores_that_fits():
    assert "CORES=2" in doctor.memory(1200.0, 4).remedy


def test_a_job_has_one_thread():
    assert doctor.threads_of_a_job() == 1


def test_versions_other_than_the_locked_are_named(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==0.0.1 \\\n    --hash=sha256:00\nno-such-thing==1.0\n", encoding="utf-8")
    check = doctor.packages(lock)
    assert check.state == "note"
    assert "numpy " in check.found
    assert "no-such-thing missing" in check.found
    assert doctor.packages(tmp_path / "none").state == "note"


def test_what_lies_in_a_folder_of_data_and_is_of_no_use_is_named(tmp_path):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "mnist" / "train").touch()
    found = {each.name: each for each in doctor.data_sets(tmp_path)}
    assert list(found) == ["data set cifar10", "data set fashion_mnist", "data set mnist"]
    assert {each.state for each in found.values()} == {"note"}
    assert "train" in found["data set mnist"].found
    assert "elete" not in "".join(each.found + each.remedy for each in found.values())


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "file").touch()
    blocked, free = doctor.write_access([tmp_path / "file" / "results", tmp_path / "results"])
    assert blocked.state == "problem"
    assert blocked.remedy
    assert free == Check(f"write to {tmp_path / 'results'}", "ok", "yes")
    assert os.listdir(tmp_path) == ["file"]


def test_the_report_counts_the_problems():
    well, ill = (
        Check("cores", "ok", "2\nor more"),
        Check("disk", "problem", "1 MB free", "Free some."),
    )
    assert doctor.report([well]).endswith("This machine can do a run.")
    text = doctor.report([well, ill])
    assert "    → Free some." in text
    assert text.endswith("1 to mend before a run.")


@pytest.mark.parametrize(("free", "code"), [(1e12, 0), (1e6, 1)])
def test_the_command_fails_when_there_is_a_problem(free, code, monkeypatch, capsys):
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(doctor, "free_megabytes", lambda: 1e6)
    assert main(["doctor"]) == code
    assert "Python" in capsys.readouterr().out


def test_all_say_the_same_of_pythons():
    root = Path(__file__).resolve().parents[2]
    assert 'requires-python = ">=3.11,<3.14"' in (root / "pyproject.toml").read_text()
    for name in ("Makefile", ".ci/run"):
        assert "not (3, 11) <= sys.version_info < (3, 14)" in (root / name).read_text()
    assert "Python 3.11 to 3.13" in (root / "README.md").read_text(encoding="utf-8")
    assert (doctor.OLDEST_PYTHON, doctor.TOO_NEW_PYTHON) == ((3, 11), (3, 14))
