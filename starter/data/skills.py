"""Using a tool within a talk: the request, what is missing, the call, its result, the answer, what follows."""

import re
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

from starter.data import archetypes as a
from starter.data import values as w
from starter.data.forms import expand, form, sections, utter
from starter.data.frames import act, device, look, lookup, measure, pair
from starter.data.results import result
from starter.data.synthetic import synthetic, verbs
from starter.data.talk import Call, Talk, Tool, listed, tool
from starter.data.values import Made
from starter.data.widened import at_length, wider, with_formats

AS_TYPED = "label phrase task quoted word noun list code url email path dish enum unit time of"
PASSING = {"date": "for {x}", "place": "in {x}", "time": "at {x}", "iso_time": "at {x}", "enum": "the {x} one"}
FOLLOWED = "label place person brand code language phrase currency date"


class Skill:
    """One tool as offered in one talk."""

    def __init__(self, rng: Random, kind: a.Archetype) -> None:
        self.rng, self.known = rng, kind.names[0]  # As the lists of trades and families call it.
        kind = a.in_camels(kind) if rng.random() < 0.06 else kind
        kind = wider(rng, kind) if rng.random() < (0.2 if a.written_by_hand(self.known) else 0.1) else kind
        kind = with_formats(kind) if rng.random() < 0.25 else kind
        self.kind = kind = a.otherwise_needed(rng, kind) if rng.random() < 0.2 else kind
        self.name = rng.choice(kind.names) if rng.random() < 0.7 else kind.names[0]
        told = expand(rng, kind.description) if rng.random() < 0.93 else ""
        if told and rng.random() < 0.18:
            told = at_length(rng, told, [a.spoken(p.name) for p in kind.parameters if not p.optional])
        if told and rng.random() < 0.05:
            self.name = w.invented(rng, 2)  # Then the description alone says what the tool is for.
        properties = {p.name: a.schema(rng, p) for p in kind.parameters}
        optional = tuple(p.name for p in kind.parameters if p.optional)
        self.tool: Tool = tool(self.name, told, properties, optional)
        self.last: dict[str, Any] | None = None

    def request(self) -> tuple[str, dict[str, Any]]:
        """What the user says, and the arguments that this gives."""
        ask, given = a.implied(self.rng.choice(self.kind.asks))
        pattern = strewn(self.rng, expand(self.rng, ask), self.kind)
        used = [p for p in self.kind.parameters if "{" + p.name + "}" in pattern]
        made = {p.name: a.value(self.rng, p) for p in used}
        pattern = a.in_digits(pattern, made)
        typed = frozenset(p.name for p in used if p.kind in AS_TYPED.split())
        text, read = utter(self.rng, pattern, {k: said for k, (said, _) in made.items()}, typed=typed)
        listed_ones = {p.name for p in used if p.kind == "enum"}
        found = given | {k: made[k][1] if k in listed_ones else settle(read[k], made[k]) for k in read}
        return text, {p.name: found[p.name] for p in self.kind.parameters if p.name in found}

    def whole_request(self) -> tuple[str, dict[str, Any]]:
        """A request that gives all that is needed, where the tool's forms have one."""
        for _ in range(8):
            text, arguments = self.request()
            if not self.missing(arguments):
                break
        return text, arguments

    def missing(self, arguments: dict[str, Any]) -> list[a.Parameter]:
        """What is needed and was not given."""
        return [p for p in self.kind.parameters if not p.optional and p.name not in arguments]

    def question(self, missing: list[a.Parameter]) -> str:
        """What to ask: by name, with the choices or with what the schema says of it."""
        properties = self.tool["function"]["parameters"]["properties"]
        return f"Please tell me the {listed([a.wanted(p, properties[p.name]) for p in missing])}."

    def turn(self, talk: Talk) -> None:
        """One use of the tool, from the request to the answer."""
        if self.last is not None and self.rng.random() < 0.6 and self.follow(talk):
            return
        text, arguments = self.request() if self.rng.random() < 0.8 else self.whole_request()
        talk.user(text)
        self.last = None
        while missing := self.missing(arguments):
            talk.say(self.question(missing))
            if self.rng.random() < 0.2:
                return
            some = missing[:-1] if len(missing) > 1 and self.rng.random() < 0.15 else missing
            arguments = self.supply(talk, some, arguments)
        self.use(talk, arguments)

    def supply(self, talk: Talk, missing: list[a.Parameter], arguments: dict[str, Any]) -> dict[str, Any]:
        """The user gives what was asked for."""
        made = {p.name: a.value(self.rng, p) for p in missing}
        said = [self.given(p).replace("{n}", a.spoken(p.name)).replace("{x}", made[p.name][0]) for p in missing]
        text = self.rng.choice((" and ", ", ", ", ")).join(said)
        talk.user(
            form(self.rng, "chatter", "giving") + text + self.rng.choice(("", "", "", " please", ".", ", thanks"))
        )
        full = {**arguments, **{k: v for k, (_, v) in made.items()}}
        return {p.name: full[p.name] for p in self.kind.parameters if p.name in full}

    def given(self, p: a.Parameter) -> str:
        """How the user says a value that was asked for: bare, by its name or in passing: "at six", "the blue one"."""
        if p.kind in PASSING and self.rng.random() < 0.2:
            return PASSING[p.kind]
        return form(self.rng, "chatter", "given")

    def follow(self, talk: Talk) -> bool:
        """A follow-up that changes one argument of the last call."""
        last = self.last or {}
        changeable = [p for p in self.kind.parameters if p.kind in FOLLOWED.split() and p.name in last]
        if len(changeable) != 1 and not (changeable and self.rng.random() < 0.3):
            return False
        p = self.rng.choice(changeable)
        said, value = a.value(self.rng, p)
        named = "" if len(changeable) == 1 else f"{a.spoken(p.name)} "
        start = "<And|What about|How about|And what about|Now|And for|Also for|The same for|Same with|Try>"
        pattern = f"{start} {named}{{x}}<?|?|| please| instead>"
        text, read = utter(
            self.rng, pattern, {"x": said}, chatter=False, typed=frozenset("x" if p.kind in AS_TYPED.split() else "")
        )
        talk.user(text)
        self.use(talk, {**last, p.name: settle(read["x"], (said, value))})
        return True

    def use(self, talk: Talk, arguments: dict[str, Any]) -> None:
        """The call, its result and the answer."""
        talk.call((self.name, arguments))
        text, answer = result(self.rng, arguments)
        talk.result(text)
        talk.say(answer)
        self.last = arguments


def strewn(rng: Random, pattern: str, kind: a.Archetype) -> str:
    """The form with every slot filled that is no argument of the tool: people, days and things that only stand by."""
    own = {p.name for p in kind.parameters}
    return re.sub(r"\{(\w+)\}", lambda m: m[0] if m[1] in own else w.filled(rng, m[0]), pattern)


def settle(read: str, made: Made) -> Any:
    """The JSON value as read: the user's slip of the finger or case counts where the value is the text itself."""
    said, value = made
    if isinstance(value, str) and value == said:
        return read
    return value.lower() if isinstance(value, str) and read != said and read == said.lower() else value


def both(talk: Talk, first: Skill, second: Skill) -> None:
    """Two tools asked for in one message, called side by side."""
    calls: list[Call] = []
    texts = []
    for skill in (first, second):
        text, arguments = skill.whole_request()
        if skill.missing(arguments):
            skill.turn(talk)
            return
        texts.append(text.rstrip(".?! "))
        calls.append((skill.name, arguments))
    joint = talk.rng.choice((" and ", ", and ", ". Also, ", " and then ", "? And ", ", also ", ". Then "))
    tail = (
        texts[1] if joint[-3] in ".?" else texts[1][0].lower() + texts[1][1:] if texts[1][1:2].islower() else texts[1]
    )
    talk.user(texts[0] + joint + tail + talk.rng.choice(("", ".", "?")))
    talk.call(*calls)
    answers = []
    for _, arguments in calls:
        text, answer = result(talk.rng, arguments)
        talk.result(text)
        answers.append(answer)
    talk.say(" ".join(answers))


@cache
def families() -> dict[str, frozenset[str]]:
    """Every tool that is near to another, and all that are near to it."""
    near: dict[str, set[str]] = {}
    for family in sections("frames")["families"]:
        for name in family.split():
            near.setdefault(name, set()).update(family.split())
    return {name: frozenset(others) for name, others in near.items()}


def kin(name: str) -> frozenset[str]:
    """Trades so near to each other that one could answer for another: never offered beside each other."""
    return families().get(name, frozenset({name}))


@cache
def trade_of() -> dict[str, tuple[a.Archetype, ...]]:
    """The tools of the same trade, by a tool's first name."""
    return {kind.names[0]: trade for trade in a.trades().values() for kind in trade}


def skills(rng: Random, count: int) -> list[Skill]:
    """Tools for one talk: of one trade at times, else known ones, invented ones, and near neighbours of those."""
    if rng.random() < 0.22:
        trade = rng.choice(tuple(a.trades().values()))
        return [Skill(rng, kind) for kind in rng.sample(trade, min(count, len(trade)))]
    chosen: list[Skill] = []
    barred: set[str] = set()
    while len(chosen) < count:
        kind = any_tool(rng, chosen[-1].known if chosen else "")
        if kind.names[0] not in barred:
            barred |= kin(kind.names[0])
            chosen.append(Skill(rng, kind))
    return chosen


def any_tool(rng: Random, last: str) -> a.Archetype:
    """A tool of any make; `last` is the name of the one before it, if any."""
    roll = rng.random()
    if roll < 0.15:
        return rng.choice(a.archetypes())
    if roll < 0.37:
        return rng.choice(rng.choice(tuple(a.trades().values())))
    if roll < 0.88 or not last:
        return rng.choice((synthetic, act, act, look, look, lookup, lookup, device, measure, pair))(rng)
    return neighbour(rng, last)


def neighbour(rng: Random, name: str) -> a.Archetype:
    """A tool that shares the noun of another and clearly does something else, or the verb with another noun."""
    verb, _, noun = name.partition("_")
    if verb not in verbs() or not noun:
        return synthetic(rng)
    if rng.random() < 0.4:
        return synthetic(rng, verb=verb)
    alike = [set(line.split()) for line in sections("frames")["alike"]]
    others = [v for v in verbs() if not any({v, verb} <= group for group in alike)]
    return synthetic(rng, noun=noun.replace("_", " "), verb=rng.choice(others))


def unrelated(rng: Random, offered: list[Skill]) -> str:
    """A request that none of the tools offered can serve, at times one that is near to them."""
    near = [kind for s in offered for kind in trade_of().get(s.known, ())]
    roll = rng.random()
    if near and roll < 0.55:
        kinds: Sequence[a.Archetype] = near
    elif roll < 0.8:
        kinds = a.archetypes() if rng.random() < 0.5 else rng.choice(tuple(a.trades().values()))
    else:
        kinds = [any_tool(rng, "")]
    barred = {n for s in offered for n in kin(s.known)}
    fit = [k for k in kinds if k.names[0] not in barred] or [k for k in a.archetypes() if k.names[0] not in barred]
    return Skill(rng, rng.choice(fit)).whole_request()[0]
