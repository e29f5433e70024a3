"""A provider, a tool and a tab are each added in exactly one file: the three of README, dropped in and used."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import gradio as gr
import pytest

import backends
import core.tools
import tabs
from core.chat import add, converse
from core.llm import Conversation, Message

README = Path(__file__).parent.parent / "README.md"


def example(name: str) -> str:
    """The code block of README whose first line is the comment `# name`."""
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    return next(block for block in blocks if block.startswith(f"# {name}\n"))


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put README's examples where each package finds them; forget them afterwards."""
    for package, file in ((backends, "echo"), (core.tools, "word_count"), (tabs, "hello")):
        folder = tmp_path / package.__name__
        folder.mkdir()
        name = f"{package.__name__.replace('.', '/')}/{file}.py"
        (folder / f"{file}.py").write_text(example(name), "utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    backends.backends.cache_clear()
    importlib.invalidate_caches()
    yield
    backends.backends.cache_clear()
    for module in ("backends.echo", "core.tools.word_count", "tabs.hello"):
        sys.modules.pop(module, None)


@pytest.mark.usefixtures("drop")
async def test_a_provider_in_one_file_answers() -> None:
    backend, model = backends.find("echo/parrot")
    conversation: Conversation = (Message("user", "Hello there"),)
    async for event in converse(backend, model, conversation):
        conversation = add(conversation, event)
    assert conversation[-1].text == "Hello there"
    assert "echo/parrot" in [row.choice for row in await backends.choices(fresh=True) if row.available]


@pytest.mark.usefixtures("drop")
def test_a_tool_in_one_file_is_offered_and_runs() -> None:
    spec = core.tools.tools()["word_count"]
    assert spec.description == "How many words a text has."
    assert spec.parameters["required"] == ["text"]
    assert spec.run({"text": "one two three"}) == "3"


@pytest.mark.usefixtures("drop")
async def test_a_tab_in_one_file_is_on_the_page() -> None:
    from app import build
    from tabs.visiting import Keyring

    page = build(Keyring())
    labels = [block.label for block in page.blocks.values() if isinstance(block, gr.Tab)]
    assert "Hello" in labels


@pytest.mark.parametrize("name", ["backends/echo.py", "core/tools/word_count.py", "tabs/hello.py"])
def test_each_example_is_short(name: str) -> None:
    lines = [line for line in example(name).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) < 15


def test_modules_of_a_package_come_by_name() -> None:
    from core.plugins import modules

    found: list[ModuleType] = modules(core.tools)
    assert [module.__name__ for module in found] == sorted(module.__name__ for module in found)
    assert "core.tools.flights" in [module.__name__ for module in found]
