"""Tools that nobody has written: verb, noun and arguments put together by chance, with requests that fit them."""

from random import Random

from starter.data import words as w
from starter.data.archetypes import Archetype, Parameter

# Verbs of the tool's name, and what people say for them.
VERBS = {
    "get": "<get|show|fetch|give me|tell me|what is|I need|look up>", "find": "<find|search for|look for|where is|I am looking for>", "list": "<list|show|give me all|which are>",
    "create": "<create|make|add|open|set up|new:>", "add": "<add|put in|insert|append>", "delete": "<delete|remove|get rid of|erase|drop>", "update": "<update|change|edit|modify>",
    "cancel": "<cancel|call off|stop>", "check": "<check|verify|test|look at>", "count": "<count|how many are in|tell me the number of>", "send": "<send|mail|forward>",
    "start": "<start|launch|begin|run|kick off>", "stop": "<stop|halt|end|shut down>", "approve": "<approve|accept|sign off|ok>", "reject": "<reject|refuse|turn down|decline>",
    "export": "<export|download|save>", "import": "<import|load|upload>", "print": "<print|print out>", "rename": "<rename|give a new name to>", "archive": "<archive|file away|put away>",
    "restore": "<restore|bring back|recover>", "share": "<share|pass on>", "reserve": "<reserve|book|hold>", "order": "<order|buy|purchase|get me>", "move": "<move|shift|transfer>",
    "measure": "<measure|how long is|how heavy is|size up>", "repair": "<repair|fix|mend>", "paint": "<paint|colour>", "compare": "<compare|contrast>", "rate": "<rate|score|judge>",
    "schedule": "<schedule|plan|arrange>", "notify": "<notify|tell|alert|inform>", "lock": "<lock|close>", "estimate": "<estimate|guess|what would be>", "convert": "<convert|turn|change>",
    "analyze": "<analyse|analyze|examine|study>", "track": "<track|follow|trace|where is>", "assign": "<assign|give>", "sell": "<sell|offer>", "clean": "<clean|wash|tidy>",
}  # fmt: skip
# Names, kind and phrases of one argument; {x} is its value.
ROLES: tuple[tuple[str, str, str], ...] = (
    ("customer client owner person employee patient student author teacher manager name user", "person", "for {x}| of {x}| by {x}| from {x}| belonging to {x}"),
    ("city location place region country site town destination branch", "place", "in {x}| at {x}| near {x}| for {x}| from {x}"),
    ("date day due_date deadline start_date when", "date", "on {x}| for {x}| by {x}| dated {x}"),
    ("time hour start_time", "time", "at {x}| around {x}| for {x}"),
    ("count quantity limit size days pieces copies guests max_results number_of_items hours level", "int", "{n} {x}| with {x} {n}"),
    ("amount price weight budget length width score threshold temperature ratio", "number", "with a {n} of {x}| for {x}| at {x}| {n} {x}"),
    ("id number reference code identifier item_id serial_number key", "code", "{x}| number {x}| with id {x}| with the number {x}| #{x}"),
    ("title name label topic category subject item product keyword query tag", "phrase", "called {x}| named {x}| about {x}| with the {n} {x}| \"{x}\""),
    ("company supplier brand vendor partner", "brand", "for {x}| from {x}| with {x}| of {x}"),
    ("email recipient address", "email", "to {x}| for {x}| via {x}"),
    ("color priority mode format size level status style", "enum", "in {x}| as {x}| with {n} {x}| {x}"),
    ("urgent private express public hidden recurring archived", "bool", "{x}| and make it {x}| that is {x}"),
    ("note text message comment reason description", "quoted", "saying {x}| with the {n} {x}| because {x}| : {x}"),
    ("tags items names options members", "list", "with {n} {x}| for {x}| {x}"),
    ("language", "language", "in {x}| into {x}"),
    ("currency", "currency", "in {x}| in {x}"),
)  # fmt: skip
ENUMS = ("red/green/blue/black/white", "low/normal/high", "small/medium/large", "pdf/csv/xlsx", "fast/slow", "daily/weekly/monthly", "draft/final", "north/south/east/west", "bronze/silver/gold", "open/closed/all", "day/night", "new/used", "left/right", "json/xml", "asc/desc")
ANY = "<with |><the |>{n} {x}|{n}: {x}|{n} = {x}|{n} {x}|where <the |>{n} is {x}|, <the |>{n} <is|should be> {x},|, {n} {x},"


def parameter(rng: Random, taken: set[str]) -> tuple[Parameter, str] | None:
    """A parameter and the ways to mention it, or None where chance repeats a name."""
    names, kind, phrases = rng.choice(ROLES)
    name = rng.choice(names.split())
    if rng.random() < 0.06 and kind not in ("bool", "enum"):
        name = w.invented(rng, 2)
    if name in taken:
        return None
    choices: tuple[str, ...] = ()
    if kind == "enum":
        choices = tuple(rng.choice(ENUMS).split("/")) if rng.random() < 0.8 else tuple({w.pick(rng, "adjectives"), w.invented(rng, 2), w.invented(rng, 2)})
    if kind == "bool":
        choices = (name, f"not {name}")
    said = name.replace("_", " ")
    options = [p.strip() for p in phrases.split("| ")]
    if kind != "bool" and (rng.random() < 0.45 or name not in names.split()):
        options = [ANY]
    return Parameter(name, kind, choices, rng.random() < 0.3), f"<{'|'.join(options)}>".replace("{n}", said).replace("{x}", "{" + name + "}")


def synthetic(rng: Random, noun: str | None = None, verb: str | None = None) -> Archetype:
    """A tool around a noun, with up to four arguments and four ways to ask for it."""
    verb = verb or (rng.choice(tuple(VERBS)) if rng.random() < 0.93 else w.invented(rng, 2))
    noun = noun or (w.pick(rng, "nouns") if rng.random() < 0.85 else w.invented(rng, 2))
    qualifier = w.pick(rng, "adjectives") if rng.random() < 0.12 else ""
    made: dict[str, tuple[Parameter, str]] = {}
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 2, 3, 3, 4))):
        found = parameter(rng, set(made))
        if found:
            made[found[0].name] = found
    thing = f"{qualifier} {noun}".strip()
    name = "_".join((verb, thing.replace(" ", "_")))
    names = (name, name.title().replace("_", "")) if rng.random() < 0.08 else (name,)
    if rng.random() < 0.08:
        names = (f"{noun}_{verb}",)
    return Archetype(names, describe(rng, verb, thing, list(made)), tuple(p for p, _ in made.values()), asks(rng, verb, thing, made))


def describe(rng: Random, verb: str, thing: str, parameters: list[str]) -> str:
    said = [p.replace("_", " ") for p in parameters]
    tail = f" by {' and '.join(said)}" if said and rng.random() < 0.4 else ""
    article = rng.choice(("a", "the", "one"))
    return rng.choice((f"{verb.capitalize()} {article} {thing}{tail}.", f"{verb.capitalize()} {article} {thing}{tail}", f"{verb.capitalize()}s {thing}s{tail}.", f"Use this to {verb} {article} {thing}.", ""))


def asks(rng: Random, verb: str, thing: str, made: dict[str, tuple[Parameter, str]]) -> tuple[str, ...]:
    """Requests: the verb as people say it, the noun, and the arguments in any order, optional ones at times."""
    forms = []
    for _ in range(3):
        mentioned = [text for p, text in made.values() if not p.optional or rng.random() < 0.5]
        if len(mentioned) > 0 and rng.random() < 0.06:
            mentioned.pop()
        rng.shuffle(mentioned)
        said = VERBS.get(verb, verb) if rng.random() < 0.75 else verb
        article = rng.choice(("the", "a", "my", "our", "this", "that"))
        lead = rng.choice(("", "", "", "<please|can you|could you|I want to|I'd like to|would you|we need to|let's|go ahead and> "))
        if lead:
            said = verb
        parts = " ".join(mentioned)
        if mentioned and rng.random() < 0.08 and not lead:
            forms.append(f"{mentioned[0]}, {said} {article} {thing} {' '.join(mentioned[1:])}".strip())
        else:
            forms.append(f"{lead}{said} {article} {thing} {parts}".strip() + rng.choice(("", "", ".", " please", "?")))
    return tuple(f.replace(" ,", ",").replace(",,", ",").replace(" :", ":") for f in forms)
