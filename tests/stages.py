"""Every backend on a stage where a test says what its model answers: the parameter list of test_backends.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from backends import claude, ollama, openai
from core.llm import Backend
from tests.services import Provider, Reply, Request


@dataclass(frozen=True)
class Stage:
    """A backend and one of its models, which thinks and calls tools.

    `say` gives the coming answers in order; `script` answers each request by itself. `left` waits until the work for
    an answer has ended because we left, and says when (time.monotonic).
    """

    backend: Backend
    model: str
    say: Callable[..., None]
    script: Callable[[Callable[[Request], Reply]], None]
    left: Callable[[], float]


Setting = Callable[[pytest.MonkeyPatch], AbstractContextManager[Stage]]


def remote(backend: Backend, model: str) -> Setting:
    """The stage of a backend that asks a service."""

    @contextmanager
    def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
        with Provider() as service:
            for name, value in service.environment().items():
                monkeypatch.setenv(name, value)

            def script(answer: Callable[[Request], Reply]) -> None:
                service.script = answer

            def left() -> float:
                assert service.hung_up.wait(2), "the service never saw that we left"
                return service.left_at

            yield Stage(backend, model, service.say, script, left)

    return setting


STAGES: dict[str, Setting] = {
    "openai": remote(openai.backends()[0], "gpt-4.1"),
    "claude": remote(claude.backends()[0], "claude-sonnet-5-5"),
    "ollama": remote(ollama.backends()[0], "llama3.2:3b"),
}
