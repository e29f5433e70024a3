"""The app as a person starts it: app.py in a process of its own, on a free port, with what a test sets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


@contextmanager
def launched(folder: Path, *arguments: str, **environment: str) -> Iterator[str]:
    """The address of a running app; its log is `folder`/app.log. It ends with the block."""
    port = free_port()
    variables = {
        **os.environ,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        **environment,
    }
    with running(port, folder, folder / "app.log", variables, arguments) as address:
        yield address


@contextmanager
def running(
    port: int, cwd: Path, log: Path, variables: dict[str, str], arguments: Sequence[str] = (), **options: Any
) -> Iterator[str]:
    """The same with nothing but `variables` in its environment; `options` are those of Popen."""
    with log.open("w") as file:
        switches = ["-X", "importtime" if "IMPORTS" in variables else "utf8"]
        command = [sys.executable, *switches, str(ROOT / "app.py"), *arguments]
        app = subprocess.Popen(command, cwd=cwd, env=variables, stdout=file, stderr=subprocess.STDOUT, **options)
        try:
            yield answering(f"http://127.0.0.1:{port}", app)
        finally:
            app.terminate()
            app.wait(10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def answering(url: str, app: subprocess.Popen[bytes]) -> str:
    """`url`, once `app` answers there."""
    until = time.monotonic() + 120
    while time.monotonic() < until and app.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                page.read()
            return url
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"the app did not answer; it ended with {app.poll()}")
