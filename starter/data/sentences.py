"""English sentences about who does what, where, when and why, each with questions that it answers and leaves open."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from starter.data import values as w
from starter.data.archetypes import Parameter, value
from starter.data.forms import expand, form, sections
from starter.data.grammar import (
    TENSES,
    Doer,
    Thing,
    Verb,
    asked,
    asked_passive,
    capital,
    circumstance,
    circumstances,
    doer,
    finite,
    other_word,
    passive,
    question_word,
    thing,
    verb,
)

TIMES = {"time", "frequency", "duration", "limit"}
CAUSES = {"reason", "purpose", "means"}


@dataclass(frozen=True)
class Said:
    """A sentence, questions that it answers, and questions of the same kind that it does not."""

    sentence: str
    questions: tuple[str, ...]
    beyond: tuple[str, ...]


def left_open(roles: Iterable[str]) -> list[str]:
    """Roles that a sentence with these circumstances surely says nothing of."""
    had = set(roles)
    families = [f for f in (TIMES, CAUSES) if f & had]
    barred = had.union(*families)
    return [r for r in ("place", "time", "reason", "money", "duration", "frequency", "means") if r not in barred]


def happening(rng: Random, agent: Doer | None = None, active: bool = False) -> Said:
    """Somebody does something, in the active or the passive, with up to two circumstances."""
    who, v, tense, what = agent or doer(rng), verb(rng), rng.choice(TENSES), thing(rng)
    roles = rng.sample(tuple(circumstances()), rng.choice((0, 1, 1, 1, 2)))
    tail = "".join(f" {circumstance(rng, role)}" for role in roles)
    passively, named = not active and rng.random() < 0.35, rng.random() < 0.5
    if passively:
        by = f" by {who.name}" if named else ""
        sentence = f"{what.full.rstrip(',')} {passive(v, tense, what.plural)}{by}{tail}."
    else:
        sentence = f"{who.name} {finite(v, tense)} {what.full if tail else what.full.rstrip(',')}{tail}."
    ask = Asking(rng, other_word(rng, v), tense, who, what, passively, not passively or named)
    open_ = [ask.role(r) for r in left_open(roles)] + [capital(f"{asked(v, tense, who.name)} {thing(rng).short}?")]
    return Said(capital(sentence), tuple([ask.role(r) for r in roles] * 2 + ask.parts()), tuple(open_))


@dataclass(frozen=True)
class Asking:
    """The questions on one happening."""

    rng: Random
    verb: Verb
    tense: str
    who: Doer
    what: Thing
    passively: bool
    named: bool

    def thing(self) -> str:
        return (self.what.short if self.rng.random() < 0.4 else self.what.full).rstrip(",")

    def passive(self) -> str:
        return asked_passive(self.verb, self.tense, self.thing(), self.what.plural)

    def active(self) -> str:
        return f"{asked(self.verb, self.tense, self.who.name)} {self.thing()}"

    def role(self, role: str) -> str:
        """A question for one circumstance."""
        in_passive = not self.named or self.rng.random() < (0.7 if self.passively else 0.25)
        return f"{question_word(self.rng, role)} {self.passive() if in_passive else self.active()}?"

    def parts(self) -> list[str]:
        """Questions for the doer, for the thing, for its number, and for yes or no."""
        found = [capital(self.passive() if not self.named else self.active()) + "?"]
        if self.named:
            found.append(f"What {asked(self.verb, self.tense, self.who.name)}?")
            found += [f"{self.who.word} {finite(self.verb, self.tense)} {self.thing()}?"] * 2
            found.append(f"By whom {self.passive()}?")
        else:
            found.append(f"What {passive(self.verb, self.tense, False)}?")
        if self.what.counted:
            plain = asked_passive(self.verb, self.tense, "", True)
            body = asked(self.verb, self.tense, self.who.name) if self.named else plain
            found += [f"{self.what.counted} {body}?"] * 2
        return found


def moving(rng: Random, agent: Doer | None = None) -> Said:
    """A sentence with a verb that takes no object: who arrives, sleeps or ends, and when, where, how long."""
    who, v, tense = agent or doer(rng), verb(rng, "movements"), rng.choice(TENSES)
    fitting = [r for r in circumstances() if r not in ("money", "sum")]
    roles = rng.sample(fitting, rng.choice((1, 1, 2)))
    tail = " ".join(circumstance(rng, role) for role in roles)
    asking = {role: f"{question_word(rng, role)} {asked(v, tense, who.name)}?" for role in circumstances()}
    known = [asking[r] for r in roles] * 2
    known += [f"{who.word} {finite(v, tense)} {tail}?", f"{who.word} {finite(v, tense)}?"]
    return Said(
        capital(f"{who.name} {finite(v, tense)} {tail}."), tuple(known), tuple(asking[r] for r in left_open(roles))
    )


def being(rng: Random, agent: Doer | None = None) -> Said:
    """What something is, stays or becomes, with a circumstance."""
    x, adjective, other = (agent or doer(rng)).name, w.pick(rng, "adjectives"), w.pick(rng, "adjectives")
    if agent and rng.random() < 0.4:
        known = (f"What is {x}?", f"What kind of thing is {x}?", f"Who or what is {x}?")
        open_ = (f"Why is {x} {other}?", f"How much is {x}?")
        return Said(
            f"{x} is {w.filled(rng, rng.choice(('our {adj} {noun}', 'a {adj} {noun} for {noun}s')))}.", known, open_
        )
    role = rng.choice(("place", "time", "reason", "duration"))
    tail = circumstance(rng, role)
    ways = {"is": "is {x} ", "was": "was {x} ", "stays": "does {x} stay ", "became": "did {x} become "}
    be = rng.choice(tuple(ways))
    aux = ways[be].replace("{x}", x)
    ask = f"{question_word(rng, role)} {aux}{adjective}?"
    answered = (ask, ask, f"What {be} {adjective} {tail}?", capital(f"{aux}{adjective}?"))
    return Said(capital(f"{x} {be} {adjective} {tail}."), answered, (capital(f"{aux}{other}?"),))


def order(rng: Random) -> Said:
    """A sentence that tells the reader what to do, under a condition at times."""
    v, what, role = verb(rng), thing(rng), rng.choice(tuple(circumstances()))
    tail = " " + circumstance(rng, role) if rng.random() < 0.75 else ""
    state = w.filled(rng, "the {noun} is {adj}")
    before = w.filled(rng, expand(rng, f"<|To {verb(rng).base} the {{noun}}, |If you {verb(rng).base} the {{noun}}, >"))
    before = f"If {state}, " if rng.random() < 0.35 else before
    ought = f"{rng.choice(('should', 'must', 'do', 'can', 'shall'))} {rng.choice(('I', 'we', 'you', 'employees'))}"
    named = rng.choice((what.short, what.full)).rstrip(",")
    known = [f"What {ought} {v.base}?", f"What {ought} {v.base}{tail}?"]
    if tail:
        known += [f"{question_word(rng, role)} {ought} {v.base} {named}?"] * 2
        known.append(f"{question_word(rng, role)} must {named} be {v.participle}?")
    if what.counted:
        known += [f"{what.counted} {ought} {v.base}?"] * 2
    if state in before:
        known += [f"What {ought} do if {state}?"] * 2 + [f"{capital(state)}, what {ought} do?"]
    open_ = [f"{question_word(rng, r)} {ought} {v.base} {named}?" for r in left_open([role])]
    open_ += [f"What {ought} {verb(rng).base}?", f"Can I {verb(rng).base} {thing(rng).short}?"]
    start = f"{before}{v.base}" if before else capital(v.base)
    return Said(f"{start} {what.full.rstrip(',')}{tail}.", tuple(known), tuple(open_))


def joined(rng: Random, agent: Doer | None = None) -> Said:
    """Two things said in one sentence: one doer with two verbs, or two sentences on a conjunction."""
    if rng.random() < 0.6:
        who = agent or doer(rng)
        one, two = happening(rng, who, active=True), rng.choice((happening(rng, who, active=True), moving(rng, who)))
        rest = two.sentence[len(who.name) + 1 : -1]
        return Said(f"{one.sentence[:-1]} and {rest}.", one.questions + two.questions, one.beyond)
    one, two = rng.choice((happening, moving, attribute))(rng), rng.choice((happening, moving, being))(rng)
    article = two.sentence.split(" ")[0] in ("The", "Our", "A", "Every", "Up")
    rest = two.sentence[0].lower() + two.sentence[1:] if article else two.sentence
    link = rng.choice((", and ", "; ", ", but ", ", while ", ", so "))
    return Said(f"{one.sentence[:-1]}{link}{rest}", one.questions + two.questions, one.beyond)


def quality(rng: Random) -> tuple[str, str, str]:
    """A quality that things have, the kind of its value, and a way to ask for it, with {x} for the thing."""
    name, kind, asks = rng.choice(sections("attributes")["all"]).split(" : ")
    return name.replace("_", " "), kind, expand(rng, f"<{asks}>")


def quality_value(rng: Random, kind: str) -> str:
    """A value of that kind as text."""
    if kind == "list":
        return w.filled(rng, "{noun} and {noun}")
    return value(rng, Parameter("x", kind, (), False))[0]


def attribute(rng: Random, agent: Doer | None = None, values: Random | None = None) -> Said:
    """A sentence that gives one quality of a thing; `values` may draw the value alone."""
    name, kind, oblique = quality(rng)
    x = agent.name if agent else w.filled(rng, form(rng, "passages", "bearer"))
    unit = rng.choice(("", "", " km", " kg", " euros", "%", " metres", " points")) if kind == "number" else ""
    said = f"{w.pick(rng, 'adjectives')} {name}" if rng.random() < 0.3 else name
    # Where a heading or a sentence before has named the thing, the sentence may leave it out.
    section = "quality_alone" if agent and rng.random() < 0.4 else "quality"
    sentence = form(rng, "passages", section).replace("{said}", said).replace("{x}", x)
    sentence = sentence.replace("{value}", quality_value(values or rng, kind) + unit)
    direct = [form(rng, "passages", "ask_quality").replace("{said}", q).replace("{x}", x) for q in (said, name, name)]
    questions = [*direct, *[capital(oblique.replace("{x}", x)) + "?"] * 2]
    return Said(
        capital(sentence),
        tuple(questions),
        (w.filled(rng, f"What is the {{noun}} of {x}?"), f"Who {verb(rng).past} {x}?"),
    )


def saying(rng: Random, subject: str = "") -> Said:
    """Any sentence with its questions; about the subject mostly, where one is given."""
    agent = Doer(subject, "Who") if subject and rng.random() < 0.6 else None
    kinds = (happening, moving, being, joined, attribute)
    weights = (40, 10, 6, 11, 22)
    if rng.random() < 0.11:
        return order(rng)
    return rng.choices(kinds, weights)[0](rng, agent)
