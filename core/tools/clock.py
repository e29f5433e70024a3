"""What time it is in a city: the cities of the IANA time zones, and other large ones from zones.csv."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from core.errors import ToolError
from core.tools import tool
from core.tools._names import find, plain


@tool
def current_time(city: Annotated[str, Field(description="A city, for example Tokyo")]) -> str:
    """The current local time and date in a city."""
    names, zones = _cities()
    found = find(city, names)
    if not found:
        raise ToolError(f"The time zone of {city.strip()[:40]!r} is not known. Try a larger city nearby.")
    if len(found) > 1:
        raise ToolError(f"{city.strip()[:40]!r} may be {' or '.join(found)}. Ask which one is meant.")
    now = datetime.now(ZoneInfo(zones[found[0]]))
    answer = {
        "city": found[0].partition(" (")[0],
        "time": f"{now:%H:%M}",
        "date": f"{now:%A} {now.day} {now:%B %Y}",
        "zone": zones[found[0]],
    }
    return json.dumps(answer, ensure_ascii=False)


@cache
def _cities() -> tuple[dict[str, frozenset[str]], dict[str, str]]:
    """Plain name -> the cities that are called so, each as "City (Zone)"; and that -> its zone."""
    countries, names, zones = _countries(), dict[str, set[str]](), dict[str, str]()
    for city, zone in _rows():
        called = f"{city} ({zone})"
        zones[called] = zone
        for spelled in {city, city.partition(",")[0], f"{city} {countries.get(zone, '')}"}:
            names.setdefault(plain(spelled), set()).add(called)
    return {name: frozenset(cities) for name, cities in names.items()}, zones


def _rows() -> Iterator[tuple[str, str]]:
    """City and zone, from both tables; a city may be in both."""
    for zone in _countries():
        yield zone.rpartition("/")[2].replace("_", " "), zone
    with (Path(__file__).parent / "zones.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield from ((city, row["zone"]) for city in row["cities"].split(";"))


@cache
def _countries() -> dict[str, str]:
    """Zone -> the English name of its country, from the tables of the tzdata package."""
    names = dict(row[:2] for row in _table("iso3166.tab"))
    return {zone: names[country] for country, _, zone, *_ in _table("zone.tab")}


def _table(file: str) -> list[list[str]]:
    text = (resources.files("tzdata") / "zoneinfo" / file).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
