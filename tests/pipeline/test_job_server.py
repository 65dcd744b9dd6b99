"""Jobs that are forked from one server behave as if each had an interpreter of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stagewise.pipeline.job_server import _is_ours, start_server


class Served:
    """A server, and scripts that it runs."""

    def __init__(self, folder):
        self.folder = folder
        self.process, self.command = start_server([sys.executable])

    def run(self, code, name="script"):
        script = self.folder / f"{name}.py"
        script.write_text(code, encoding="utf-8")
        return subprocess.run(
            [*self.command, script], capture_output=True, text=True, check=False, timeout=60
        )

    def said(self, code, name="script"):
        done = self.run(code, name)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path)
    yield served
    served.process.communicate(timeout=60)


def test_a_script_is_forked_and_has_the_streams_of_its_client(served):
    done = served.run("import os, sys; print(os.getppid()); print('σ', file=sys.stderr)")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{served.process.pid}\n", "σ\n")


@pytest.mark.parametrize(
    ("code", "status", "complaint"),
    [
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit(2)", 2, ""),
        ("import sys; sys.exit('no')", 1, "no\n"),
        ("{}['x']", 1, "KeyError: 'x'"),
        ("this is no Python", 1, "SyntaxError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137, "was killed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 137, "was killed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", 1, "KeyboardInterrupt"),
    ],
)
def test_a_client_ends_as_its_script_did(code, status, complaint, served):
    done = served.run(code)
    assert done.returncode == status
    assert complaint in done.stderr


def test_a_job_leaves_nothing_behind_for_the_next_but_what_it_imported(served):
    changes = "import os, colorsys; colorsys.left = os.environ['LEFT'] = 'here'; print('changed')"
    looks = "import os, sys; print('colorsys' in sys.modules, end=' '); import colorsys; "
    looks += "print(hasattr(colorsys, 'left'), 'LEFT' in os.environ)"
    assert served.said(looks) == "False False False"
    assert served.said(changes) == "changed"
    assert served.said(looks) == "True False False"


def test_what_cannot_be_imported_by_its_name_does_not_stop_the_server(served):
    served.said("import sys, types; sys.modules['of no file'] = types.ModuleType('of no file')")
    assert served.said("print('still here')") == "still here"


def test_many_jobs_run_at_once_each_with_its_own_output(served):
    def job(number):
        code = f"import time; time.sleep(0.3); print({number})"
        return served.said(code, name=f"script_{number}")

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(job, range(12))) == [str(number) for number in range(12)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_outlives_signals_that_end_jobs(number, served):
    os.kill(served.process.pid, number)
    assert served.said("print('still here')") == "still here"


def test_a_module_beside_the_working_directory_is_not_imported_in_place_of_a_library(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "selectors.py").write_text("raise RuntimeError")
    served = Served(tmp_path)
    assert served.said("import selectors; print('right')") == "right"
    served.process.communicate(timeout=60)


def test_the_server_ends_with_who_started_it(tmp_path):
    code = (
        "import os, sys; from stagewise.pipeline.job_server import start_server; "
        "server, _ = start_server([sys.executable]); print(server.pid, flush=True); "
        "os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    server = Path(f"/proc/{killed.stdout.decode().strip()}")
    deadline = time.monotonic() + 60
    while is_running(server) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(server)


def is_running(process):
    try:
        return "\nState:\tZ" not in (process / "status").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False


def test_without_a_server_a_script_has_an_interpreter_of_its_own(served):
    served.process.communicate(timeout=60)
    assert served.said("import os; print(os.getppid())") == str(os.getpid())


def test_another_user_is_not_served(monkeypatch):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert _is_ours(ours)
        monkeypatch.setattr(os, "getuid", lambda: 12345)
        assert not _is_ours(ours)
