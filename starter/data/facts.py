"""Facts about people, companies, products, contracts, policies, offices and events, with the questions they answer."""

import re
from dataclasses import dataclass
from functools import cache
from random import Random

from starter.data import values as w
from starter.data.forms import expand, form, sections
from starter.data.grammar import Doer, capital
from starter.data.sentences import attribute, quality, quality_value, saying


@dataclass(frozen=True)
class Fact:
    """One thing said about a subject: as a label with a value, as a sentence, and the questions that it answers."""

    label: str
    value: str
    sentence: str
    questions: tuple[str, ...]
    beyond: tuple[str, ...] = ()  # Questions close by that the sentence leaves open.
    free: bool = False  # Made by grammar: the label and the value do not belong to it.


@cache
def templates(kind: str) -> tuple[Fact, ...]:
    """The facts of one kind in `forms/facts.txt`: label :: value :: sentence :: questions."""
    return templates_of(sections("facts")[kind])


def templates_of(lines: tuple[str, ...]) -> tuple[Fact, ...]:
    """Lines of `label :: value :: sentence :: questions` as facts with slots."""
    made = []
    for line in lines:
        label, value, sentence, questions = line.split(" :: ")
        made.append(Fact(label.strip(), value, sentence, tuple(q.strip() for q in questions.split(" ; "))))
    return tuple(made)


def base_form(verb: str) -> str:
    """carries -> carry, washes -> wash, builds -> build"""
    return verb[:-3] + "y" if verb.endswith("ies") else verb[:-2] if verb.endswith(("shes", "ches")) else verb[:-1]


def made(rng: Random, fact: Fact, subject: str) -> Fact:
    """The template filled in for a subject; the same slot has the same value in sentence and questions."""
    return filled_in(rng, rng, fact, subject, subject)


def filled_in(
    rng: Random, alike: Random, fact: Fact, subject: str, said: str, figures: frozenset[str] = frozenset()
) -> Fact:
    """The same, with forms and words drawn from `alike` and only the slots in `figures` from `rng`.

    `said` is the subject's name in the question. Near-identical passages share `alike`.
    """
    sentence, value, label = (expand(alike, text) for text in (fact.sentence, fact.value, fact.label))
    question = expand(rng, rng.choice(fact.questions))
    verb, past = w.pick(alike, "verbs").split("=")
    values = {"verb": verb, "past": past, "base": base_form(verb)}
    for text, words in ((sentence + value, alike), (question, rng)):
        for name in re.findall(r"\{(\w+)\}", text):
            if name in w.MAKERS and name not in values:
                values[name] = w.MAKERS[name](rng if name.rstrip("23") in figures else words)

    def full(text: str) -> str:
        for name, said in values.items():
            text = text.replace("{" + name + "}", said)
        return text

    sentence, value = full(sentence).replace("{S}", subject), full(value).replace("{S}", subject)
    return Fact(label, value, capital(sentence), (full(question).replace("{S}", said),))


def facts(rng: Random, kind: str, name: str, count: int) -> list[Fact]:
    """Facts of the kind, and sentences put together by grammar that no list holds."""
    pool = templates(kind)
    found = [made(rng, t, name) for t in rng.sample(pool, min(count, len(pool)))]
    anything = kind in ("generic", "policy")
    share = 0.75 if anything else 0.3
    return [free_fact(rng, "" if anything else name) if rng.random() < share else f for f in found]


def free_fact(rng: Random, name: str) -> Fact:
    """Any sentence at all, about the subject where one is given."""
    new = saying(rng, name)
    return Fact("", "", new.sentence, (rng.choice(new.questions),), new.beyond, True)


def quality_fact(rng: Random, name: str, values: Random) -> Fact:
    """A quality of the subject: the form comes from `rng`, the value from `values`."""
    one = attribute(rng, Doer(name, "Who"), values)
    return Fact("", "", one.sentence, (rng.choice(one.questions),), one.beyond, True)


def labelled_fact(rng: Random, name: str) -> Fact:
    """A line of a list with a label of any kind, a year behind it at times."""
    label, kind, oblique = quality(rng)
    question = form(rng, "passages", "ask_label").replace("{said}", label).replace("{x}", name)
    if rng.random() < 0.3:
        question = capital(oblique.replace("{x}", name)) + "?"
    shown = f"{w.pick(rng, 'adjectives')} {label}" if rng.random() < 0.3 else label
    if rng.random() < 0.15:
        shown += f" {rng.randint(2018, 2030)}"
    return Fact(shown.capitalize(), quality_value(rng, kind), "", (question,))


def subject(rng: Random, kind: str) -> str:
    """Somebody or something that facts of the kind can be about."""
    if kind == "person":
        return w.person(rng)
    if kind in ("company", "contract"):
        return w.brand(rng)
    if kind == "office":
        return w.place(rng)
    if kind == "event":
        return w.filled(rng, rng.choice(("{adj} ", "{noun} "))) + w.pick(rng, "events")
    if kind == "product":
        return w.brand(rng) if rng.random() < 0.6 else w.filled(rng, "{adj} {noun}").title()
    return "policy"


def sibling(rng: Random, kind: str, other: str) -> str:
    """Another subject, at times nearly of the same name."""
    name = subject(rng, kind)
    if rng.random() < 0.3 and " " in other and " " in name:
        mine, theirs = name.split(" "), other.split(" ")
        return f"{mine[0]} {theirs[-1]}" if rng.random() < 0.5 else f"{theirs[0]} {mine[-1]}"
    return name
