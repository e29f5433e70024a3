"""The child process that parses. It is given bytes on its input and answers on its output, and can do nothing else.

A request is a line of JSON, {"kind", "size", "seconds"}, and `size` bytes; an answer is a line of JSON, a Text or
{"refused"}. python -m core.reading.worker BYTES, of memory.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

from core.reading.text import DAMAGED, TOO_LARGE, Refused, Text

# What a parser of files has no business with. Raising ends the event, also in code of C.
_FORBIDDEN = (
    "socket.", "urllib.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.remove",
    "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "shutil.",
)  # fmt: skip


def main() -> None:
    """Answer requests until the input ends."""
    # Nothing that a library prints may come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit(int(sys.argv[1]))
    requests = sys.stdin.buffer
    while line := requests.readline():
        request = json.loads(line)
        _hurry(float(request["seconds"]))
        answers.write(json.dumps(_answer(request["kind"], requests, request["size"])).encode() + b"\n")
        answers.flush()


def _answer(kind: str, requests: BinaryIO, size: int) -> dict[str, Any]:
    try:
        return asdict(_parsed(kind, requests.read(size)))
    except Refused as reason:
        return {"refused": str(reason)}
    except MemoryError:
        return {"refused": TOO_LARGE}
    except Exception:  # a file that is broken, or made to break its reader, may raise anything
        return {"refused": DAMAGED}


def _parsed(kind: str, data: bytes) -> Text:
    """The text in `data`; each parser is imported when the first file of its kind comes."""
    match kind:
        case "pdf":
            from core.reading.pdf import read_pdf

            return read_pdf(data)
        case "zip":
            from core.reading.packed import read_packed

            return read_packed(data)
        case "html":
            from core.reading.html import read_html

            return read_html(data)
        case "csv":
            from core.reading.sheets import read_csv

            return read_csv(data.decode())
    raise ValueError(kind)


# --- what it may not do -----------------------------------------------------------------------------------------------


def _limit(memory: int) -> None:
    """No more than `memory` bytes, no files written, no network, no other program."""
    sys.addaudithook(_refuse)
    if sys.platform != "win32":
        import resource

        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _hurry(seconds: float) -> None:
    """End this process when it computes much longer than its parent waits: the parent may be gone."""
    if sys.platform != "win32":
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime + seconds) + 10
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(event)


if __name__ == "__main__":
    main()
