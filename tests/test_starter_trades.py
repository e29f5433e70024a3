"""The tools of the training data: their forms hold together, and what is called fits what was offered."""

import re
from datetime import date
from random import Random

import jsonschema
import pytest

from starter.data.archetypes import Archetype, archetypes, implied, in_digits, trades
from starter.data.dialogues import Conversation
from starter.data.moments import full_date, full_time
from starter.data.skills import Skill
from starter.data.talk import Talk
from starter.data.values import MAKERS, Made
from starter.data.widened import wider

TOOLS = [*archetypes(), *(kind for trade in trades().values() for kind in trade)]


@pytest.mark.parametrize("kind", TOOLS, ids=lambda kind: kind.names[0])
def test_every_argument_can_be_given_and_every_slot_filled(kind: Archetype) -> None:
    own, given = {p.name for p in kind.parameters}, set()
    for ask in kind.asks:
        pattern, implies = implied(ask)
        slots = set(re.findall(r"\{(\w+)\}", pattern))
        assert slots <= own | set(MAKERS), ask
        given |= slots | set(implies)
    assert own <= given
    assert given <= own | set(MAKERS)


def test_no_two_tools_have_one_name() -> None:
    names = [name for kind in TOOLS for name in kind.names]
    assert sorted(set(names)) == sorted(names)


def test_every_call_fits_the_schema_of_a_tool_on_offer() -> None:
    calls = 0
    for seed in range(1200):
        made = Conversation(Random(seed)).make()
        schemas = {t["function"]["name"]: t["function"]["parameters"] for t in made["tools"]}
        for message in made["messages"]:
            for call in message.get("tool_calls") or ():
                jsonschema.validate(call["function"]["arguments"], schemas[call["function"]["name"]])
                calls += 1
    assert calls > 1000


def test_what_is_missing_is_asked_for_and_then_the_tool_is_called() -> None:
    answered = 0
    for seed in range(400):
        rng = Random(seed)
        talk, skill = Talk(rng), Skill(rng, rng.choice(TOOLS))
        needed = {p.name for p in skill.kind.parameters if not p.optional}
        skill.turn(talk)
        called = [m["tool_calls"][0]["function"]["arguments"] for m in talk.messages if m.get("tool_calls")]
        asked = "Please tell me the" in talk.messages[1]["content"]
        assert asked or called
        assert all(needed <= set(arguments) for arguments in called)
        answered += bool(asked and called)
    assert answered > 40


def test_days_and_hours_are_written_in_the_format_that_the_schema_names() -> None:
    spoken = dict(full_time(Random(seed)) for seed in range(4000))
    assert spoken["half past six in the evening"] == "18:30"
    assert spoken["quarter to nine in the morning"] == "08:45"
    assert (spoken["7 pm"], spoken["11:15am"], spoken["noon"]) == ("19:00", "11:15", "12:00")
    for said, written in (full_date(Random(seed)) for seed in range(400)):
        month = date.fromisoformat(written).strftime("%B") if any(c.isdigit() for c in said) else said
        assert month in said or said == written


def test_a_number_touched_by_a_letter_or_a_mark_is_in_digits() -> None:
    made: dict[str, Made] = {"n": ("three", 3), "m": ("twenty", 20), "k": ("five", 5)}
    pattern = in_digits("on the {n}th, {m}%, for {k} days", made)
    assert (pattern, made) == ("on the {n}, {m}%, for {k} days", {"n": ("3rd", 3), "m": ("20", 20), "k": ("five", 5)})


def test_a_tool_with_an_argument_more_keeps_requests_that_do_not_give_it() -> None:
    asked = 0
    for seed in range(1500):
        rng = Random(seed)
        kind = rng.choice(TOOLS)
        more = wider(rng, kind)
        if more is kind:
            continue
        (added,) = {p.name for p in more.parameters} - {p.name for p in kind.parameters}
        given = ["{" + added + "}" in ask for ask in more.asks]
        assert all(given) or not any(given)
        asked += not given[0]
    assert asked > 100
