"""Tools that nobody has written: verb, noun and arguments put together by chance, with requests that fit them."""

from random import Random

from starter.data import words as w
from starter.data.archetypes import Archetype, Parameter
from starter.data.forms import sections

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
    ("file path document source target image photo", "label", "{n} {x}| {x}| from {x}| to {x}"),
    ("host server device service machine sensor channel group", "label", "{n} {x}| {x}| on {x}| in {x}| for {x}"),
    ("zone gate room line hall track platform section lane seat", "label", "{n} {x}| in {n} {x}| at {n} {x}| {x}"),
)  # fmt: skip
ENUMS = (
    "red/green/blue/black/white",
    "low/normal/high",
    "small/medium/large",
    "pdf/csv/xlsx",
    "fast/slow",
    "daily/weekly/monthly",
    "draft/final",
    "north/south/east/west",
    "bronze/silver/gold",
    "open/closed/all",
    "day/night",
    "new/used",
    "left/right",
    "json/xml",
    "asc/desc",
)
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
        choices = (
            tuple(rng.choice(ENUMS).split("/"))
            if rng.random() < 0.8
            else tuple({w.pick(rng, "adjectives"), w.invented(rng, 2), w.invented(rng, 2)})
        )
    if kind == "bool":
        choices = (name, f"not {name}")
    said = name.replace("_", " ")
    options = [p.strip() for p in phrases.split("| ")]
    if kind != "bool" and (rng.random() < 0.45 or name not in names.split()):
        options = [ANY]
    return Parameter(name, kind, choices, rng.random() < 0.3), f"<{'|'.join(options)}>".replace("{n}", said).replace(
        "{x}", "{" + name + "}"
    )


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
    return Archetype(
        names, describe(rng, verb, thing, list(made)), tuple(p for p, _ in made.values()), asks(rng, verb, thing, made)
    )


# Verbs that act on one thing, as they stand before its name, and how the tool's name may put them differently.
ACTS = (
    "block unblock mute unmute ping restart pause resume archive publish hide reveal tag rename scale split merge donate log record vote grade hire fire promote invite greet water feed brew heat cool preheat dim open close lock unlock "
    "park charge refuel scan wash wrap pack ship return swap translate encrypt decrypt compress unzip copy paste clone fork deploy rollback install uninstall enable disable activate deactivate subscribe unsubscribe follow unfollow like "
    "pin unpin bookmark queue skip shuffle play watch read sign stamp seal weigh measure test inspect review approve reject escalate assign claim release rent lease sell buy order cancel confirm postpone extend renew close_account issue "
    "print scan fax call text email notify warn remind escort guide rescue plant harvest mow trim paint draw sketch film photograph broadcast stream upload download sync backup restore reset calibrate tune adjust raise lower lift drop"
).split()
DETAILS = (
    ("hours", "number", "for {x} hours|{x} hours"), ("minutes", "int", "for {x} minutes|{x} minutes"), ("days", "int", "for {x} days|{x} days"), ("percent", "int", "to {x} percent|by {x}%|at {x} percent|{x}%"), ("degrees", "int", "to {x} degrees|at {x} degrees|{x} degrees"),
    ("amount", "number", "{x}|with {x}|of {x}|for {x}"), ("people", "int", "between {x} people|for {x} people|{x} people"), ("floor", "int", "on floor {x}|floor {x}"), ("day", "date", "on {x}|for {x}|{x}"), ("new_name", "label", "to {x}|as {x}|into {x}"),
    ("company", "brand", "from {x}|of {x}|for {x}"), ("points", "int", "{x} points|with {x} points"), ("reason", "phrase", "because of {x}|for {x}"), ("to", "label", "to {x}|into {x}"), ("person", "person", "for {x}|by {x}|with {x}|from {x}"),
    ("tags", "list", "with {x}|as {x}"), ("choice", "enum:yes/no/maybe", "{x}|with {x}|as {x}"), ("environment", "enum:staging/production/test", "on {x}|in {x}|{x}"), ("strength", "enum:mild/medium/strong", "{x}|as {x}"), ("confirm", "bool", "confirm {x}|confirmed {x}"),
    ("season", "year", "in {x}|of {x}|for {x}"), ("weight_kg", "number", "{x} kg|weighing {x} kg"), ("litres", "number", "{x} litres|with {x} litres"), ("km", "int", "{x} km|at {x} km|after {x} km"), ("line", "int", "line {x}|with line {x}"), ("date", "date", "on {x}|for {x}|{x}"),
    ("country", "place", "in {x}|for {x}|of {x}"), ("station", "place", "at {x}|from {x}|at station {x}|station {x}"), ("max_price", "number", "under {x}|for at most {x}|below {x}"), ("time", "time", "at {x}|from {x}"), ("email", "email", "to {x}|{x}|via {x}"),
)  # fmt: skip


def detail(rng: Random) -> tuple[Parameter, str]:
    """A further argument, with the words that carry it."""
    if rng.random() < 0.2:
        noun = w.pick(rng, "nouns")
        name = rng.choice((f"{noun}s", f"{noun}_count", f"number_of_{noun}s", f"{noun}s"))
        return Parameter(name, "int", (), rng.random() < 0.2), f"<with |for |>{{{name}}} {noun}s"
    if rng.random() < 0.15:
        noun = w.pick(rng, "nouns")
        return Parameter(
            noun, "label", (), rng.random() < 0.2
        ), f"<in|at|on|for|from|with|to> <{noun} |the {noun} |>{{{noun}}}"
    name, kind, phrases = rng.choice(DETAILS)
    kind, _, choices = kind.partition(":")
    made = tuple(choices.split("/")) if choices else ("yes", "no") if kind == "bool" else ()
    return Parameter(name, kind, made, rng.random() < 0.25), f"<{phrases}>".replace("{x}", "{" + name + "}")


def act(rng: Random) -> Archetype:
    """A tool that does something to one named thing, with details: "mute #random for 3 hours"."""
    verb = rng.choice(ACTS) if rng.random() < 0.9 else w.invented(rng, 2)
    said = verb.replace("_", " ")
    noun = w.pick(rng, "nouns") if rng.random() < 0.9 else w.invented(rng, 2)
    own = rng.choice((noun, noun, f"{noun}_id", f"{noun}_name", "name", "target", "id"))
    kind = rng.choice(("label", "label", "label", "person", "place", "brand", "phrase", "code"))
    first = Parameter(own, kind, (), False)
    details = {}
    for _ in range(rng.choice((0, 1, 1, 2))):
        p, text = detail(rng)
        if p.name != own:
            details[p.name] = (p, text)
    order = [first, *[p for p, _ in details.values()]]
    if rng.random() < 0.25:
        rng.shuffle(order)
    slot = "{" + own + "}"
    forms = []
    for _ in range(3):
        tail = [t for p, t in details.values() if not p.optional or rng.random() < 0.5]
        if tail and rng.random() < 0.16:
            tail.pop()
        rng.shuffle(tail)
        rest = " ".join(tail)
        forms.append(
            rng.choice(
                (f"<|please |can you |could you |I want to |I'd like to |we must |go and >{said} <the |>{noun} {slot} {rest}", f"<|please |can you |I need to |let's >{said} {slot} {rest}", f"{noun} {slot}: {said} <it |>{rest}", f"{said} {rest} <the |>{noun} {slot}",
                 f"{slot} <must|should|has to|needs to> be {said}ed {rest}", f"<the |>{noun} {slot} is <done|old|{{adj}}|ready>, {said} it {rest}", f"I {said} {rest} <on|for|in> <the |>{noun} {slot}", f"{slot} - {said} {rest}", f"give {slot} {rest} <please|>, {said} it" if rest else f"{said} {slot}")
            ).replace("{adj}", w.pick(rng, "adjectives")).strip() + rng.choice(("", "", " please", ".", "?"))
        )  # fmt: skip
    if rng.random() < 0.14:
        rest = rng.choice(("", *[t for _, t in details.values()]))
        forms = [
            f"<please |can you |I want to |I'd like to |>{said} <a|the|my|some|one|any|a certain> {noun} {rest}<| please| for me>",
            f"{said} <something|somebody|it|one> {rest}",
        ]
    name = rng.choice((f"{verb}_{noun}", f"{verb}_{noun}", f"{noun}_{verb}", verb))
    text = rng.choice(
        (
            f"{said.capitalize()} a {noun}.",
            f"{said.capitalize()}s one of the {noun}s.",
            f"{said.capitalize()} a {noun} by its {own.replace('_', ' ')}.",
            f"{said.capitalize()} a {w.pick(rng, 'adjectives')} {noun} of the {w.pick(rng, 'nouns')}.",
            "",
        )
    )
    return Archetype((name,), text, tuple(order), tuple(forms))


def look(rng: Random) -> Archetype:
    """A tool that tells one quality of a thing: "how high is the Sava" for water_level(river)."""
    attribute, _, asks = rng.choice(sections("attributes")["all"]).split(" : ")
    noun = w.pick(rng, "nouns") if rng.random() < 0.9 else w.invented(rng, 2)
    own = rng.choice((noun, noun, noun, f"{noun}_id", f"{noun}_name", "name", "id", "code"))
    kind = rng.choice(("label", "label", "place", "place", "person", "brand", "phrase", "code"))
    slot = "{" + own + "}"
    what = attribute.replace("_", " ")
    forms = [
        f"<{asks.replace('{x}', rng.choice((f'the {noun} {slot}', f'{noun} {slot}', slot, slot, f'the {slot} {noun}')))}><?|| now?| today?| right now?>"
        for _ in range(2)
    ]
    forms += [
        f"<what is|what's|tell me|show me|give me|check|I need|look up|can you find> the {what} <of|for|at|in> <the |>{rng.choice((noun + ' ', ''))}{slot}",
        f"{slot} {what}<| please|?>",
        f"{noun} {slot}<:|,> {what}<|?>",
    ]
    extra: list[Parameter] = []
    if rng.random() < 0.3:
        p, text = detail(rng)
        if p.name != own:
            extra.append(p)
            forms = [f"{f.rstrip('?')} {text}" for f in forms[:2]] + ([forms[2]] if p.optional else [])
    if rng.random() < 0.08:
        forms = [
            f"<what is|tell me|check|show me> the {what}<| of a {noun}| of my {noun}>",
            f"<{asks.replace('{x}', f'<the|my> {noun}')}>?",
        ]
    name = rng.choice(
        (
            f"{noun}_{attribute}",
            f"get_{noun}_{attribute}",
            f"{attribute}_of_{noun}",
            f"{attribute}_lookup",
            f"find_{attribute}",
            f"check_{noun}",
            f"get_{attribute}",
        )
    )
    text = rng.choice(
        (
            f"{what.capitalize()} of a {noun}.",
            f"The {what} of a {noun}.",
            f"Current {what} at a {noun}.",
            f"Get the {what} for a {noun}.",
            f"Tells the {what} of a {noun}",
            f"{what.capitalize()} that belongs to a {noun}.",
        )
    )
    return Archetype((name,), text, (Parameter(own, kind, (), False), *extra), tuple(forms))


def describe(rng: Random, verb: str, thing: str, parameters: list[str]) -> str:
    said = [p.replace("_", " ") for p in parameters]
    tail = f" by {' and '.join(said)}" if said and rng.random() < 0.4 else ""
    article = rng.choice(("a", "the", "one"))
    return rng.choice(
        (
            f"{verb.capitalize()} {article} {thing}{tail}.",
            f"{verb.capitalize()} {article} {thing}{tail}",
            f"{verb.capitalize()}s {thing}s{tail}.",
            f"Use this to {verb} {article} {thing}.",
            "",
        )
    )


def asks(rng: Random, verb: str, thing: str, made: dict[str, tuple[Parameter, str]]) -> tuple[str, ...]:
    """Requests: the verb as people say it, the noun, and the arguments in any order, optional ones at times."""
    forms = []
    for _ in range(3):
        mentioned = [text for p, text in made.values() if not p.optional or rng.random() < 0.5]
        if len(mentioned) > 0 and rng.random() < 0.14:
            mentioned.pop()
        rng.shuffle(mentioned)
        said = VERBS.get(verb, verb) if rng.random() < 0.75 else verb
        article = rng.choice(("the", "a", "my", "our", "this", "that"))
        lead = rng.choice(
            ("", "", "", "<please|can you|could you|I want to|I'd like to|would you|we need to|let's|go ahead and> ")
        )
        if lead:
            said = verb
        parts = " ".join(mentioned)
        if mentioned and rng.random() < 0.08 and not lead:
            forms.append(f"{mentioned[0]}, {said} {article} {thing} {' '.join(mentioned[1:])}".strip())
        else:
            forms.append(f"{lead}{said} {article} {thing} {parts}".strip() + rng.choice(("", "", ".", " please", "?")))
    return tuple(f.replace(" ,", ",").replace(",,", ",").replace(" :", ":") for f in forms)
