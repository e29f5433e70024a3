"""What the shapes model can be asked for: a request, its wording, and a layout of things that fulfils it.

Lengths are in half pictures: the picture reaches from -1 to 1 in both directions, y downwards.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (220, 40, 40),
    "green": (40, 160, 70),
    "blue": (40, 90, 220),
    "yellow": (245, 210, 50),
    "orange": (245, 135, 30),
    "purple": (140, 60, 180),
    "pink": (245, 150, 195),
    "cyan": (60, 200, 210),
    "brown": (125, 80, 45),
    "grey": (140, 140, 140),
    "black": (25, 25, 25),
    "white": (250, 250, 250),
}
SHAPES = ("circle", "square", "triangle", "diamond", "star", "ring", "cross", "heart")
# Where a thing stands when nothing else is said of it: the middle.
PLACES: dict[str, tuple[float, float]] = {
    "on the left": (-0.55, 0),
    "on the right": (0.55, 0),
    "at the top": (0, -0.55),
    "at the bottom": (0, 0.55),
    "in the top left corner": (-0.55, -0.55),
    "in the top right corner": (0.55, -0.55),
    "in the bottom left corner": (-0.55, 0.55),
    "in the bottom right corner": (0.55, 0.55),
    "in the middle": (0, 0),
}
SIZES = {"small": 0.2, "": 0.38, "big": 0.62}
RELATIONS = ("left of", "right of", "above", "below", "and")
NUMBERS = ("", "one", "two", "three", "four")

_OTHER_WORDS = {
    "circle": ("disc", "ball", "dot"),
    "square": ("box",),
    "diamond": ("rhombus",),
    "cross": ("plus",),
    "ring": ("hoop",),
    "big": ("large", "huge"),
    "small": ("little", "tiny"),
    "purple": ("violet",),
    "cyan": ("turquoise",),
    "grey": ("gray",),
    "in the middle": ("in the centre", "in the center"),
    "on the left": ("on the left side", "to the left"),
    "on the right": ("on the right side", "to the right"),
}
_FRAMES = ("{}", "{}", "{}", "{}", "a picture of {}", "draw {}", "an image of {}", "a drawing of {}", "paint {}")
_GROUNDS = ("on a {} background", "on {}", "on a {} ground", "in front of a {} background", "with a {} background")


@dataclass(frozen=True, slots=True)
class Thing:
    """A shape in a picture: its middle, and half its width."""

    shape: str
    colour: str
    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture: what stands where, on which colour."""

    things: tuple[Thing, ...]
    ground: str


@dataclass(frozen=True, slots=True)
class Request:
    """What may be asked for: `count` things alike, or one and, by `relation`, a second one. "" says nothing."""

    shape: str
    colour: str
    ground: str = ""
    count: int = 1
    size: str = ""
    place: str = ""
    relation: str = ""
    second: tuple[str, str] = ("", "")  # its shape and its colour


def request(chance: random.Random) -> Request:
    """A request at random."""
    shape, colour = chance.choice(SHAPES), chance.choice(list(COLOURS))
    ground = chance.choice([g for g in COLOURS if g != colour]) if chance.random() < 0.6 else ""
    if not ground and colour == "white":
        ground = chance.choice([g for g in COLOURS if g != "white"])
    kind = chance.random()
    if kind < 0.4:
        size = chance.choice(("", "small", "big"))
        place = chance.choice(("", *PLACES)) if size != "big" else ""
        return Request(shape, colour, ground, size=size, place=place)
    if kind < 0.6:
        return Request(shape, colour, ground, count=chance.choice((2, 3, 4)))
    relation = chance.choice(RELATIONS)
    second = chance.choice([c for c in COLOURS if c != (ground or "white")])
    return Request(shape, colour, ground, relation=relation, second=(chance.choice(SHAPES), second))


def scene(wanted: Request, chance: random.Random) -> Scene:
    """A layout at random that fulfils the request."""

    def near(value: float, by: float = 0.05) -> float:
        return value + chance.uniform(-by, by)

    def thing(x: float, y: float, size: float, shape: str = wanted.shape, colour: str = wanted.colour) -> Thing:
        return Thing(shape, colour, near(x), near(y), size * chance.uniform(0.92, 1.08))

    if wanted.relation:
        (x, y), swap = _beside(wanted.relation, chance)
        first, second = thing(x, y, 0.34), thing(-x, -y, 0.34, *wanted.second)
        things: tuple[Thing, ...] = (second, first) if swap else (first, second)
    elif wanted.count > 1:
        things = tuple(thing(x, y, 0.27) for x, y in _spread(wanted.count, chance))
    else:
        x, y = PLACES.get(wanted.place, (0.0, 0.0))
        size = SIZES[wanted.size] if wanted.size or not wanted.place else 0.32
        things = (thing(x, y, size),)
    return Scene(things, wanted.ground or "white")


def _beside(relation: str, chance: random.Random) -> tuple[tuple[float, float], bool]:
    """Where the first of two things stands; the second one stands opposite."""
    at = {"left of": (-0.48, 0.0), "right of": (0.48, 0.0), "above": (0.0, -0.48), "below": (0.0, 0.48)}
    return at.get(relation) or (chance.choice((-0.48, 0.48)), 0.0), chance.random() < 0.5


def _spread(count: int, chance: random.Random) -> list[tuple[float, float]]:
    """Places for a few things alike: in a row, or on three or four corners."""
    if count == 2:
        return chance.choice(([(-0.45, 0.0), (0.45, 0.0)], [(0.0, -0.45), (0.0, 0.45)]))
    if count == 3:
        return chance.choice(([(-0.62, 0.0), (0.0, 0.0), (0.62, 0.0)], [(0.0, -0.45), (-0.45, 0.42), (0.45, 0.42)]))
    return [(x, y) for x in (-0.45, 0.45) for y in (-0.45, 0.45)]


def wording(wanted: Request, chance: random.Random) -> str:
    """The request in words, now and then in other words."""
    if wanted.relation:
        between = {"and": "and", "left of": "to the left of", "right of": "to the right of"}.get(wanted.relation)
        between = between if between and chance.random() < 0.5 else wanted.relation
        what = f"{_one(wanted.shape, wanted.colour, '', chance)} {between} {_one(*wanted.second, '', chance)}"
    elif wanted.count > 1:
        number = chance.choice((NUMBERS[wanted.count], NUMBERS[wanted.count], str(wanted.count)))
        what = f"{number} {_word(wanted.colour, chance)} {_plural(_word(wanted.shape, chance))}"
    else:
        what = _one(wanted.shape, wanted.colour, wanted.size, chance)
    parts = [what, _word(wanted.place, chance)]
    parts.insert(
        chance.randint(1, 2), chance.choice(_GROUNDS).format(_word(wanted.ground, chance)) if wanted.ground else ""
    )
    text = chance.choice(_FRAMES).format(" ".join(part for part in parts if part))
    for ground in ("on a orange", "with a orange", "of a orange"):
        text = text.replace(ground, ground.replace(" a ", " an "))
    return text


def _one(shape: str, colour: str, size: str, chance: random.Random) -> str:
    words = " ".join(_word(word, chance) for word in (size, colour, shape) if word)
    article = "an" if words[0] in "aeiou" else "a"
    return f"{chance.choice((article, article, article, 'one'))} {words}" if chance.random() < 0.9 else words


def _word(word: str, chance: random.Random) -> str:
    others = _OTHER_WORDS.get(word, ())
    return chance.choice(others) if others and chance.random() < 0.25 else word


def _plural(word: str) -> str:
    return {"box": "boxes", "cross": "crosses", "plus": "pluses", "rhombus": "rhombuses"}.get(word, f"{word}s")
