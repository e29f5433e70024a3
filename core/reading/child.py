"""The child process that parses, seen from its parent: started when needed, killed when late, started anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from core.reading.text import TOO_LARGE, Refused, Text
from core.settings import settings

MEMORY = 1_000_000_000  # bytes of address space, those of the interpreter and of the parsers included
BROKEN = "its reader broke down over it: it is damaged, or made to do harm"
_ROOT = Path(__file__).parents[2]


class Parser:
    """Parses files, one after another, in a child that a bad file may kill without harm to the next.

    Use it in a `with` block, in one thread at a time: a child is kept until then, since starting one takes longer than
    most files do.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None

    def parse(self, kind: str, data: bytes) -> Text:
        """The text of a "pdf", "zip" (Office and EPUB), "html" or "csv" file; CSV comes as UTF-8. Raises Refused."""
        seconds = settings().file_timeout
        started = time.monotonic()
        line = self._asked(kind, data, seconds)
        if not line.endswith(b"\n"):
            self._end()
            late = time.monotonic() - started >= seconds
            raise Refused(f"reading it takes more than {seconds:g} seconds" if late else BROKEN)
        answer = json.loads(line)
        if reason := answer.get("refused"):
            if reason == TOO_LARGE:
                # What it had got by then it may hold still.
                self._end()
            raise Refused(reason)
        return Text(answer["text"], answer["title"], tuple(answer["pages"]), answer["note"])

    def _asked(self, kind: str, data: bytes, seconds: float) -> bytes:
        """The child's answer; what there is of it when the child has died."""
        process = self._process = self._process or _started(self._memory)
        requests, answers = _pipes(process)
        late = threading.Timer(seconds, process.kill)
        late.start()
        try:
            header = {"kind": kind, "size": len(data), "seconds": seconds}
            requests.write(json.dumps(header).encode() + b"\n" + data)
            requests.flush()
            return answers.readline()
        except BrokenPipeError:
            return b""
        finally:
            late.cancel()

    def _end(self) -> None:
        if process := self._process:
            self._process = None
            process.kill()
            process.wait()
            for pipe in _pipes(process):
                # What it was sent last has not reached it.
                with suppress(BrokenPipeError):
                    pipe.close()

    def __enter__(self) -> Parser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self._end()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    return cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)


def _started(memory: int) -> subprocess.Popen[bytes]:
    """A child without the environment, in which keys are."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    environment = {**kept, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-X", "utf8", "-m", "core.reading.worker", str(memory)]
    return subprocess.Popen(  # noqa: S603 - our own module, in our own interpreter
        command, cwd=_ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
