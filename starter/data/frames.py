"""Tools put together from frames: doing something to a named thing, or telling one quality of it."""

from random import Random

from starter.data import values as w
from starter.data.archetypes import Archetype, Parameter, value
from starter.data.forms import expand, form, sections
from starter.data.sentences import quality

Detail = tuple[Parameter, str]


def detail(rng: Random) -> Detail:
    """A further argument, with the words that carry it: ("hours", "for {hours} hours")."""
    noun, roll = w.pick(rng, "nouns"), rng.random()
    if roll < 0.2:
        name = rng.choice((f"{noun}s", f"{noun}s", f"{noun}_count", f"number_of_{noun}s"))
        return Parameter(name, "int", (), rng.random() < 0.2), f"<with |for |>{{{name}}} {noun}s"
    if roll < 0.32:
        return Parameter(
            noun, "label", (), rng.random() < 0.2
        ), f"<in|at|on|for|from|with|to> <{noun} |the {noun} |>{{{noun}}}"
    name, kind, phrases = rng.choice(sections("frames")["details"]).split(" : ")
    kind, _, choices = kind.partition(":")
    made = tuple(choices.split("/")) if choices else ("yes", "no") if kind == "bool" else ()
    return Parameter(name, kind, made, rng.random() < 0.25), phrases.replace("{x}", "{" + name + "}")


def own_parameter(rng: Random, noun: str, kinds: tuple[str, ...]) -> Parameter:
    """The argument that names the thing itself."""
    name = rng.choice((noun, noun, noun, f"{noun}_id", f"{noun}_name", "name", "id"))
    return Parameter(name, rng.choice(kinds), (), False)


def details(rng: Random, own: str) -> dict[str, Detail]:
    """None, one or two further arguments."""
    found = (detail(rng) for _ in range(rng.choice((0, 1, 1, 2))))
    return {p.name: (p, text) for p, text in found if p.name != own}


def mentioned(rng: Random, more: dict[str, Detail], own: str = "") -> str:
    """The words for the arguments that a request gives: all that are needed, mostly; `own` is the kind of its thing."""
    texts = [t for p, t in more.values() if not p.optional or rng.random() < 0.5]
    dropped = bool(texts) and rng.random() < 0.27
    if dropped:
        texts.pop(rng.randrange(len(texts)))
    if more and rng.random() < (0.35 if dropped else 0.08):
        texts.append(stray(rng, {own, *(p.kind for p, _ in more.values())}))
    rng.shuffle(texts)
    return " ".join(filter(None, texts))


GOALS = ("to", "new_name")  # Said as "to the hall", and so taken for the other end of whatever moves.
NUMBERS, TEXTS = {"int", "number", "year"}, {"label", "phrase", "code", "brand"}


def stray(rng: Random, barred: set[str]) -> str:
    """Words whose value no argument takes: a person where an amount is wanted. None where it might be meant."""
    p, text = detail(rng)
    alike = next((group for group in (NUMBERS, TEXTS) if p.kind in group), {p.kind})
    if p.kind in ("bool", "enum", "list") or p.name in GOALS or alike & barred:
        return ""
    return text.replace("{" + p.name + "}", value(rng, p)[0])


def act(rng: Random) -> Archetype:
    """A tool that does something to one named thing: "mute #random for 3 hours"."""
    verb = w.pick(rng, "acts") if rng.random() < 0.9 else w.invented(rng, 2)
    noun = w.pick(rng, "nouns") if rng.random() < 0.9 else w.invented(rng, 2)
    own = own_parameter(rng, noun, ("label", "label", "label", "person", "place", "brand", "phrase", "code"))
    more = details(rng, own.name)
    said = verb.replace("_", " ")
    values = {
        "{said}": said,
        "{Said}": said.capitalize(),
        "{noun}": noun,
        "{x}": "{" + own.name + "}",
        "{own}": own.name.replace("_", " "),
    }
    section = "act_vague" if rng.random() < 0.2 else "act"
    asks = [rng.choice(sections("frames")[section]).replace("{rest}", mentioned(rng, more, own.kind)) for _ in range(3)]
    text = form(rng, "frames", "act_description") if rng.random() < 0.8 else ""
    parameters = [own, *(p for p, _ in more.values())]
    if rng.random() < 0.25:
        rng.shuffle(parameters)
    name = rng.choice((f"{verb}_{noun}", f"{verb}_{noun}", f"{noun}_{verb}", verb))
    return finished(rng, name, text, parameters, asks, values)


def look(rng: Random) -> Archetype:
    """A tool that tells one quality of a thing: "how high is the Sava" for water_level(river)."""
    what, _, oblique = quality(rng)
    noun = w.pick(rng, "nouns") if rng.random() < 0.9 else w.invented(rng, 2)
    own = own_parameter(rng, noun, ("label", "label", "place", "place", "person", "brand", "phrase", "code"))
    more = details(rng, own.name) if rng.random() < 0.5 else {}
    values = {"{what}": what, "{What}": what.capitalize(), "{noun}": noun, "{x}": "{" + own.name + "}"}
    asks = [
        f"{oblique.replace('{x}', form(rng, 'frames', 'look_object'))}<?|| now?| today?| right now?>" for _ in range(3)
    ]
    asks += [rng.choice(sections("frames")["look"]) for _ in range(3)]
    if rng.random() < 0.2:
        asks = [form(rng, "frames", "look_vague"), oblique.replace("{x}", f"<the|my> {noun}") + "?"]
    asks = [f"{ask.rstrip('?')} {mentioned(rng, more, own.kind)}" if more else ask for ask in asks]
    attribute = what.replace(" ", "_")
    names = (
        f"{noun}_{attribute}",
        f"get_{noun}_{attribute}",
        f"{attribute}_of_{noun}",
        f"{attribute}_lookup",
        f"find_{attribute}",
        f"check_{noun}",
        f"get_{attribute}",
    )
    return finished(
        rng,
        rng.choice(names),
        form(rng, "frames", "look_description"),
        [own, *(p for p, _ in more.values())],
        asks,
        values,
    )


def device(rng: Random) -> Archetype:
    """A tool for the one thing of its kind: "warm the oven to 190 degrees" for oven_warm(degrees)."""
    verb, noun = w.pick(rng, "acts").replace("_", " "), w.pick(rng, "nouns")
    more: dict[str, Detail] = {}
    while not more:
        more = {p.name: (p, text) for p, text in (detail(rng) for _ in range(rng.choice((1, 1, 2))))}
    values = {"{said}": verb, "{Said}": verb.capitalize(), "{noun}": noun}
    asks = [rng.choice(sections("frames")["device"]).replace("{rest}", mentioned(rng, more)) for _ in range(3)]
    name = rng.choice((f"{noun}_{verb}", f"{verb}_{noun}", f"set_{noun}", noun)).replace(" ", "_")
    text = form(rng, "frames", "device_description") if rng.random() < 0.85 else ""
    return finished(rng, name, text, [p for p, _ in more.values()], asks, values)


def lookup(rng: Random) -> Archetype:
    """A tool that finds one thing by another: "which gate has the code 17?" for gate_by_code(code)."""
    what, key = w.pick(rng, "nouns"), w.pick(rng, "nouns")
    kind = rng.choice(("code", "code", "label", "place", "person", "brand", "word", "phrase", "date", "email"))
    own = Parameter(rng.choice((key, key, f"{key}_name", f"{key}_id")), kind, (), False)
    values = {"{what}": what, "{What}": what.capitalize(), "{noun}": key, "{x}": "{" + own.name + "}"}
    section = "lookup_vague" if rng.random() < 0.16 else "lookup"
    asks = [rng.choice(sections("frames")[section]) for _ in range(4)]
    names = (f"{key}_lookup", f"{what}_by_{key}", f"find_{what}", f"{key}_to_{what}", f"{what}_of_{key}")
    text = form(rng, "frames", "lookup_description")
    return finished(rng, rng.choice(names), text, [own], asks, values)


def measure(rng: Random) -> Archetype:
    """A tool that takes figures told by their units: "I ran 7.5 km in 41 minutes" for log_run(km, minutes)."""
    verb, noun = w.pick(rng, "acts").replace("_", " "), w.pick(rng, "nouns")
    chosen = [line.split(" : ") for line in rng.sample(sections("frames")["measures"], rng.choice((2, 2, 2, 3)))]
    made = [(Parameter(rng.choice(names.split()), kind, (), False), said) for names, kind, said in chosen]
    if len({p.name for p, _ in made}) < len(made):
        return measure(rng)
    texts = [said.replace("{x}", "{" + p.name + "}") for p, said in made]
    if rng.random() < 0.25:
        texts.pop(rng.randrange(len(texts)))
        texts.append(stray(rng, NUMBERS) if rng.random() < 0.3 else "")
    values = {"{said}": verb, "{Said}": verb.capitalize(), "{noun}": noun}
    asks = []
    for _ in range(3):
        rng.shuffle(texts)
        rest = rng.choice((" ", ", ", " and ")).join(filter(None, texts))
        asks.append(rng.choice(sections("frames")["measure"]).replace("{rest}", rest))
    if rng.random() < 0.12:
        asks = [rng.choice(sections("frames")["measure_vague"]) for _ in range(3)]
    parameters = [p for p, _ in made]
    rng.shuffle(parameters)
    name = rng.choice((f"{verb}_{noun}", f"{noun}_{verb}", noun, f"{noun}_log")).replace(" ", "_")
    return finished(rng, name, form(rng, "frames", "act_description_plain"), parameters, asks, values)


def pair(rng: Random) -> Archetype:
    """A tool that takes two things of one kind, told apart by the words around them: "swap hall 3 with hall 7"."""
    verb, noun = w.pick(rng, "acts").replace("_", " "), w.pick(rng, "nouns")
    first, second, said = rng.choice(sections("frames")["pairs"]).split(" : ")
    kind = rng.choice(("label", "label", "label", "place", "person", "brand", "code", "phrase"))
    one, two = (Parameter(n.replace("{noun}", noun), kind, (), False) for n in (first, second))
    more = details(rng, one.name) if rng.random() < 0.3 else {}
    more = {name: told for name, told in more.items() if name not in GOALS}
    slots = {"{x}": "{" + one.name + "}", "{y}": "{" + two.name + "}"}
    values = {"{said}": verb, "{Said}": verb.capitalize(), "{noun}": noun} | slots
    said = form(rng, "frames", "pair_lone") if rng.random() < 0.13 else said
    asks = [f"{expand(rng, said)} {mentioned(rng, more, kind)}" for _ in range(3)]
    parts = [one, two, *(p for p, _ in more.values() if p.name != two.name)]
    name = rng.choice((f"{verb}_{noun}", f"{noun}_{verb}", verb)).replace(" ", "_")
    return finished(rng, name, form(rng, "frames", "act_description_plain"), parts, asks, values)


def finished(
    rng: Random, name: str, text: str, parameters: list[Parameter], asks: list[str], values: dict[str, str]
) -> Archetype:
    """The archetype with the frame's own words in place; the slots of its arguments stay."""
    made = []
    for ask in [text, *asks]:
        for slot, words in values.items():
            ask = ask.replace(slot, words)
        made.append(ask.replace("{adj}", w.pick(rng, "adjectives")).replace("  ", " ").strip())
    ends = ("", "", " please", ".", "?")
    asks = [ask if ask.endswith((">", "?")) else ask + rng.choice(ends) for ask in made[1:]]
    return Archetype((name,), made[0], tuple(parameters), tuple(asks))
