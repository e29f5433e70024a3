"""Using a tool within a talk: the request, what is missing, the call, its result, the answer, what follows."""

from random import Random
from typing import Any

from starter.data import archetypes as a
from starter.data.flights import missing_names
from starter.data.forms import expand, sections, utter
from starter.data.frames import act, device, look, lookup, measure, pair
from starter.data.results import result
from starter.data.synthetic import synthetic, verbs
from starter.data.talk import Call, Talk, Tool, tool
from starter.data.values import Made

AS_TYPED = "label phrase task quoted word noun list code url email path dish enum unit time"
FOLLOWED = "label place person brand code language phrase currency date"


class Skill:
    """One tool as offered in one talk."""

    def __init__(self, rng: Random, kind: a.Archetype) -> None:
        self.rng, self.kind = rng, kind
        self.name = rng.choice(kind.names) if rng.random() < 0.7 else kind.names[0]
        properties = {p.name: a.schema(rng, p) for p in kind.parameters}
        optional = tuple(p.name for p in kind.parameters if p.optional)
        self.tool: Tool = tool(
            self.name, expand(rng, kind.description) if rng.random() < 0.93 else "", properties, optional
        )
        self.last: dict[str, Any] | None = None

    def request(self) -> tuple[str, dict[str, Any]]:
        """What the user says, and the arguments that this gives."""
        pattern = expand(self.rng, self.rng.choice(self.kind.asks))
        used = [p for p in self.kind.parameters if "{" + p.name + "}" in pattern]
        made = {p.name: a.value(self.rng, p) for p in used}
        typed = frozenset(p.name for p in used if p.kind in AS_TYPED.split())
        text, read = utter(self.rng, pattern, {k: said for k, (said, _) in made.items()}, typed=typed)
        return text, {
            k: settle(read[k], made[k]) for k in sorted(read, key=[p.name for p in self.kind.parameters].index)
        }

    def turn(self, talk: Talk) -> None:
        """One use of the tool, from the request to the answer."""
        if self.last is not None and self.rng.random() < 0.6 and self.follow(talk):
            return
        text, arguments = self.request()
        talk.user(text)
        self.last = None
        missing = [p for p in self.kind.parameters if not p.optional and p.name not in arguments]
        if missing:
            talk.say(missing_names([p.name for p in missing]))
            if self.rng.random() < 0.25:
                return
            arguments = self.supply(talk, missing, arguments)
        self.use(talk, arguments)

    def supply(self, talk: Talk, missing: list[a.Parameter], arguments: dict[str, Any]) -> dict[str, Any]:
        """The user gives what was asked for."""
        made = {p.name: a.value(self.rng, p) for p in missing}
        said = [
            expand(self.rng, "<{x}|{x}|{x}|the {n} is {x}|{n}: {x}|{n} {x}>")
            .replace("{n}", k.replace("_", " "))
            .replace("{x}", v[0])
            for k, v in made.items()
        ]
        text = self.rng.choice((" and ", ", ", ", ")).join(said)
        talk.user(
            expand(self.rng, "<|||oh, |sorry, |it is |I'd say >")
            + text
            + self.rng.choice(("", "", "", " please", ".", ", thanks"))
        )
        full = {**arguments, **{k: v for k, (_, v) in made.items()}}
        return {p.name: full[p.name] for p in self.kind.parameters if p.name in full}

    def follow(self, talk: Talk) -> bool:
        """A follow-up that changes one argument of the last call."""
        last = self.last or {}
        changeable = [p for p in self.kind.parameters if p.kind in FOLLOWED.split() and p.name in last]
        if len(changeable) != 1 and not (changeable and self.rng.random() < 0.3):
            return False
        p = self.rng.choice(changeable)
        said, value = a.value(self.rng, p)
        named = "" if len(changeable) == 1 else f"{p.name.replace('_', ' ')} "
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
        text, arguments = skill.request()
        if any(not p.optional and p.name not in arguments for p in skill.kind.parameters):
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


def kin(name: str) -> set[str]:
    """Trades so near to each other that one could answer for another: never offered beside each other."""
    return {n for family in sections("frames")["families"] if name in family.split() for n in family.split()} | {name}


def skills(rng: Random, count: int) -> list[Skill]:
    """Tools for one talk: known trades, invented ones, and near neighbours that differ in verb or noun."""
    chosen: list[Skill] = []
    barred: set[str] = set()
    while len(chosen) < count:
        roll = rng.random()
        if roll < 0.3:
            kind = rng.choice(a.archetypes())
            if kind.names[0] in barred:
                continue
            barred |= kin(kind.names[0])
        elif roll < 0.85 or not chosen:
            kind = rng.choice((synthetic, act, act, look, look, lookup, lookup, device, measure, pair))(rng)
        else:
            kind = neighbour(rng, chosen[-1].kind.names[0])
        if kind.names[0] not in {s.kind.names[0] for s in chosen}:
            chosen.append(Skill(rng, kind))
    return chosen


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
    """A request that none of the tools offered can serve."""
    barred = {n for s in offered for n in kin(s.kind.names[0])}
    kinds = [k for k in a.archetypes() if k.names[0] not in barred]
    return Skill(rng, rng.choice(kinds)).request()[0]
