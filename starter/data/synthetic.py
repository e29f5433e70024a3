"""Tools that nobody has written: verb, noun and arguments put together by chance, with requests that fit them."""

from functools import cache
from random import Random

from starter.data import values as w
from starter.data.archetypes import Archetype, Parameter
from starter.data.forms import form, sections
from starter.data.frames import stray

# Any argument can be given by its name.
NAMED = (
    "<<with |><the |>{n} {x}|{n}: {x}|{n} = {x}|{n} {x}|where <the |>{n} is {x}"
    "|, <the |>{n} <is|should be> {x},|, {n} {x},>"
)
ASKING = "<please|can you|could you|I want to|I'd like to|would you|we need to|let's|go ahead and> "


@cache
def verbs() -> dict[str, str]:
    """Verbs of a tool's name, and what people say for them."""
    return dict(x.split(" : ") for x in sections("frames")["verbs"])


def parameter(rng: Random) -> tuple[Parameter, str]:
    """A parameter and the ways to mention it."""
    names, kind, phrases = rng.choice(sections("frames")["roles"]).split(" : ")
    name, known = rng.choice(names.split()), True
    if rng.random() < 0.06 and kind not in ("bool", "enum"):
        name, known = w.invented(rng, 2), False
    choices: tuple[str, ...] = ()
    if kind == "bool":
        yes, no = rng.choice(sections("frames")["yes_no"]).replace("{n}", name.replace("_", " ")).split(" / ")
        choices = (yes, no)
    if kind == "enum":
        choices = tuple(rng.choice(sections("frames")["enums"]).split("/"))
        if rng.random() < 0.2:
            choices = tuple(dict.fromkeys((w.pick(rng, "adjectives"), w.invented(rng, 2), w.invented(rng, 2))))
    if kind != "bool" and (rng.random() < 0.45 or not known):
        phrases = NAMED
    said = phrases.replace("{n}", name.replace("_", " ")).replace("{x}", "{" + name + "}")
    return Parameter(name, kind, choices, rng.random() < 0.3), said


def synthetic(rng: Random, noun: str | None = None, verb: str | None = None) -> Archetype:
    """A tool around a noun, with up to four arguments and three ways to ask for it."""
    verb = verb or (rng.choice(tuple(verbs())) if rng.random() < 0.93 else w.invented(rng, 2))
    noun = noun or (w.pick(rng, "nouns") if rng.random() < 0.85 else w.invented(rng, 2))
    thing = f"{w.pick(rng, 'adjectives')} {noun}" if rng.random() < 0.12 else noun
    made = {
        p.name: (p, said) for p, said in (parameter(rng) for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 2, 3, 3, 4))))
    }
    name = f"{verb}_{thing.replace(' ', '_')}"
    names = (name, name.title().replace("_", "")) if rng.random() < 0.08 else (name,)
    if rng.random() < 0.08:
        names = (f"{noun}_{verb}",)
    asks = tuple(request(rng, verb, thing, made) for _ in range(3))
    return Archetype(names, describe(rng, verb, thing, list(made)), tuple(p for p, _ in made.values()), asks)


def describe(rng: Random, verb: str, thing: str, parameters: list[str]) -> str:
    """A sentence for the tool, or none."""
    if rng.random() < 0.15:
        return ""
    by = " by " + " and ".join(p.replace("_", " ") for p in parameters) if parameters and rng.random() < 0.4 else ""
    text = form(rng, "frames", "synthetic_description").replace("{Verb}", verb.capitalize())
    return text.replace("{verb}", verb).replace("{thing}", thing).replace("{by}", by)


def request(rng: Random, verb: str, thing: str, made: dict[str, tuple[Parameter, str]]) -> str:
    """The verb as people say it, the noun, and the arguments in any order; one left out at times."""
    mentioned = [text for p, text in made.values() if not p.optional or rng.random() < 0.5]
    dropped = bool(mentioned) and rng.random() < 0.24
    if dropped:
        mentioned.pop(rng.randrange(len(mentioned)))
    if made and rng.random() < (0.3 if dropped else 0.06):
        mentioned += filter(None, [stray(rng, {p.kind for p, _ in made.values()})])
    rng.shuffle(mentioned)
    lead = ASKING if rng.random() < 0.25 else ""
    said = verbs().get(verb, verb) if not lead and rng.random() < 0.75 else verb
    what = f"{rng.choice(('the', 'a', 'my', 'our', 'this', 'that'))} {thing}"
    text = f"{lead}{said} {what} {' '.join(mentioned)}".strip() + rng.choice(("", "", ".", " please", "?"))
    if mentioned and rng.random() < 0.06:
        text = f"{mentioned[0]}, {said} {what} {' '.join(mentioned[1:])}".strip()
    return text.replace(" ,", ",").replace(",,", ",").replace(" :", ":")
