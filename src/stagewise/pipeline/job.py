"""What every script of a rule does around its one call: log, and fail in a sentence."""

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from stagewise.clock import cost
from stagewise.errors import StagewiseError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


@contextmanager
def logged(snakemake: Any) -> Iterator[None]:
    """Send output to the rule's log; end with a sentence and exit code 2 on a StagewiseError.

    A disk without room ends so too, wherever it shows, be it in the log itself. The log ends with
    what the job cost.
    """
    log_path = Path(snakemake.log[0])
    message = ""
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with (
            log_path.open("w", encoding="utf-8") as log,
            redirect_stdout(log),
            redirect_stderr(log),
        ):
            try:
                yield
                print(cost(), end="")
            except Exception as error:
                message = _sentence(error)
                if not message:
                    traceback.print_exc()
                    raise
                print(message)
    except OSError as error:
        message = message or _sentence(error)
        if not message:
            raise
    if message:
        print(f"\n{message}\n", file=sys.stderr)
        sys.exit(2)


def _sentence(error: Exception) -> str:
    """What to tell the person; empty if the error is a fault of the program."""
    if isinstance(error, StagewiseError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return (
            f"{error.filename or 'A file of this run'} cannot be written: {error.strerror}. Free "
            "disk space, then run the same command again; finished results are kept."
        )
    if isinstance(error, MemoryError):
        return (
            f"This job needs more memory than there is ({str(error) or 'no more was given'}). Run fewer "
            "jobs at once (--cores), or lower runs_per_shard or the size of the data set in the "
            "config."
        )
    return ""
