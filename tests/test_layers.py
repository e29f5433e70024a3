"""Who may import whom: the design's rule, read from the syntax trees."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("core", "backends", "tabs")
FILES = [*sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py")), ROOT / "app.py"]

# A layer may import itself and those before it.
LAYERS = ("core", "backends", "tabs", "app")
# Vendors' packages, and the only places that may know them.
HOMES = {
    "gradio": ("tabs/", "app.py"),
    "openai": ("backends/openai.py", "backends/_openai/"),
    "anthropic": ("backends/claude.py", "backends/_claude/"),
    "ollama": ("backends/ollama.py", "backends/_ollama/"),
    "langchain": ("core/rag/",),
    "langchain_chroma": ("core/rag/",),
}
# Slow to import: the page must be up before any of them is.
HEAVY = {
    "accelerate", "anthropic", "bitsandbytes", "chromadb", "diffusers", "langchain", "llguidance", "openai",
    "sentence_transformers", "torch", "transformers",
}  # fmt: skip


def imports(path: Path) -> list[tuple[str, int, bool]]:
    """Every imported module of a file: its dotted name, the line, and whether it happens when the file is imported."""
    tree = ast.parse(path.read_text("utf-8"))
    late = {id(inner) for node in ast.walk(tree) if _is_late(node) for inner in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, id(node) not in late) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module or "", node.lineno, id(node) not in late))
    return found


def _is_late(node: ast.AST) -> bool:
    """A function's body, and what only a type checker reads."""
    typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or typing_only


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=where)
def test_a_layer_imports_only_what_is_below_it(path: Path) -> None:
    own = where(path).removesuffix(".py").split("/")[0]
    above = LAYERS[LAYERS.index(own) + 1 :]
    wrong = [(name, line) for name, line, _ in imports(path) if name.split(".")[0] in above]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=where)
def test_a_vendor_is_known_in_its_own_file_only(path: Path) -> None:
    wrong = [
        (name, line)
        for name, line, _ in imports(path)
        if not where(path).startswith(HOMES.get(name.split(".")[0], (where(path),)))
    ]
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=where)
def test_nothing_slow_is_imported_before_it_is_needed(path: Path) -> None:
    wrong = [(name, line) for name, line, at_once in imports(path) if at_once and name.split(".")[0] in HEAVY]
    assert not wrong


@pytest.mark.parametrize(("folder", "sign"), [("backends", "def backends"), ("tabs", "TITLE = ")])
def test_a_plug_in_never_imports_another(folder: str, sign: str) -> None:
    files = [path for path in (ROOT / folder).glob("[!_]*.py") if sign in path.read_text("utf-8")]
    plugs = {f"{folder}.{path.stem}": path for path in files}
    wrong = [
        (plug, name) for plug, path in plugs.items() for name, _, _ in imports(path) if name in plugs and name != plug
    ]
    assert plugs
    assert not wrong
