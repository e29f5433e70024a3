"""What is publicly known about a model, from tables that others maintain. Names no vendor: the tables are arguments.

Profiles come from LangChain's integration packages, which take them from models.dev; prices from genai-prices.
"""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.llm import Price

Profile = Mapping[str, Any]
UNKNOWN: Profile = MappingProxyType({})


def profile(package: str, model: str) -> Profile:
    """What `package` knows of `model`, or of the longest known id that it is a variant of; UNKNOWN if neither.

    The keys are those of `langchain_core.language_models.ModelProfile`: `max_input_tokens`, `tool_calling`,
    `temperature` (whether it may be sent), `reasoning_effort_levels` and so on. Any of them may be missing.
    """
    known = _profiles(package)
    names = [name for name in known if model == name or model.startswith((f"{name}-", f"{name}:", f"{name}@"))]
    return known[max(names, key=len)] if names else UNKNOWN


@cache
def _profiles(package: str) -> dict[str, Profile]:
    """The table of a package. Only its file is run: importing the package takes two seconds."""
    spec = find_spec(package)
    places = (spec.submodule_search_locations if spec else None) or []
    files = [file for place in places if (file := Path(place, "data", "_profiles.py")).is_file()]
    table: dict[str, Profile] = runpy.run_path(str(files[0])).get("_PROFILES", {}) if files else {}
    return table


@lru_cache(maxsize=512)
def price(provider: str, model: str) -> Price | None:
    """What `model` costs at `provider` (an id of genai-prices), or None. The table is the installed one, not fetched.

    Where long prompts cost more, this is the price of short ones.
    """
    from genai_prices import Usage, calc_price

    try:
        thousand = calc_price(Usage(input_tokens=1000, output_tokens=1000), model, provider_id=provider)
    except LookupError:
        return None
    return Price(float(thousand.input_price) * 1000, float(thousand.output_price) * 1000)
