"""What every script of a rule does around its one call: log, and fail in a sentence."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from stagewise.errors import StagewiseError


@contextmanager
def logged(snakemake: Any) -> Iterator[None]:
    """Send output to the rule's log; end with a sentence and exit code 2 on a StagewiseError."""
    log_path = Path(snakemake.log[0])
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("w", encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        try:
            yield
            return
        except StagewiseError as error:
            message = str(error)
            print(message)
        except Exception:
            traceback.print_exc()
            raise
    print(f"\n{message}\n", file=sys.stderr)
    sys.exit(2)
