"""English sentences about who does what, where, when and why, each with a question on one of its parts."""

from dataclasses import dataclass
from random import Random

from starter.data import archetypes as a
from starter.data import words as w
from starter.data.forms import expand, sections

TENSES = ("present", "past", "past", "will", "must", "may", "can", "perfect")
SYNONYMS = (
    "make produce build create", "repair maintain restore", "lead manage run", "send deliver bring", "show present", "start launch open", "check inspect examine verify test",
    "receive get", "teach train", "choose prefer", "change edit update", "give donate offer provide", "hold keep own store", "report announce describe", "collect get", "hire employ", "fund sponsor support", "design develop invent",
    "stop cancel close", "improve repair", "buy get", "need require", "protect guard", "examine study research", "plan prepare arrange organise schedule", "sign approve accept", "wash clean", "watch monitor track",
)  # fmt: skip
ADJUNCTS: dict[str, tuple[str, str]] = {
    "place": ("in {place}|at the {noun}|near the {adj} {noun}|in the {noun} of {place}|on the {adj} {noun}|in hall {k}|behind the {noun}", "Where|In which place|Where exactly"),
    "time": ("in {year}|on {date}|in {month}|before the {noun}|after the {adj} {noun}|at {clock}|after {k} days|at the end of {month}|during the {noun}", "When|At what time|When exactly"),
    "frequency": ("every {weekday}|{k} times a year|once a month|twice a week|every {k} weeks|on the first day of each month|each {noun}", "How often|How many times|When"),
    "duration": ("for {k} years|for {k} weeks|for {k} minutes|for at least {k} months|until the end of {month}|for {k} {noun}s", "How long|For how long|For what period"),
    "limit": ("within {k} hours|within {k} days|in less than {k} minutes|at least {k} days ahead|no later than {date}|in {k} working days on average", "How soon|How quickly|Within what time|How fast|By when"),
    "reason": ("because the {noun} is {adj}|because of the {adj} {noun}|because the {noun} was {pp}|since the {noun} is too {adj}|due to the {noun}", "Why|For what reason|How come"),
    "purpose": ("to {other} the {adj} {noun}|in order to {other} {noun}s|as a {adj} {noun}", "Why|What for|For what purpose"),
    "means": ("with {adj} {noun}s|with a {adj} {noun}|by {noun}|using {noun}s|through the {noun} desk", "How|With what|In what way"),
    "money": ("for ${money}|for {k} euros|at a price of ${money}|for ${money} a month", "How much|For how much|At what price"),
    "sum": ("up to ${money}|up to {k}%|up to {k} {noun}s|at most {k} times", "Up to which sum|Up to what amount|How much|To what limit"),
    "person": ("for {person}|with {person}|together with {brand}|for {brand}", "For whom|With whom|Who else"),
}  # fmt: skip


@dataclass(frozen=True)
class Verb:
    base: str
    third: str
    past: str
    participle: str


@dataclass(frozen=True)
class Said:
    """A sentence, the questions that it answers, and questions of the same kind that it does not."""

    sentence: str
    questions: tuple[str, ...]
    beyond: tuple[str, ...]


def verb(rng: Random) -> Verb:
    return Verb(*w.pick(rng, "actions").split("="))


def other_word(rng: Random, v: Verb) -> Verb:
    """A verb that people use for the same thing, where there is one."""
    group = next((g.split() for g in SYNONYMS if v.base in g.split()), None)
    if not group or rng.random() < 0.75:
        return v
    base = rng.choice(group)
    return next(Verb(*x.split("=")) for x in w.words("actions") if x.startswith(base + "="))


def doer(rng: Random) -> tuple[str, str]:
    """Who acts, and the word to ask for it."""
    noun, adjective = w.pick(rng, "nouns"), w.pick(rng, "adjectives")
    return rng.choice(
        (
            (w.person(rng), "Who"), (w.brand(rng), "Who"), (w.brand(rng), "Which company"), (f"the {w.pick(rng, 'teams')} team", "Which team"), (f"the {noun}", "What"), (f"the {adjective} {noun}", f"Which {noun}"),
            (f"our {noun}", "What"), (w.person(rng), "Who"), (f"the {noun} of {w.place(rng)}", "What"), (f"the {noun} {w.pick(rng, 'nouns')}", "Who"), (w.person(rng).split()[0], "Who"),
        )
    )  # fmt: skip


def thing(rng: Random) -> tuple[str, str, bool, str]:
    """A noun phrase, a shorter way to say it, whether it is plural, and "How many ..." where it counts."""
    noun, second, adjective = w.pick(rng, "nouns"), w.pick(rng, "nouns"), w.pick(rng, "adjectives")
    count = rng.choice(
        (str(rng.randint(2, 99)), f"{rng.randint(1, 99)},{rng.randint(100, 999)}", rng.choice(a.NUMBER_WORDS[2:]))
    )
    made = (
        (f"{adjective} {noun}s", f"{noun}s", True, ""), (f"the {adjective} {noun}", f"the {noun}", False, ""), (f"a {noun} for {second}s", f"a {noun}", False, ""), (f"the {noun} of {w.brand(rng)}", f"the {noun}", False, ""),
        (f"{count} {noun}s", f"{noun}s", True, f"How many {noun}s"), (f"{count} {adjective} {noun}s", f"{noun}s", True, f"How many {noun}s"), (f"{noun} {second}s", f"{noun} {second}s", True, ""),
        (f"{adjective} {noun}s and {second}s", f"{noun}s", True, ""), (f"every {noun}", f"every {noun}", False, ""), (f"up to {count} {noun}s", f"{noun}s", True, f"How many {noun}s"), (w.brand(rng), "", False, ""),
        (f"the first {noun}, a {adjective} {second},", f"the first {noun}", False, ""), (f"a {adjective} {noun} {second}", f"a {noun} {second}", False, ""),
    )  # fmt: skip
    full, short, plural, counted = rng.choice(made)
    return full, short or full, plural, counted


def finite(v: Verb, tense: str, plural: bool = False) -> str:
    modal = {"will": "will", "must": "must", "may": "may", "can": "can"}.get(tense)
    if modal:
        return f"{modal} {v.base}"
    return {
        "present": v.base if plural else v.third,
        "past": v.past,
        "perfect": f"{'have' if plural else 'has'} {v.participle}",
    }[tense]


def passive(v: Verb, tense: str, plural: bool) -> str:
    if tense in ("will", "must", "may", "can"):
        return f"{tense} be {v.participle}"
    be = {"present": ("is", "are"), "past": ("was", "were"), "perfect": ("has been", "have been")}[tense][plural]
    return f"{be} {v.participle}"


def asked(v: Verb, tense: str, subject: str, plural: bool = False, passively: bool = False) -> str:
    """What follows the question word: "did Ann build", "is the house painted"."""
    if passively:
        auxiliary, _, rest = passive(v, tense, plural).partition(" ")
        return f"{auxiliary} {subject} {rest}"
    if tense in ("will", "must", "may", "can"):
        return f"{tense} {subject} {v.base}"
    if tense == "perfect":
        return f"{'have' if plural else 'has'} {subject} {v.participle}"
    return f"{'did' if tense == 'past' else 'do' if plural else 'does'} {subject} {v.base}"


def adjunct(rng: Random, role: str) -> str:
    from starter.data.passages import MAKERS

    text = rng.choice(ADJUNCTS[role][0].split("|"))
    extra = {
        "month": rng.choice(a.MONTHS),
        "weekday": rng.choice(a.DAYS),
        "other": verb(rng).base,
        "pp": verb(rng).participle,
    }
    for name, value in extra.items():
        text = text.replace("{" + name + "}", value)
    while "{" in text:
        slot = text[text.index("{") + 1 : text.index("}")]
        text = text.replace("{" + slot + "}", MAKERS[slot](rng), 1)
    return text


def happening(rng: Random, agent: tuple[str, str] | None = None, active: bool = False) -> Said:
    """A sentence with a verb, up to two circumstances, and questions on each part."""
    (who, who_word), v, tense = agent or doer(rng), verb(rng), rng.choice(TENSES)
    what, short, plural, counted = thing(rng)
    roles = rng.sample(tuple(ADJUNCTS), rng.choice((0, 1, 1, 1, 2)))
    extras = {role: adjunct(rng, role) for role in roles}
    tail = "".join(f" {text}" for text in extras.values())
    passively = not active and rng.random() < 0.35
    named = rng.random() < 0.5
    body = what.rstrip(",") if passively else what.rstrip(",") if not tail else what
    if passively:
        by = f" by {who}" if named else ""
        sentence = f"{body} {passive(v, tense, plural)}{by}{tail}."
    else:
        sentence = f"{who} {finite(v, tense)} {body}{tail}."
    q = other_word(rng, v)
    object_ = (short if rng.random() < 0.4 else what).rstrip(",")
    questions = about(rng, q, tense, (who, who_word), (object_, plural), passively, not passively or named)
    asking = {role: with_word(rng, role, q, tense, who, (object_, plural), passively, named) for role in ADJUNCTS}
    known = [asking[r] for r in roles]
    if counted:
        known.append(
            f"{counted} {asked(q, tense, '', True, True).replace('  ', ' ')}?"
            if passively
            else f"{counted} {asked(q, tense, who)}?"
        )
    polar = asked(q, tense, object_, plural, True) if passively else f"{asked(q, tense, who)} {object_}"
    weights = known * 2 + questions + [polar[0].upper() + polar[1:] + "?"]
    beyond = tuple(
        asking[r]
        for r in ("place", "time", "reason", "money", "duration", "frequency", "means")
        if r not in roles
        and not {r, *roles} <= {"reason", "purpose", "means"}
        and not (r in ("time", "frequency", "duration") and set(roles) & {"time", "frequency", "duration", "limit"})
    )
    other = f"{asked(q, tense, who)} {thing(rng)[0].rstrip(',')}?"
    return Said(capital(sentence), tuple(weights), (*beyond, capital(other)))


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def moving(rng: Random, agent: tuple[str, str] | None = None) -> Said:
    """A sentence with a verb that takes no object: who arrives, sleeps or ends, and when, where, how long."""
    who, word = agent or rng.choice((doer, lambda r: (f"the {w.pick(r, 'nouns')} of {w.brand(r)}", "What")))(rng)
    v, tense = Verb(*w.pick(rng, "movements").split("=")), rng.choice(TENSES)
    roles = rng.sample([r for r in ADJUNCTS if r not in ("money", "sum")], rng.choice((1, 1, 2)))
    tail = " ".join(adjunct(rng, role) for role in roles)
    asking = {role: f"{rng.choice(ADJUNCTS[role][1].split('|'))} {asked(v, tense, who)}?" for role in ADJUNCTS}
    known = [asking[r] for r in roles] * 2 + [f"{word} {finite(v, tense)} {tail}?", f"{word} {finite(v, tense)}?"]
    beyond = tuple(asking[r] for r in ("place", "money") if r not in roles)
    return Said(capital(f"{who} {finite(v, tense)} {tail}."), tuple(known), beyond)


def being(rng: Random, subject: str = "") -> Said:
    """What something is, stays or becomes, with a circumstance."""
    x = subject or doer(rng)[0]
    adjective = w.pick(rng, "adjectives")
    role = rng.choice(("place", "time", "reason", "duration"))
    tail = adjunct(rng, role)
    be = rng.choice(("is", "is", "was", "stays", "became", "has been"))
    aux = {
        "is": ("is", ""),
        "was": ("was", ""),
        "stays": ("does", "stay "),
        "became": ("did", "become "),
        "has been": ("has", "been "),
    }[be]
    word = rng.choice(ADJUNCTS[role][1].split("|"))
    ask = f"{word} {aux[0]} {x} {aux[1]}{adjective}?"
    role_noun = f"our {adjective} {w.pick(rng, 'nouns')}"
    if subject and rng.random() < 0.4:
        return Said(
            f"{x} is {role_noun}.",
            (f"What is {x}?", f"What kind of thing is {x}?", f"Who or what is {x}?"),
            (f"Why is {x} {w.pick(rng, 'adjectives')}?", f"How much is {x}?"),
        )
    polar = f"{aux[0]} {x} {aux[1]}{adjective}?"
    return Said(
        capital(f"{x} {be} {adjective} {tail}."),
        (ask, ask, f"What {be} {adjective} {tail}?", capital(polar)),
        (capital(f"{aux[0]} {x} {aux[1]}{w.pick(rng, 'adjectives')}?"),),
    )


def order(rng: Random) -> Said:
    """A sentence that tells the reader what to do, under a condition at times."""
    v, (what, short, _, counted) = verb(rng), thing(rng)
    what, role = what.rstrip(","), rng.choice(tuple(ADJUNCTS))
    tail = adjunct(rng, role) if rng.random() < 0.75 else ""
    noun, adjective = w.pick(rng, "nouns"), w.pick(rng, "adjectives")
    when, condition = rng.choice(
        (
            ("", ""),
            ("", ""),
            (f"If the {noun} is {adjective}, ", f"if the {noun} is {adjective}"),
            (f"If you {verb(rng).base} the {noun}, ", ""),
            (f"To {verb(rng).base} the {noun}, ", ""),
        )
    )
    ought, me = (
        rng.choice(("should", "must", "do", "can", "shall")),
        rng.choice(("I", "we", "you", "employees", "customers")),
    )
    named = short if rng.random() < 0.5 else what
    known = [f"What {ought} {me} {v.base}?", f"What {ought} {me} {v.base}{' ' + tail if tail else ''}?"]
    word = rng.choice(ADJUNCTS[role][1].split("|"))
    if tail:
        known += [f"{word} {ought} {me} {v.base} {named}?"] * 2 + [f"{word} must {named} be {v.participle}?"]
    if counted:
        known += [f"{counted} {ought} {me} {v.base}?"] * 2
    if condition:
        known += [f"What {ought} {me} do {condition}?"] * 2 + [f"The {noun} is {adjective}, what {ought} {me} do?"]
    others = [r for r in ("place", "time", "money", "duration") if r != role]
    beyond = tuple(f"{rng.choice(ADJUNCTS[r][1].split('|'))} {ought} {me} {v.base} {named}?" for r in others)
    text = f"{when}{v.base if when else capital(v.base)} {what}{' ' + tail if tail else ''}."
    return Said(
        text,
        tuple(known),
        (*beyond, f"What {ought} {me} {verb(rng).base}?", f"Can {me} {verb(rng).base} {thing(rng)[0].rstrip(',')}?"),
    )


def joined(rng: Random, subject: str = "") -> Said:
    """Two things said in one sentence: one doer with two verbs, or two sentences on a conjunction."""
    agent = (subject, "Who") if subject else doer(rng)
    if rng.random() < 0.6:
        one, two = (
            happening(rng, agent, active=True),
            rng.choice((lambda: happening(rng, agent, active=True), lambda: moving(rng, agent)))(),
        )
        rest = two.sentence[len(agent[0]) + 1 : -1]
        return Said(f"{one.sentence[:-1]} and {rest}.", one.questions + two.questions, one.beyond)
    one, two = rng.choice((happening, moving, attribute))(rng), rng.choice((happening, moving, being))(rng)
    first = two.sentence.split(" ")[0]
    rest = two.sentence[0].lower() + two.sentence[1:] if first in ("The", "Our", "A", "Every", "Up") else two.sentence
    return Said(
        f"{one.sentence[:-1]}{rng.choice((', and ', '; ', ', but ', ', while ', ', so '))}{rest}",
        one.questions + two.questions,
        one.beyond,
    )


def about(
    rng: Random, v: Verb, tense: str, agent: tuple[str, str], patient: tuple[str, bool], passively: bool, named: bool
) -> list[str]:
    """Questions for the doer and for the thing done."""
    (who, word), (what, plural) = agent, patient
    found = []
    if named:
        found += [
            f"{word} {finite(v, tense)} {what}?",
            rng.choice((f"By whom {passive_question(v, tense, what, plural)}?", f"{word} {finite(v, tense)} {what}?")),
        ]
        found.append(f"What {asked(v, tense, who)}?")
    elif passively:
        found.append(f"What {passive(v, tense, False)}?")
    return found


def passive_question(v: Verb, tense: str, what: str, plural: bool) -> str:
    return asked(v, tense, what, plural, passively=True)


def with_word(
    rng: Random, role: str, v: Verb, tense: str, who: str, patient: tuple[str, bool], passively: bool, named: bool
) -> str:
    word = rng.choice(ADJUNCTS[role][1].split("|"))
    what, plural = patient
    if passively and (not named or rng.random() < 0.7):
        return f"{word} {passive_question(v, tense, what, plural)}?"
    if not passively and rng.random() < 0.25:
        return f"{word} {passive_question(v, tense, what, plural)}?"
    return f"{word} {asked(v, tense, who)} {what}?"


def attribute(rng: Random, subject: str = "", values: Random | None = None) -> Said:
    """A sentence that gives one quality of a thing, and questions for it; `values` may draw the value alone."""
    name, kind, asks = rng.choice(sections("attributes")["all"]).split(" : ")
    text = (
        a.value(values or rng, a.Parameter(name, kind, (), False))[0]
        if kind != "list"
        else " and ".join(w.pick(values or rng, "nouns") for _ in "ab")
    )
    noun = w.pick(rng, "nouns")
    x = subject or rng.choice(
        (
            f"the {noun}",
            f"the {w.pick(rng, 'adjectives')} {noun}",
            w.brand(rng),
            f"the {noun} of {w.place(rng)}",
            f"{w.pick(rng, 'nouns')} {rng.randint(1, 30)}",
        )
    )
    said, unit = (
        name.replace("_", " "),
        rng.choice(("", "", " km", " kg", " euros", "%", " metres", " points")) if kind == "number" else "",
    )
    if rng.random() < 0.3:
        said = f"{w.pick(rng, 'adjectives')} {said}"
    sentence = rng.choice(
        (
            f"the {said} {rng.choice(('is', 'is', 'begins at', 'amounts to', 'comes to', 'lies at', 'starts at', 'was set to'))} {text}{unit}.",
        )
        if subject and rng.random() < 0.5
        else (
            f"the {said} of {x} is {text}{unit}.",
            f"{x} has a {said} of {text}{unit}.",
            f"for {x}, the {said} is {text}{unit}.",
            f"{text}{unit} is the {said} of {x}.",
            f"{x}'s {said} is {text}{unit}.",
        )
    )
    direct = (
        f"What is the {said} of {x}?",
        f"What is the {name.replace('_', ' ')} of {x}?",
        f"What {said} does {x} have?",
        f"What is {x}'s {said}?",
        f"{x} {said}",
        f"{said} of {x}?",
    )
    oblique = [q for q in split_top(asks)]
    question = expand(rng, rng.choice(oblique)).replace("{x}", x) + "?"
    return Said(
        sentence[0].upper() + sentence[1:],
        (*direct, *[question[0].upper() + question[1:]] * 4),
        (f"What is the {w.pick(rng, 'nouns')} of {x}?", f"Who {verb(rng).past} {x}?"),
    )


def split_top(text: str) -> list[str]:
    """Alternatives at the top level only: bars inside <...> belong to the form."""
    parts, depth, current = [], 0, ""
    for char in text:
        depth += (char == "<") - (char == ">")
        if char == "|" and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return [*parts, current]


def saying(rng: Random, subject: str = "") -> Said:
    """Any sentence with its questions; about the subject mostly, where one is given."""
    roll = rng.random()
    agent = (subject, "Who") if subject and rng.random() < 0.6 else None
    if roll < 0.4:
        return happening(rng, agent)
    if roll < 0.5:
        return moving(rng, agent)
    if roll < 0.56:
        return being(rng, agent[0] if agent else "")
    if roll < 0.67:
        return order(rng)
    return joined(rng, agent[0] if agent else "") if roll < 0.78 else attribute(rng, subject)
