"""The price of a flight between two cities, from fares.csv and cities.csv: invented sample data, edited by hand.

fares.csv holds each pair once and serves both directions. cities.csv holds the other names of a city, and cities
without a fare whose names are so like another one's that they would be taken for a slip.
"""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from core.errors import ToolError
from core.tools import tool
from core.tools._names import find, plain

_FOLDER = Path(__file__).parent
_SHOWN = 40  # Longest piece of an unknown name that is repeated in an answer, in characters.


@tool
def get_ticket_price(
    origin: Annotated[str, Field(description="The city the flight starts from")],
    destination: Annotated[str, Field(description="The city the flight goes to")],
) -> str:
    """The price of a flight ticket from one city to another.

    Sample data: the prices are invented, nobody sells at them.
    """
    start, end = _city(origin), _city(destination)
    if start == end:
        raise ToolError(f"{start} to {end} is the same city: there is no flight.")
    fare = _fares().get(frozenset((start, end)))
    if fare is None:
        raise ToolError(f"No fare is known from {start} to {end}.")
    price, currency = fare
    answer = {"origin": start, "destination": end, "price": price, "currency": currency, "note": "sample data"}
    return json.dumps(answer, ensure_ascii=False)


def _city(name: str) -> str:
    """The city that `name` means, or `name` itself when it is unknown."""
    if not plain(name):
        raise ToolError("A city is missing. Ask for it.")
    found = find(name, _names())
    if len(found) > 1:
        raise ToolError(f"{name.strip()[:_SHOWN]!r} may be {' or '.join(found)}. Ask which one is meant.")
    return found[0] if found else name.strip()[:_SHOWN]


@cache
def _fares() -> dict[frozenset[str], tuple[float, str]]:
    """Pair of cities -> price and currency."""
    return {
        frozenset((row["origin"], row["destination"])): (_price(row["price"]), row["currency"])
        for row in _rows("fares.csv")
    }


def _price(text: str) -> float:
    return float(text) if "." in text else int(text)


@cache
def _names() -> dict[str, frozenset[str]]:
    """Plain name -> the cities that are called so. "Paris, France" is a name of Paris, "Paris, Texas" is not."""
    names: dict[str, set[str]] = {}
    for row in _rows("cities.csv"):
        for name in (row["city"], *row["aliases"].split(";")):
            for spelled in (name, f"{name} {row['country']}"):
                names.setdefault(plain(spelled), set()).add(row["city"])
    return {name: frozenset(cities) for name, cities in names.items() if name}


def _rows(file: str) -> list[dict[str, str]]:
    with (_FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
