"""README and .env.example say what the code says."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from core.settings import Settings
from tabs import tabs

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")


def table() -> str:
    """The settings as README shows them."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `SWITCHBOARD_{name.upper()}` | `{field.default}` | {field.description} |".replace("``", ""))
    return "\n".join(rows)


def test_the_settings_table_is_the_code() -> None:
    assert table() in README


def test_every_setting_and_every_key_stands_in_the_example_file() -> None:
    named = re.findall(r"`([A-Z]+_(?:API_KEY|TOKEN|HOST))`", README)
    assert {"OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OLLAMA_HOST"} <= set(named)
    for variable in [*named, *(f"SWITCHBOARD_{name.upper()}" for name in Settings.model_fields)]:
        assert re.search(rf"^#? ?{variable}=", EXAMPLE, re.MULTILINE), variable


def test_the_example_file_sets_nothing_by_itself() -> None:
    assert all(line.startswith("#") or not line for line in EXAMPLE.splitlines())


def test_a_space_gets_the_gradio_that_is_tested() -> None:
    front = README.split("---")[1]
    assert f"sdk_version: {version('gradio')}" in front
    app_file = re.search(r"app_file: (\S+)", front)
    assert app_file
    assert (ROOT / app_file[1]).is_file()
    assert f"gradio=={version('gradio')}" in (ROOT / "requirements.txt").read_text("utf-8")


def test_every_file_that_readme_names_is_there() -> None:
    tree = README.split("## The tree")[1].split("```")[1]
    for line in tree.strip().splitlines():
        name, indented = line.split()[0], line.startswith(" ")
        assert (ROOT / ("core" if indented else "") / name).exists(), name
    for link in re.findall(r"\]\(([\w./-]+)\)", README):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_file_that_a_page_of_docs_names_is_there(path: Path) -> None:
    for link in re.findall(r"\]\(((?!https?:)[\w./-]+)\)", path.read_text("utf-8")):
        assert (path.parent / link).exists(), link


def test_every_tab_has_a_page_that_tells_what_it_teaches_how_and_where() -> None:
    for tab in tabs():
        page = (ROOT / "docs" / f"{tab.TITLE.lower()}.md").read_text("utf-8").lower()
        assert f"docs/{tab.TITLE.lower()}.md" in README
        assert "## how it works" in page, tab.TITLE
        assert re.search(r"what it teaches|what small models do", page), tab.TITLE
        # The code to read is linked, so that the test above holds it.
        assert len(re.findall(r"\]\(\.\./[\w./]+\.py\)", page)) >= 2, tab.TITLE
