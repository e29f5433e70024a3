"""A loopback Hugging Face Hub that has one model, under several names that stand for what can be wrong with one."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest


class Hub(ThreadingHTTPServer):
    """Speaks what huggingface_hub asks of the Hub for one model, `owner/tiny`."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.files = {
            p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
        }
        self.slow = threading.Event()
        self.cut = threading.Event()
        self.hung_up = threading.Event()
        self.sent: list[str] = []


class _Answers(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        _, *parts = self.path.partition("?")[0].split("/")
        if parts[:2] == ["api", "models"]:
            return self._about("/".join(parts[2:4]), parts[4:])
        if "resolve" not in parts:
            return self._send(404, b"{}", {})
        return self._file(_file_of(self.path), body=True)

    def do_HEAD(self) -> None:
        self._file(_file_of(self.path), body=False)

    def _about(self, name: str, rest: list[str]) -> None:
        refusals = {"owner/gated": (403, "GatedRepo"), "owner/none": (404, "RepoNotFound")}
        if name in refusals:
            status, code = refusals[name]
            return self._send(status, b"{}", {"X-Error-Code": code, "X-Error-Message": "no"})
        if rest == ["discussions"]:
            return self._send(200, json.dumps(_proposals(name)).encode(), {})
        files = {**self.server.files, "pytorch_model.bin": b"pickle", "onnx/model.json": b"{}"}
        # In the second one's revision refs/pr/4 the weights are not pickled.
        if name == "owner/pickled" or (name == "owner/converted" and not rest):
            files.pop("model.safetensors")
        rows = [{"rfilename": file, "size": len(data), "blobId": "b" * 40} for file, data in files.items()]
        return self._send(200, json.dumps({"id": name, "sha": "a" * 40, "siblings": rows}).encode(), {})

    def _file(self, name: str, body: bool) -> None:
        data = self.server.files[unquote(name)]
        self.send_response(200)
        for key, value in {"ETag": f'"{name}"', "X-Repo-Commit": "a" * 40, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.server.sent.append(name)
            self._body(name, data)

    def _body(self, name: str, data: bytes) -> None:
        try:
            if self.server.slow.is_set() and name == "model.safetensors":
                for byte in data:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.01)
            if self.server.cut.is_set() and name == "model.safetensors":
                self.wfile.write(data[: len(data) // 2])
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.wfile.write(data)
        except OSError:
            self.server.hung_up.set()

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Be silent."""


def _file_of(path: str) -> str:
    """The file that is asked for: what follows /owner/name/resolve/REVISION/."""
    return unquote(path.partition("?")[0]).partition("/resolve/")[2].replace("refs/pr/4", "main").partition("/")[2]


def _proposals(name: str) -> dict[str, Any]:
    row = {
        "num": 4, "title": "Adding `safetensors` variant of this model", "isPullRequest": True, "status": "open",
        "author": {"name": "SFconvertbot"}, "createdAt": "2023-03-01T00:00:00.000Z",
        "repo": {"name": name, "type": "model"},
    }  # fmt: skip
    rows = [row] if name == "owner/converted" else []
    return {"discussions": rows, "count": len(rows), "start": 0}


@contextmanager
def serving(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub whose model is the one in `folder`; what is downloaded goes below `home`."""
    server = Hub(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("HF_HUB_CACHE", str(home / "hub"))
    yield server
    server.shutdown()
    server.server_close()
