"""The app as a person starts it: app.py in a process of its own, on a free port, with what a test sets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def launched(folder: Path, **environment: str) -> Iterator[str]:
    """The address of a running app; its log is `folder`/app.log. It ends with the block."""
    port = _free_port()
    variables = {
        **os.environ,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        **environment,
    }
    with (folder / "app.log").open("w") as log:
        command = [sys.executable, "-X", "importtime" if "IMPORTS" in environment else "utf8", str(ROOT / "app.py")]
        app = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield _answering(f"http://127.0.0.1:{port}", app)
        finally:
            app.terminate()
            app.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _answering(url: str, app: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 120
    while time.monotonic() < until and app.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                page.read()
            return url
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"the app did not answer; it ended with {app.poll()}")
