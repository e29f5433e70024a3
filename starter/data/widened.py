"""A tool as another would have written it: one argument more, or dates and times in a format of their own."""

import re
from dataclasses import replace
from functools import cache
from random import Random

from starter.data.archetypes import Archetype, Parameter
from starter.data.forms import form, sections
from starter.data.talk import listed

# What in a form may stand for a value of the kind, so that nothing is asked for that was said.
MOMENT = (
    r"\b(to(day|night|morrow)|yesterday|now|days?|weeks?|months?|years?|hours?|minutes?|o'clock|noon|midnight|soon|later"
    r"|mornings?|afternoons?|evenings?|nights?|dawn|dusk|weekends?|daily|since|until|till|before|after|when|early|late"
    r"|breakfast|lunch|dinner|\w+days?|spring|summer|autumn|winter|christmas|easter|again|already)\b"
    r"|\{(day|month|when|clock|date|year)"
)
SOMEBODY = (
    r"\b(wife|husband|mother|father|mum|dad|sister|brother|son|daughter|friend|boss|colleague|neighbour|he|she|his|hers?"
    r"|him|kids?|child|children|somebody|someone|man|woman|boy|girl|guest|customer|client)\b|\{(person|relation|role)"
)
FIGURE = (
    r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|dozens?|hundreds?|thousands?|half|few|couple|both|all|us|we"
    r"|many|much|pairs?|double)\b|\{(k|n|count|number|money|price|score|year)"
)
WHEREABOUTS = (
    r"\b(here|there|home|house|office|school|town|city|village|station|airport|abroad|country|where|shop|hotel|beach)\b"
    r"|\{(place|address|room|zone|invented)"
)
TOLD = {
    "date": MOMENT,
    "time": MOMENT,
    "person": SOMEBODY,
    "int": FIGURE,
    "number": FIGURE,
    "place": WHEREABOUTS,
    "language": r"\{language|\b[Ll]anguage",
    "currency": r"\{(currency|money|price)|\b(euros?|dollars?|pounds?|money)\b|[€$]",
    "code": r"\{(code|letter|k|n)|\b[Nn]umber",
    "email": r"\{email|@|\bmail",
    "phone": r"\{phone|\b(call|phone)",
    "enum": r"\b(urgent|hurry|important|at once|mail|letter|file|form)",
}
ALIKE = (
    {"date", "time", "year"},
    {"int", "number", "year", "code", "phone"},
    {"person", "label", "word", "phrase", "brand", "noun"},
    {"place", "label", "word", "phrase", "brand", "room", "address", "noun"},
)


@cache
def more() -> tuple[tuple[tuple[str, ...], str, tuple[str, ...], str, str], ...]:
    """Arguments that any tool may have: names, kind, choices, the words around the value, what the schema says."""
    made = []
    for line in sections("frames")["further"]:
        names, kind, said, told = line.split(" : ")
        kind, _, choices = kind.partition(":")
        made.append((tuple(names.split()), kind, tuple(choices.split("/")) if choices else (), said, told))
    return tuple(made)


def free(kind: Archetype, added: str) -> bool:
    """Whether no argument of the tool takes a value like the one added."""
    alike = {added}.union(*(group for group in ALIKE if added in group))
    return not any(
        p.kind in alike or any(re.search(TOLD.get(added, "$^"), c) for c in p.choices) for p in kind.parameters
    )


def wider(rng: Random, kind: Archetype) -> Archetype:
    """The tool with one argument more, which a good half of its forms give; the rest leave it to be asked for.

    What they do give is of another kind, so that nothing but the missing argument's own value can fill it.
    """
    names, added, choices, said, told = rng.choice(more())
    name = rng.choice(names)
    asks = [ask for ask in kind.asks if not re.search(TOLD.get(added, "$^"), ask)]
    if len(asks) < 2 or not free(kind, added) or any(p.name == name for p in kind.parameters):
        return kind
    one = Parameter(name, added, choices, rng.random() < 0.15, told)
    said = said.replace("{x}", "{" + name + "}").replace("{n}", name.replace("_", " "))
    given = rng.random() < 0.6
    parameters = [*kind.parameters, one] if rng.random() < 0.6 else [one, *kind.parameters]
    return replace(
        kind, parameters=tuple(parameters), asks=tuple(with_words(rng, a, said) if given else a for a in asks)
    )


def with_words(rng: Random, ask: str, said: str) -> str:
    """The form with these words before or after it."""
    pattern, arrow, implied = ask.partition(" => ")
    mark = pattern[-1] if pattern[-1] in ".?!" else ""
    body = pattern.removesuffix(mark)
    if rng.random() < 0.2:
        pattern = f"{said}: {pattern}"
    elif pattern.endswith(">") or (mark == "?" and rng.random() < 0.5):
        pattern = f"{body}{mark} {said}"
    else:
        pattern = f"{body}{rng.choice((', ', ', ', ' - '))}{said}{mark}"
    return pattern + arrow + implied


FORMATS = {
    "date": ("iso_date", "<Date as YYYY-MM-DD|YYYY-MM-DD|ISO date, YYYY-MM-DD|The day, in the form YYYY-MM-DD>"),
    "time": ("iso_time", "<HH:MM|24-hour clock, HH:MM|Time as HH:MM|The time, in the form HH:MM>"),
}


def with_formats(kind: Archetype) -> Archetype:
    """The same tool where a date is to be written YYYY-MM-DD and a time HH:MM."""

    def one(p: Parameter) -> Parameter:
        if p.kind not in FORMATS:
            return p
        made, told = FORMATS[p.kind]
        return replace(p, kind=made, description=told)

    return replace(kind, parameters=tuple(map(one, kind.parameters)))


def at_length(rng: Random, told: str, needed: list[str]) -> str:
    """A description as long as some people write them: what it needs, what comes back, when to use it."""
    tail = form(rng, "frames", "tails").replace("{needed}", listed(needed or ["right moment"]))
    return f"{told.rstrip('.')}. {tail}"
