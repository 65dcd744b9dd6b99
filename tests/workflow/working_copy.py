"""Working copies of the repository, and the environment's own Snakemake run in them."""

import atexit
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from stagewise.store.parquet import canonical_hash, read_table

REPOSITORY = Path(__file__).resolve().parents[2]
TINY = Path(__file__).with_name("tiny.yaml")
SNAKEMAKE = Path(sys.executable).parent / "snakemake"

RESULTS = "results/tiny"
FIGURES = "figures/tiny"

_NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv", ".snakemake", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis"
)
_BUILT = ("results", "figures", "logs", ".snakemake")


def copy_repository(target: Path, config: Path | None = TINY) -> Path:
    """Copy what git tracks or would track, or all sources where git cannot tell; no .git.

    config : takes the place of config.yaml in the copy; None keeps it. What Numba has compiled here,
    if anything, comes along: it is as good there, and takes half a minute.
    """
    sources = _files_known_to_git()
    if sources is None:
        shutil.copytree(REPOSITORY, target, ignore=_NOT_SOURCE)
        for folder in _BUILT:
            shutil.rmtree(target / folder, ignore_errors=True)
    else:
        for source in sources:
            (target / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / source, target / source)
    for compiled in REPOSITORY.glob("src/**/__pycache__/*.nb[ci]"):
        place = target / compiled.relative_to(REPOSITORY)
        place.parent.mkdir(exist_ok=True)
        shutil.copy2(compiled, place)
    if config is not None:
        shutil.copyfile(config, target / "config.yaml")
    return target


def _files_known_to_git() -> list[str] | None:
    if not (REPOSITORY / ".git").exists():
        return None
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
    return [name for name in names if (REPOSITORY / name).is_file()]


def clone(copy: Path, target: Path) -> Path:
    """A working copy with all that was built in it, and with its modification times."""
    shutil.copytree(copy, target, symlinks=True)
    return target


def forget_results(copy: Path) -> Path:
    """Remove all that was built in a working copy."""
    for folder in _BUILT:
        shutil.rmtree(copy / folder, ignore_errors=True)
    return copy


@dataclass(frozen=True)
class Outcome:
    """How a call of Snakemake ended and what it printed."""

    returncode: int
    output: str

    @property
    def jobs(self) -> list[str]:
        """The messages of the jobs that were run, or that a dry run lists, in sorted order."""
        return sorted(re.findall(r"^Job \d+: (.*)$", self.output, re.MULTILINE))

    @property
    def nothing_to_do(self) -> bool:
        return "Nothing to be done" in self.output and not self.jobs


def snakemake_command(*arguments: str, cores: int = 2) -> list[str]:
    return [str(SNAKEMAKE), "--cores", str(cores), *arguments]


def environment() -> dict[str, str]:
    """This process's environment without what would point Snakemake or Python elsewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SNAKEMAKE_", "STAGEWISE_", "PYTHON"))
    }
    return kept | {"PATH": os.pathsep.join([str(SNAKEMAKE.parent), os.environ.get("PATH", "")])}


def run_snakemake(
    copy: Path, *arguments: str, cores: int = 2, file_limit: int | None = None
) -> Outcome:
    """Run Snakemake in a working copy and wait for it, in a fork of a process that has imported it.

    file_limit : bytes that a file may have, as on a disk that is full from there on.
    """
    starter = _starter()
    assert starter.stdin is not None
    assert starter.stdout is not None
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as printed:
        request = [str(copy), printed.name, ["--cores", str(cores), *arguments], file_limit]
        starter.stdin.write(json.dumps(request) + "\n")
        starter.stdin.flush()
        return Outcome(int(starter.stdout.readline()), printed.read())


@cache
def _starter() -> subprocess.Popen[str]:
    starter = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("starter.py")],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(starter.communicate)
    return starter


def build(copy: Path, *arguments: str, cores: int = 2) -> Outcome:
    """Run Snakemake in a working copy; it must succeed."""
    outcome = run_snakemake(copy, *arguments, cores=cores)
    assert outcome.returncode == 0, outcome.output
    return outcome


def dry_run(copy: Path, *arguments: str) -> Outcome:
    """A dry run of Snakemake in a working copy."""
    return run_snakemake(copy, "--dry-run", *arguments)


def planned(copy: Path, *arguments: str) -> list[str]:
    """The jobs that the next call would run, by their messages."""
    outcome = dry_run(copy, *arguments)
    assert outcome.returncode == 0, outcome.output
    return outcome.jobs


def merge(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Sections are merged, everything else is replaced, as Snakemake does with overlays."""
    merged = dict(base)
    for key, value in changes.items():
        inner = merged.get(key)
        both = isinstance(inner, dict) and isinstance(value, Mapping)
        merged[key] = merge(inner, value) if both else value
    return merged


def change_config(copy: Path, changes: Mapping[str, Any]) -> None:
    """Edit config.yaml of a working copy."""
    path = copy / "config.yaml"
    config = merge(yaml.safe_load(path.read_text(encoding="utf-8")), changes)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)


def replace(path: Path, old: str, new: str) -> None:
    """Replace a text that occurs in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def fingerprints(copy: Path, run: str = "tiny") -> dict[str, str]:
    """Canonical hashes of the aggregates; of all else that must not change, those of the bytes."""
    results, figures = copy / "results" / run, copy / "figures" / run
    aggregates = sorted(results.glob("*.parquet"))
    others = [
        *(results / "moments").iterdir(),
        *(results / "tables").iterdir(),
        *(results / name for name in ("claims.json", "macros.tex", "verdicts.txt")),
        *figures.glob("*.pdf"),
        *figures.glob("*.png"),
    ]
    hashes = {path: canonical_hash(read_table(path)) for path in aggregates}
    hashes |= {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(others)}
    return {path.relative_to(copy).as_posix(): value for path, value in hashes.items()}


def built_files(copy: Path) -> dict[str, tuple[int, int]]:
    """Size and modification time of every file below results, figures and logs."""
    files = (
        path
        for folder in ("results", "figures", "logs")
        for path in (copy / folder).rglob("*")
        if path.is_file()
    )
    return {
        path.relative_to(copy).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in files
    }
