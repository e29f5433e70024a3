"""The tools of the training data: their forms hold together, and what is called fits what was offered."""

import re
from random import Random

import jsonschema
import pytest

from starter.data.archetypes import Archetype, archetypes, implied, trades
from starter.data.dialogues import Conversation
from starter.data.skills import Skill
from starter.data.talk import Talk
from starter.data.values import MAKERS

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
