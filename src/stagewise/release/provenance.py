"""Where a result came from: commit, configuration, versions, machine."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stagewise.store.files import write_text
from stagewise.store.parquet import canonical_hash, read_table

_LIBRARIES = ("numpy", "scipy", "numba", "pandas", "pyarrow", "matplotlib", "snakemake")


def provenance(config: Mapping[str, Any], aggregates: Sequence[Path]) -> dict[str, Any]:
    """Everything that a rebuild would be compared by, and what it was built with."""
    text = json.dumps(config, sort_keys=True)
    # Tables of one experiment have its name, in a folder for each kind.
    shared = os.path.commonpath([path.parent for path in aggregates]) if aggregates else ""
    return {
        "commit": git_commit(),
        "config": hashlib.sha256(text.encode()).hexdigest(),
        "aggregates": {
            path.relative_to(shared).as_posix(): content_hash(path) for path in aggregates
        },
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "machine": machine(),
    }


def content_hash(path: Path) -> str:
    """Canonical hash of a Parquet table; SHA-256 of the bytes of anything else."""
    if path.suffix == ".parquet":
        return canonical_hash(read_table(path))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_sidecar(config: Mapping[str, Any], aggregates: Sequence[Path], path: Path) -> None:
    """Write what a figure was made from and with, beside it and outside of what is compared."""
    write_text(json.dumps(provenance(config, aggregates), indent=2) + "\n", path)


def git_commit() -> str:
    """Commit of the working directory, marked when it has changes; "unknown" outside git."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()


def machine() -> dict[str, str]:
    """Processor, system and the kernel that the matrix library chose for it."""
    from threadpoolctl import threadpool_info  # only here: inspects loaded libraries

    blas = [each for each in threadpool_info() if each["user_api"] == "blas"]
    names = {f"{each['internal_api']} {each['version']} {each['architecture']}" for each in blas}
    return {
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "blas": ", ".join(sorted(names)) or "unknown",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
