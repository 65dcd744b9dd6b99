"""Whatever a terminal can show, the command ends without a traceback."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def started(command, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [
            "bash",
            "-c",
            command.replace("stagewise", f"{shlex.quote(sys.executable)} -m stagewise.cli"),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("command", ["stagewise forecast --data digits", "stagewise claims"])
def test_output_is_written_in_characters_that_the_terminal_has(command, encoding):
    done = started(command, encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert "?" not in text
    if encoding == "ascii" and "forecast" in command:
        assert "0.5 x the stability bound" in text


def test_a_reader_that_leaves_early_is_no_error():
    done = started("stagewise claims | head -n 1; exit ${PIPESTATUS[0]}", "utf-8")
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1
