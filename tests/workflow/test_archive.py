"""An archive, unpacked elsewhere, draws its figures again without simulating."""

import subprocess
import sys
import zipfile
from pathlib import Path

from .working_copy import FIGURES, RESULTS, environment

PICTURES = ("*.pdf", "*.png")


def command(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "stagewise.cli", *arguments],
        cwd=copy,
        env=environment() | {"PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pictures(copy: Path) -> dict[str, bytes]:
    folder = copy / FIGURES
    return {path.name: path.read_bytes() for pattern in PICTURES for path in folder.glob(pattern)}


def test_an_archive_unpacked_elsewhere_draws_the_same_figures(built, tmp_path):
    assert f"{RESULTS}/stagewise.zip" in command(built, "archive")
    elsewhere = tmp_path / "ausgepackt für später"
    with zipfile.ZipFile(built / RESULTS / "stagewise.zip") as archive:
        archive.extractall(elsewhere)
    assert not (elsewhere / RESULTS / "trajectories").exists()
    drawn = pictures(built)
    assert pictures(elsewhere) == drawn
    for name in drawn:
        (elsewhere / FIGURES / name).unlink()
    printed = command(elsewhere, "figures").splitlines()
    assert sorted(printed) == sorted(f"{FIGURES}/{name}" for name in drawn)
    assert pictures(elsewhere) == drawn
    check = ["sha256sum", "--check", "--quiet", "checksums.sha256"]
    subprocess.run(check, cwd=elsewhere, check=True)
