"""What the maintained tables say, and that reading them costs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.catalogue import price, profile

ROOT = Path(__file__).parent.parent


def test_a_known_model() -> None:
    known = profile("langchain_anthropic", "claude-haiku-4-5")
    assert known["tool_calling"] is True
    assert known["max_output_tokens"] == 64000


@pytest.mark.parametrize(
    ("package", "model", "known"),
    [
        ("langchain_openai", "gpt-4.1-2025-04-14", "gpt-4.1"),
        ("langchain_openai", "gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("langchain_openai", "gpt-4.1:free", "gpt-4.1"),
        ("langchain_anthropic", "claude-sonnet-5-5-20260928", "claude-sonnet-5-5"),
        ("langchain_anthropic", "claude-sonnet-5@20260101", "claude-sonnet-5"),
    ],
)
def test_a_variant_has_the_profile_of_the_longest_known_name(package: str, model: str, known: str) -> None:
    assert profile(package, model) is profile(package, known)


@pytest.mark.parametrize("model", ["gpt-4.12", "gpt-99", "", "gpt", "-"])
def test_a_model_that_only_looks_alike_is_unknown(model: str) -> None:
    assert not profile("langchain_openai", model)


def test_a_package_that_is_not_installed_knows_nothing() -> None:
    assert not profile("no_such_package", "gpt-4.1")
    assert not profile("pytest", "gpt-4.1")


def test_prices_are_for_a_million_tokens() -> None:
    cost = price("openai", "gpt-4.1")
    assert cost is not None
    assert 0 < cost.input < cost.output < 100
    assert cost.of(500_000, 0) == pytest.approx(cost.input / 2)


@pytest.mark.parametrize(("provider", "model"), [("openai", "no-such-model"), ("nobody", "gpt-4.1"), ("", "")])
def test_an_unknown_price_is_none(provider: str, model: str) -> None:
    assert price(provider, model) is None


def test_neither_langchain_nor_a_vendor_is_imported() -> None:
    code = (
        "import sys; from core.catalogue import price, profile;"
        "assert profile('langchain_openai', 'gpt-4.1') and profile('langchain_anthropic', 'claude-haiku-4-5');"
        "assert 'genai_prices' not in sys.modules; assert price('openai', 'gpt-4.1');"
        "print([m for m in sys.modules if m.split('.')[0] in ('langchain_core', 'langchain_openai', 'openai')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
