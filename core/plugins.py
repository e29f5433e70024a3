"""Finding what was dropped into a folder: every module of a package, imported."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def modules(package: ModuleType) -> list[ModuleType]:
    """Every module directly inside `package`, imported, by name, but for names that start with "_": parts of others.

    A module that cannot be imported raises.
    """
    found = iter_modules(package.__path__, prefix=f"{package.__name__}.")
    return [import_module(info.name) for info in sorted(found, key=lambda info: info.name) if "._" not in info.name]
