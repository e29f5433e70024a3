"""Whole conversations: which tools are offered, what is talked about, and in what proportion each kind comes."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from starter.data import passages, site
from starter.data import values as w
from starter.data.app import Clock, budget, calculate_tool, time_tool, together
from starter.data.archetypes import written_by_hand
from starter.data.calculator import Calculator
from starter.data.flights import Flights, flight_tool
from starter.data.forms import expand, fill, form, sections, utter
from starter.data.library import Library, search_tool
from starter.data.sentences import saying
from starter.data.skills import Skill, both, skills, unrelated
from starter.data.talk import CONNECT, NAME, OUT_OF_SCOPE, Talk, coloured, listed, system_prompt

HELLO = f"Hello! {NAME}. How can I help?"
THANKS, BYE, OK = "You are welcome!", "Goodbye!", "Is there anything else I can do?"
SMALL = "a few million parameters, trained from nothing, running on this machine"
WHO = f"{NAME}: {SMALL}. For anything demanding, {CONNECT}."
HOW = f"{NAME} and can do only a few things. For more, {CONNECT}: pick it in the list of models."
CLEAR = 12  # The first forms of outside.txt are requests that no tool of ours is near to.


def abilities(names: list[str]) -> str:
    """What the model says it can do, with the tools that are on."""
    tools = f"use the tools that are switched on ({listed(names)}), " if names else ""
    can = f"{tools}answer from passages, choose links and write plain brochures"
    return f"{NAME}. I can {can}. For anything else, {CONNECT}."


def instructions(rng: Random) -> str:
    """A system prompt: one of the usual ones, now and then with any other sentences in it."""
    text = w.filled(rng, system_prompt(rng))
    if rng.random() < 0.3:
        text = " ".join([text, *(saying(rng).sentence for _ in range(rng.randint(1, 4)))])
    return text


class Conversation:
    """A talk with some of the app's tools and perhaps others, one topic after another; mostly searches in a library."""

    def __init__(self, rng: Random, library: bool = False) -> None:
        self.rng, self.talk, self.library = rng, Talk(rng), library
        self.others: list[Skill] = []
        self.topics: list[tuple[float, Callable[[], None]]] = []
        self.searching = False

    def make(self) -> dict[str, Any]:
        rng = self.rng
        if rng.random() < 0.55:
            self.talk.system(instructions(rng))
        self.offer()
        rng.shuffle(self.talk.tools)
        self.topics += [(1.0, self.small_talk), (0.9 if self.talk.tools else 3.0, self.outside)]
        weights = [weight for weight, _ in self.topics]
        for _ in range(rng.choice((1, 1, 2) if self.library else (1, 1, 2, 2, 3, 4))):
            rng.choices(self.topics, weights)[0][1]()
        return self.talk.done()

    def offer(self) -> None:
        """Choose the tools, and with each the topic that uses it."""
        rng, roll = self.rng, self.rng.random()
        if self.library:
            roll = rng.uniform(0.2, 0.48)  # The app's tools, at times with others beside them.
        if roll < 0.11:
            return
        if roll < 0.53:
            self.offer_app()
        if roll > 0.4:
            self.others = skills(rng, rng.choice((1, 1, 2, 3, 4, 5, 6)))
            self.talk.tools += [s.tool for s in self.others]
            self.topics += [(3.0 / len(self.others), partial(s.turn, self.talk)) for s in self.others]
            self.topics.append((0.8, self.side_by_side))

    def offer_app(self) -> None:
        rng, talk = self.rng, self.talk
        flights, calculator, clock = Flights(talk), Calculator(talk), Clock(talk)
        has = {
            name: rng.random() < odds
            for name, odds in (("flights", 0.9), ("clock", 0.6), ("sums", 0.65), ("search", 0.4))
        }
        if has["flights"]:
            talk.tools.append(flight_tool(rng))
            self.topics.append((5.2, flights.turn))
        if has["clock"]:
            talk.tools.append(time_tool(rng))
            self.topics.append((1.8, clock.turn))
        if has["sums"]:
            talk.tools.append(calculate_tool(rng))
            self.topics.append((2.1, calculator.turn))
        if has["flights"] and has["sums"]:
            self.topics.append((0.4, partial(budget, flights, calculator)))
        names = [t["function"]["name"] for t in talk.tools]
        if len(names) > 1:
            self.topics.append((0.8, partial(together, talk, clock, calculator, flights, names)))
        if has["search"] or self.library:
            self.searching = True
            talk.tools.append(search_tool(rng))
            self.topics.append((24.0 if self.library else 3.0, Library(talk).turn))

    def side_by_side(self) -> None:
        if len(self.others) < 2:
            return self.others[0].turn(self.talk)
        return both(self.talk, *self.rng.sample(self.others, 2))

    def small_talk(self) -> None:
        rng, talk = self.rng, self.talk
        kind = rng.choices(("hello", "who", "can", "why_limited", "thanks", "bye", "ok"), (2, 3, 3, 0.7, 2, 1, 1))[0]
        if kind in ("thanks", "ok") and not talk.messages:
            kind = "hello"
        talk.ask("chat", kind, chatter=rng.random() < 0.3 and kind in ("who", "can"))
        names = [t["function"]["name"] for t in talk.tools]
        answers = {
            "hello": HELLO,
            "who": WHO,
            "can": abilities(names),
            "why_limited": HOW,
            "thanks": THANKS,
            "bye": BYE,
            "ok": OK,
        }
        talk.say(answers[kind])

    def outside(self) -> None:
        """Something that no tool here can do."""
        rng, talk = self.rng, self.talk
        if rng.random() < 0.45 and (self.others or not self.searching):
            text = unrelated(rng, self.others)
        else:
            text = utter(rng, self.outside_form(), {})[0]
        if not any(t["function"]["name"] == "get_ticket_price" for t in talk.tools) and rng.random() < 0.08:
            text = utter(rng, coloured(rng, form(rng, "flights", "pair")), {k: w.place(rng) for k in "abc"})[0]
        if not talk.tools and rng.random() < 0.1:
            text = fill(coloured(rng, form(rng, "tools_app", "time")), {"city": w.place(rng)})
        talk.user(text)
        talk.say(OUT_OF_SCOPE)

    def outside_form(self) -> str:
        """A form for something else; beside known trades only the few that none of them comes near to."""
        lines = sections("outside")["ask"]
        if any(written_by_hand(s.known) for s in self.others):
            lines = lines[:CLEAR]
        barred = ("{brand}", "{who}") if self.searching else ()
        text = self.rng.choice([x for x in lines if not any(b in x for b in barred)])
        for slot in ("topic", "thing", "who"):
            while "{" + slot + "}" in text:
                text = text.replace("{" + slot + "}", self.rng.choice(sections("outside")[slot]), 1)
        return w.filled(self.rng, expand(self.rng, text))


def plain(make: Callable[[Random], list[tuple[str, str]]], rng: Random) -> dict[str, Any]:
    """A conversation of messages and answers, without tools."""
    talk = Talk(rng)
    if rng.random() < 0.3:
        talk.system(instructions(rng))
    for question, answer in make(rng):
        talk.user(question)
        talk.say(answer)
    return talk.done()


KINDS: tuple[tuple[float, Callable[[Random], dict[str, Any]]], ...] = (
    (0.47, lambda rng: Conversation(rng).make()),
    (0.16, lambda rng: Conversation(rng, library=True).make()),
    (0.39, partial(plain, passages.prompt)),
    (0.02, partial(plain, lambda rng: [site.links(rng)])),
    (0.012, partial(plain, lambda rng: [site.brochure(rng)])),
)


def dialogue(rng: Random) -> dict[str, Any]:
    """One conversation of any kind: `messages` and `tools` as a chat template takes them."""
    return rng.choices([make for _, make in KINDS], [weight for weight, _ in KINDS])[0](rng)
