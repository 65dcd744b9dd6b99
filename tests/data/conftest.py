"""A loopback server with two mirrors of stand-in files, either of which can be broken."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stagewise.data import downloads


class Mirrors:
    """Serves `contents` by file name; `faults` says how a mirror (first, second) fails.

    A fault is a name, or a list of names that are used up request by request.
    """

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.faults: dict[str, str | list[str]] = {}
        self.asked: list[str] = []
        mirrors = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                mirrors.asked.append(self.path)
                _, mirror, name = self.path.split("/")
                mirrors.answer(self, mirror, name)

            def log_message(self, *_: object) -> None:
                """Nothing: the test reads what was asked for."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()

    def answer(self, request: BaseHTTPRequestHandler, mirror: str, name: str) -> None:
        content = self.contents.get(name)
        fault = self.faults.get(mirror, "")
        if isinstance(fault, list):
            fault = fault.pop(0) if fault else ""
        if fault == "missing" or content is None:
            request.send_error(404)
            return
        if fault == "silent":
            time.sleep(0.3)
            return
        if fault == "other content":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if fault == "web page":
            content = b"<html>Sign in to this network</html>"
        request.send_response(200)
        length = "many" if fault == "no length" else str(len(content))
        request.send_header("Content-Length", length)
        request.end_headers()
        if fault != "cut at the start":
            request.wfile.write(content[: len(content) // 2] if fault == "cut" else content)

    @property
    def addresses(self) -> tuple[str, str]:
        base = f"http://127.0.0.1:{self.server.server_port}"
        return f"{base}/first/", f"{base}/second/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    served = Mirrors()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloads, "PAUSE", 0.01)
    yield served
    served.close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
