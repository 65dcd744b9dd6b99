"""A process that has the libraries already, from which each job is forked.

To start Python and import what a job needs takes longer than many a job. Each job is a process of
its own still, with nothing left in it from jobs before but imported modules: the server imports what
a script names at its top, and afterwards what the job had to import besides.
"""

import ast
import gc
import os
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

_CLIENT = Path(__file__).with_name("job_client.py")
_READ = 1 << 16


def start_server(python: Sequence[str]) -> tuple["subprocess.Popen[bytes]", list[str]]:
    """A server, which lives until its standard input ends, and the command that precedes a script.

    python : the command of the interpreter.

    Raises
    ------
    OSError : no such socket can be made here.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # the system finds a name that is no file
        listener.listen(128)
        server = subprocess.Popen(
            [*python, "-P", "-m", "stagewise.pipeline.job_server", str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
        )
        name = listener.getsockname()[1:].decode()
    return server, [*python, "-I", "-S", str(_CLIENT), name]


def serve(listener: socket.socket) -> None:
    """Fork a process for each script that a client asks for, until standard input ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # A job is over before garbage matters, and to look for it while libraries are imported and figures
    # drawn is an eighth of what a figure costs.
    gc.disable()
    learned, teach = os.pipe()
    with selectors.DefaultSelector() as waiting:
        for source in (sys.stdin.fileno(), learned, listener.fileno()):
            waiting.register(source, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in waiting.select()}
            if sys.stdin.fileno() in ready:
                return
            if learned in ready:
                _import(os.read(learned, _READ).decode().split())
            if listener.fileno() in ready:
                _answer(listener, teach)
            _reap()


def _answer(listener: socket.socket, teach: int) -> None:
    """Fork a process for the script that the next client asks for."""
    link, _ = listener.accept()
    with link:
        script, streams, _, _ = socket.recv_fds(link, _READ, 3)
        if script and _is_ours(link):
            _import(_imports(os.fsdecode(script)))
            if os.fork() == 0:
                listener.close()  # or clients would find it when the server is gone
                _run(os.fsdecode(script), streams, link, teach)
        for stream in streams:
            os.close(stream)


def _is_ours(link: socket.socket) -> bool:
    """Whether this user asks: the name of a socket keeps no other user out."""
    width = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, width))
    return bool(user == os.getuid())


def _imports(script: str) -> list[str]:
    """Modules that a script names at its top."""
    try:
        tree = ast.parse(Path(script).read_bytes())
    except (OSError, SyntaxError):
        return []  # the job will say so
    modules = [each.module for each in tree.body if isinstance(each, ast.ImportFrom)]
    return [each for each in modules if each]


def _import(modules: list[str]) -> None:
    for name in modules:
        with suppress(Exception):  # some go by a name that cannot be imported; jobs then do it
            import_module(name)
    gc.freeze()


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _run(script: str, streams: list[int], link: socket.socket, teach: int) -> NoReturn:
    """Be the process of one job; ends without taking the libraries down, which takes longer."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    known = set(sys.modules)
    code = _exit_code(script)
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    with suppress(OSError):  # whoever asked, or the server, may be gone
        for name in [each for each in sys.modules if each not in known]:
            os.write(teach, f"{name}\n".encode())
        link.send(bytes([code]))
    os._exit(code)


def _exit_code(script: str) -> int:
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        serve(listener)
