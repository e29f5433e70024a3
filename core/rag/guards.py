"""What keeps an index whole: one writer at a time, a full disk told as one, and nothing removed under a reader."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import DiskFull, IndexInUse

log = logging.getLogger(__name__)

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SQLITE_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE")


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Be the only one who changes the index. The system ends it with the process. Raises IndexInUse."""
    root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / "lock", timeout=0):
            yield
    except Timeout as taken:
        raise IndexInUse from taken


@contextmanager
def room(name: str) -> Iterator[None]:
    """Raise DiskFull for `name` where anything inside finds that the disk is."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(name) from error
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname in _SQLITE_FULL:
            raise DiskFull(name) from error
        raise


def reading(generation: Path) -> Path:
    """A mark that this process reads the generation, to be removed when it no longer does."""
    mark = generation / "readers" / f"{os.getpid()}-{uuid.uuid4().hex}"
    try:
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
    except OSError:
        # Where nothing can be written, nothing will be removed.
        log.info("%s cannot be marked as being read", generation)
    return mark


def is_read(generation: Path) -> bool:
    """Whether a process that still runs has marked it."""
    import psutil

    return any(psutil.pid_exists(int(mark.name.partition("-")[0])) for mark in generation.glob("readers/*-*"))
