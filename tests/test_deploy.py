"""What deploys the app elsewhere, held against the libraries and the settings that it names."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from core.settings import Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def deployment() -> ModuleType:
    """deploy/modal_app.py, read by Modal's own library; no account is asked for until it is deployed."""
    spec = importlib.util.spec_from_file_location("modal_app", ROOT / "deploy" / "modal_app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_modal_takes_the_deployment(deployment: ModuleType) -> None:
    import modal

    assert isinstance(deployment.app, modal.App)
    assert isinstance(deployment.serve, modal.Function)
    assert isinstance(deployment.image, modal.Image)
    assert deployment.app.name == "switchboard"


def test_no_secret_and_nothing_kept_goes_into_an_image(deployment: ModuleType) -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for left_out in (deployment.UNWANTED, ignored):
        assert {".env", "data", ".git"} <= set(left_out)


@pytest.mark.parametrize("name", ["Dockerfile", "deploy/modal_app.py", "docs/deploy.md", "docs/privacy.md"])
def test_every_setting_that_is_named_is_one(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    named = set(re.findall(r"SWITCHBOARD_([A-Z_]+)", text))
    assert named
    assert named - {field.upper() for field in Settings.model_fields} == set()
