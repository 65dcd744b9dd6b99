"""How the processes of a run start, and what they inherit: one thread each, and this package."""

import atexit
import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from stagewise.pipeline.job_server import start_server

THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "ARROW_NUM_THREADS",
)


def pin_threads() -> None:
    """Set every thread variable to 1 for this process and those it starts.

    Numerics on one thread are reproducible, and jobs run beside each other. Must be called before
    numpy is imported to have an effect on this process.
    """
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"


def share_package() -> None:
    """Let processes started from here import this very copy of the package, installed or not."""
    source = str(Path(__file__).resolve().parents[2])
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [source, *(path for path in others if path and path != source)]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def quote_interpreter() -> None:
    """Let Snakemake start scripts with an interpreter whose path the shell would split.

    Snakemake puts `sys.executable` into its commands as it is, and has no setting for it. Only this
    process, which plans and starts jobs, sees the quoted path; whatever else starts an interpreter here must split it.
    """
    sys.executable = shlex.quote(sys.executable)


def serve_jobs(workflow: Any) -> None:
    """Let the scripts of a run be forked from one process that has imported what they need.

    Snakemake starts a script with `sys.executable`, which becomes the client of that process; the
    process ends with this one. A script has an interpreter of its own where jobs are sent to a cluster,
    where no socket can be made, and on systems other than Linux, whose libraries may not survive a fork.
    """
    if sys.platform != "linux" or not workflow.local_exec:
        return
    with suppress(OSError):
        server, command = start_server(shlex.split(sys.executable))
        atexit.register(server.communicate)
        sys.executable = shlex.join(command)


def clear_stale_lock(directory: Path) -> None:
    """Remove the lock that a killed run of Snakemake left in a working directory.

    Every live run shares an advisory lock of its own, which the system releases when the process
    ends in whatever way. Only a process that gets it alone knows that Snakemake's lock files are stale.
    Where the folder cannot be written, or the file system has no advisory locks, all stay.
    """
    import fcntl  # not on every system that can at least check a configuration

    folder = directory / ".snakemake"
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
        held = os.open(folder / "alive.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(held, fcntl.LOCK_SH)
            return
        for stale in (folder / "locks").glob("*.lock"):
            stale.unlink(missing_ok=True)
        fcntl.flock(held, fcntl.LOCK_SH)
