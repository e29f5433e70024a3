"""The tools that come with the app: what they answer, and what they refuse to guess."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.errors import ToolError
from core.tools import tools
from core.tools._names import find, plain

FOLDER = Path(__file__).parent.parent / "core" / "tools"


def rows(file: str) -> list[dict[str, str]]:
    with (FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def price(origin: str, destination: str) -> dict[str, object]:
    return json.loads(tools()["get_ticket_price"].run({"origin": origin, "destination": destination}))


def clock(city: str) -> dict[str, str]:
    return json.loads(tools()["current_time"].run({"city": city}))


def calculate(expression: str) -> str:
    return tools()["calculate"].run({"expression": expression})


def test_the_folder_offers_four_tools_and_none_of_its_parts() -> None:
    assert sorted(tools()) == ["calculate", "current_time", "get_ticket_price", "search_knowledge_base"]


# --- flights ----------------------------------------------------------------------------------------------------------


def test_every_fare_is_served_in_both_directions() -> None:
    fares = rows("fares.csv")
    assert len(fares) >= 60
    for fare in fares:
        there, back = price(fare["origin"], fare["destination"]), price(fare["destination"], fare["origin"])
        assert there["price"] == back["price"] == float(fare["price"]) > 0
        assert there["currency"] == fare["currency"]
        assert there["note"] == "sample data"


def test_the_files_hold_every_pair_once_and_every_city() -> None:
    pairs = [frozenset((fare["origin"], fare["destination"])) for fare in rows("fares.csv")]
    assert len(pairs) == len(set(pairs))
    assert {city for pair in pairs for city in pair} <= {row["city"] for row in rows("cities.csv")}


def test_no_city_is_taken_for_another_one() -> None:
    """Every name in the file, also those that differ from another by a letter, means its own city."""
    for row in rows("cities.csv"):
        names = [row["city"], *filter(None, row["aliases"].split(";"))]
        for name in names:
            with pytest.raises(ToolError, match=r"same city|may be"):
                price(name, row["city"])


def test_what_people_type_is_understood() -> None:
    expected = price("Delhi", "Paris")
    for origin in ("delhi", "  DELHI ", "New Delhi", "Dehli", "Delhi, India", "DEL"):
        for destination in ("paris", "París", "Paris, France", "CDG"):
            assert price(origin, destination) == expected
    assert price("NYC", "Bombay")["destination"] == "Mumbai"
    assert price("Saigon", "bangkok")["origin"] == "Ho Chi Minh City"
    assert price("sao paulo", "Frankfrut")["origin"] == "São Paulo"


@pytest.mark.parametrize(
    "name", ["Delft", "Lublin", "Vienne", "Genova", "Montreux", "Bolton", "Lomé", "Paris, Texas", "Pari", "Atlantis"]
)
def test_a_wrong_city_is_never_taken(name: str) -> None:
    with pytest.raises(ToolError, match=r"^No fare is known from .* to London\.$"):
        price(name, "London")


@pytest.mark.parametrize(
    ("origin", "destination", "sentence"),
    [
        ("Delhi", "Lima", r"^No fare is known from Delhi to Lima\.$"),
        ("New York", "nyc", "is the same city"),
        ("San Jose", "Lima", "San Jose, California or San José, Costa Rica"),
        ("", "Paris", "A city is missing"),
        ("x" * 500, "Paris", "No fare is known from x{40} to Paris"),
    ],
)
def test_the_rest_is_said_in_a_sentence(origin: str, destination: str, sentence: str) -> None:
    with pytest.raises(ToolError, match=sentence):
        price(origin, destination)


def test_sample_data_is_marked_where_the_tool_is_shown() -> None:
    assert "Sample data" in tools()["get_ticket_price"].note


def test_a_slip_that_fits_two_names_is_ambiguous() -> None:
    known = {plain(name): frozenset({name}) for name in ("Harlow", "Harrow")}
    assert find("Harroww", known) == ("Harrow",)
    assert find("Harvow", known) == ("Harlow", "Harrow")


def test_slips_never_join_two_known_names() -> None:
    """Names within the allowed distance of each other stay apart because each is known as it stands."""
    names = [row["city"] for row in rows("cities.csv")]
    known = {plain(name): frozenset({name}) for name in names}
    assert all(find(a, known) != find(b, known) for a, b in combinations(names, 2))


# --- clock ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("city", "zone"),
    [
        ("Tokyo", "Asia/Tokyo"),
        ("new delhi", "Asia/Kolkata"),
        ("Zürich", "Europe/Zurich"),
        ("Kathmandoo", "Asia/Kathmandu"),
        ("Wellington", "Pacific/Auckland"),
        ("Brasilia", "America/Sao_Paulo"),
        ("Paris, France", "Europe/Paris"),
        ("san francisco", "America/Los_Angeles"),
    ],
)
def test_the_time_in_a_city(city: str, zone: str) -> None:
    answer = clock(city)
    assert answer["zone"] == zone
    told = datetime.strptime(f"{answer['date']} {answer['time']}", "%A %d %B %Y %H:%M").replace(tzinfo=ZoneInfo(zone))
    assert abs((datetime.now(UTC) - told).total_seconds()) < 120


@pytest.mark.parametrize(("city", "sentence"), [("Atlantis", "is not known"), ("San Jose", "California.*or.*Costa")])
def test_a_city_that_is_unknown_or_ambiguous(city: str, sentence: str) -> None:
    with pytest.raises(ToolError, match=sentence):
        clock(city)


def test_every_zone_of_the_table_exists() -> None:
    assert all(ZoneInfo(row["zone"]).key == row["zone"] for row in rows("zones.csv"))


# --- calculator -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 1", "2"),
        ("(3 + 4) * 2 - 1", "13"),
        ("-3 ** 2", "-9"),
        ("2 ^ 10", "1024"),
        ("7 // 2 + 7 % 4", "6"),
        ("0.1 + 0.2", "0.3"),
        ("3 × 4 ÷ 2", "6"),
        ("20% of 50", "10"),
        ("17.5 % of 2,340", "409.5"),
        ("1,234,567 + 1", "1234568"),
        ("max(1,200)", "200"),
        ("10 + 15 percent of 80 =", "22"),
        ("sqrt(16) + min(3, 1, 2) + max(1, 5)", "10"),
        ("round(2.567, 1)", "2.6"),
        ("round(pi)", "3"),
        ("123456789 * 987654321", "121932631112635269"),
    ],
)
def test_arithmetic(expression: str, value: str) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("1 / 0", "Division by zero"),
        ("sqrt(-1)", "not defined"),
        ("(-8) ** 0.5", "not a real number"),
        ("9 ** 9 ** 9", "too large"),
        ("1e308 * 10", "too large"),
        ("10**600 * 10**600", "too large"),
        ("round(5, -1000000000)", "at most 15"),
        ("1" * 301, "too long"),
        ("1,00 * 2", "cannot be read"),
        ("factorial(10)", "'factorial' is not known"),
        ("", "cannot be read"),
        ("2 +", "cannot be read"),
        ("True", "cannot be read"),
        ("1or 2", "cannot be read"),
        ("'a' * 1000", "cannot be read"),
        ("(1).__class__", "cannot be read"),
        ("__import__('os').getcwd()", "cannot be read"),
        ("[x for x in (1, 2)]", "cannot be read"),
    ],
)
def test_what_is_not_arithmetic_ends_in_a_sentence(expression: str, sentence: str) -> None:
    with pytest.raises(ToolError, match=sentence):
        calculate(expression)


@pytest.mark.parametrize("expression", ["(" * 149 + "1" + ")" * 149, "-" * 299 + "1", "2**2**2**2**2**2", "9" * 300])
def test_no_expression_takes_long(expression: str) -> None:
    started = time.monotonic()
    with suppress(ToolError):
        calculate(expression)
    assert time.monotonic() - started < 0.5


# --- the knowledge base -----------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path, limits: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of documents in place of the app's, its index below another one."""
    from core.rag import shipped

    folder = tmp_path / "documents"
    limits(data=tmp_path / "data")
    monkeypatch.setattr(shipped, "FOLDER", folder)
    monkeypatch.setattr(shipped._Opening, "future", None)
    return folder


def look_up(query: str) -> str:
    """The tool's answer once the index is there: on a busy machine it takes longer than the tool waits."""
    from core.rag.shipped import shipped

    shipped().exception(120)
    return at_once(query)


def at_once(query: str) -> str:
    return tools()["search_knowledge_base"].run({"query": query})


def test_a_search_answers_with_a_few_numbered_passages(shelf: Path) -> None:
    (shelf / "people").mkdir(parents=True)
    for name in ("Ann Cox", "Bo Hale", "Cy Moor", "Di Penn"):
        text = f"# {name}\n\n{name} joined the harbour crew in 2014. " + f"Then {name.split()[0]} mended nets. " * 60
        (shelf / "people" / f"{name}.md").write_text(text, "utf-8")
    said = look_up("When did Cy Moor join the crew?")
    assert said.startswith("[1] people > Cy Moor\n")
    assert "2014" in said.split("[2]")[0]
    assert "[3]" in said
    assert "[4]" not in said
    assert len(said) <= 2_700  # characters: a small model has to read tools and conversation as well
    assert look_up("Who wrote Hamlet?") == "The knowledge base does not say."
    with pytest.raises(ToolError, match="query is empty"):
        look_up("  ")


def test_an_index_that_cannot_be_opened_is_said_and_tried_again(shelf: Path) -> None:
    with pytest.raises(ToolError, match="cannot be searched"):
        look_up("Who is Ann Cox?")
    shelf.mkdir()
    (shelf / "ann.md").write_text("# Ann Cox\n\nAnn Cox sails the boat.", "utf-8")
    assert "sails the boat" in look_up("Who is Ann Cox?")


def test_an_index_that_is_being_made_asks_for_patience(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.tools import search_knowledge_base as module

    shelf.mkdir()
    (shelf / "ann.md").write_text("# Ann Cox\n\nAnn Cox sails the boat.", "utf-8")
    with monkeypatch.context() as hurried:
        hurried.setattr(module, "_WAIT", 0)
        with pytest.raises(ToolError, match="read for the first time"):
            at_once("Who is Ann Cox?")
    assert "sails the boat" in look_up("Who is Ann Cox?")
