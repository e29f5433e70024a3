"""What every test stands on: no network but loopback, no keys, no settings of the machine."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.settings import settings
from tests.browsing import CHROMIUM
from tests.live import launched
from tests.services import Provider

if TYPE_CHECKING:
    from gradio_client import Client
    from playwright.sync_api import Browser

os.environ.update(
    HF_HUB_OFFLINE="1",
    GRADIO_ANALYTICS_ENABLED="False",
    TOKENIZERS_PARALLELISM="false",
    NO_PROXY="127.0.0.1,localhost",
    no_proxy="127.0.0.1,localhost",
)


def _is_setting(variable: str) -> bool:
    """Whether a variable of the machine would change what the app does."""
    if variable in ("SWITCHBOARD_TESTS_NEED_BROWSER", "NO_PROXY", "no_proxy"):
        return False
    ends = ("_API_KEY", "_BASE_URL", "_PROXY", "_TOKEN", "OLLAMA_HOST")
    return variable.startswith("SWITCHBOARD_") or variable.upper().endswith(ends)


for variable in filter(_is_setting, list(os.environ)):
    del os.environ[variable]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A loopback provider that every remote backend asks."""
    with Provider() as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        yield service


# --- the launched app: one for each module of tests that asks for it --------------------------------------------------


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """The loopback provider of the module's app. It answers as the module's SCRIPT says, if there is one."""
    with Provider() as provider:
        provider.script = getattr(request.module, "SCRIPT", provider.script)
        yield provider


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module's app runs, and leaves its log and its data."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def url(request: pytest.FixtureRequest, service: Provider, folder: Path) -> Iterator[str]:
    """The address of the module's app, started with the module's ENVIRONMENT."""
    with launched(folder, **(service.environment() | getattr(request.module, "ENVIRONMENT", {}))) as address:
        yield address


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    from gradio_client import Client

    return Client(url, verbose=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, "the browser tests must run here, and there is no Chromium"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)


# --- one test's own ---------------------------------------------------------------------------------------------------


@pytest.fixture
def limits() -> Iterator[Callable[..., None]]:
    """Set settings by name, for this test: limits(read_timeout=0.2)."""

    def limited(**values: object) -> None:
        for name, value in values.items():
            patch.setenv(f"SWITCHBOARD_{name.upper()}", str(value))
        settings.cache_clear()

    with pytest.MonkeyPatch.context() as patch:
        yield limited
    settings.cache_clear()


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail the test that opens a socket to any other machine, also when its code swallows the refusal."""
    escaped: list[str] = []
    for method in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method), escaped))
    yield
    assert not escaped, f"connections left this machine: {escaped}"


def _guarded(connect: object, escaped: list[str]) -> object:
    def guarded(self: socket.socket, address: object) -> object:
        host = address[0] if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(host)):
            escaped.append(str(host))
            raise ConnectionRefusedError(f"tests may not reach {host}")
        return connect(self, address)  # type: ignore[operator]

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
