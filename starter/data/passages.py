"""Passages of a company's documents with questions on them: the answer stands in one passage, or in none."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from starter.data import keywords
from starter.data import values as w
from starter.data.bookcase import bookcase
from starter.data.documents import Sheet
from starter.data.facts import (
    Fact,
    base_form,
    facts,
    labelled_fact,
    made,
    quality_fact,
    sibling,
    subject,
    templates,
)
from starter.data.forms import expand, form, utter
from starter.data.grammar import capital
from starter.data.sentences import quality, saying
from starter.data.tables import table

INSTRUCTION = "Answer the question using only the passages. Cite them like [1]."
UNKNOWN = "The knowledge base does not say."
TAILS = ("", "", " > Summary", " > Details", " > Terms", " > Overview", " > {noun}", " > {year}")
KINDS = ("person", "company", "product", "contract", "policy", "office", "event", "generic")
ODDS = (4, 4, 4, 4, 2, 2, 2, 5)
# The share of questions that the passages leave open. More of them, and the model says so wherever it is in doubt.
OPEN = 0.19
# Labels that a passage may well answer without the word itself.
COMMON = ("price", "start", "end", "location", "address", "contact", "name", "features", "age", "date")


@dataclass
class Passage:
    """A passage: its subject, its text, questions with the sentences that answer them, and questions left open."""

    kind: str
    subject: str
    heading: str
    text: str
    answers: list[tuple[str, str]]
    beyond: tuple[str, ...] = ()


Shown = Passage | Sheet


def heading(rng: Random, kind: str, name: str) -> str:
    """A path of headings as a splitter would give it."""
    top = form(rng, "passages", f"heading_{kind}")
    leaf = w.pick(rng, "nouns").capitalize() if kind in ("policy", "generic") else name
    tail = w.filled(rng, rng.choice(TAILS))
    return rng.choice((f"{top} > {leaf}{tail}", f"{leaf}{tail}", f"{top}: {leaf}{tail}", f"{top} > {leaf}{tail}"))


def filler(rng: Random, name: str) -> str:
    """A sentence that nobody asks about."""
    if rng.random() < 0.4:
        return saying(rng).sentence
    text = form(rng, "passages", "filler").replace("{S}", "The company" if name == "policy" else name)
    return capital(w.filled(rng, text))


def passage(rng: Random, kind: str, name: str, known: list[Fact]) -> Passage:
    """The facts as prose, as a list of labels, or as a list of sentences."""
    style = rng.choices(("prose", "bullets", "lines"), (6, 3, 1))[0] if kind not in ("generic", "policy") else "prose"
    if kind == "policy" and rng.random() < 0.4:
        style = "dashes"
    if style in ("bullets", "lines"):
        return in_labels(rng, kind, name, known, style)
    answers = [(f.questions[0], f.sentence) for f in known]
    pieces = [f.sentence for f in known] if style == "prose" else [f"- {f.sentence}" for f in known]
    text = "\n".join(pieces)
    if style == "prose":
        text = in_prose(rng, kind, name, pieces, answers)
    beyond = tuple(q for f in known for q in f.beyond)
    return Passage(kind, name, heading(rng, kind, name), text, answers, beyond)


def in_labels(rng: Random, kind: str, name: str, known: list[Fact], style: str) -> Passage:
    """One line for each fact: its label and its value."""
    mark = rng.choice(("- **{l}:** {v}", "- {l}: {v}", "- **{l}**: {v}")) if style == "bullets" else "{l}: {v}"
    shown = [labelled_fact(rng, name) if f.free else f for f in known]
    lines = [mark.replace("{l}", f.label).replace("{v}", f.value) for f in shown]
    answers = [(f.questions[0], f"{f.label}: {f.value}") for f in shown]
    return Passage(kind, name, heading(rng, kind, name), "\n".join(lines), answers)


def in_prose(rng: Random, kind: str, name: str, pieces: list[str], answers: list[tuple[str, str]]) -> str:
    """Sentences in a row with others between them, in one paragraph or two; pronouns for the subject at times."""
    if rng.random() < 0.45 and kind in ("person", "company", "product"):
        use_pronouns(rng, kind, name, pieces, answers)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6)) if len(pieces) > 1 else rng.choice((0, 1, 5))):
        pieces.insert(rng.randint(0, len(pieces)), filler(rng, name))
    cut = rng.randint(1, len(pieces) - 1) if len(pieces) > 3 and rng.random() < 0.3 else 0
    return "\n\n".join(" ".join(part) for part in (pieces[:cut], pieces[cut:]) if part)


def use_pronouns(rng: Random, kind: str, name: str, pieces: list[str], answers: list[tuple[str, str]]) -> None:
    """After the first sentence the subject is he, she or it."""
    words = {"person": ("He", "She"), "company": ("It", "The company"), "product": ("It", "The product")}
    word = rng.choice(words[kind])
    for i in range(1, len(pieces)):
        if pieces[i].startswith(name + " ") and rng.random() < 0.7:
            pieces[i] = word + pieces[i][len(name) :]
            answers[i] = (answers[i][0], pieces[i])


def parallel(rng: Random) -> list[Passage]:
    """The same things said of two to five subjects: only the name tells which passage answers."""
    kind = rng.choice(("person", "company", "product", "contract", "office", "event"))
    chosen = rng.sample(templates(kind), rng.randint(1, 4))
    seed, extra, alike = rng.random(), rng.choice((0, 1, 2)), rng.random() < 0.6
    found: dict[str, Passage] = {}
    name = subject(rng, kind)
    for _ in range(rng.randint(2, 5)):
        known = [made(rng, t, name) for t in chosen]
        same = Random(seed)  # The same choices for every subject: the sentences differ in names and values only.
        known += [quality_fact(same if alike else rng, name, rng) for _ in range(extra)]
        found[name] = passage(rng, kind, name, known)
        name = sibling(rng, kind, name)
    return list(found.values())


def collection(rng: Random) -> list[Passage]:
    """One to six passages, most of them about things of one kind, so that they are easily confused."""
    if rng.random() < 0.3:
        return parallel(rng)
    kind, count = rng.choices(KINDS, ODDS)[0], rng.choice((1, 2, 3, 3, 4, 4, 5, 6))
    size = rng.choice((1, 2, 3, 4)) if count > 3 else rng.choice((1, 2, 4, 6, 9))
    if rng.random() < 0.08:
        count, size = 6, rng.randint(6, 12)
    found: list[Passage] = []
    for _ in range(count):
        own = kind if rng.random() < 0.7 else rng.choices(KINDS, ODDS)[0]
        if own in ("person", "product", "contract", "office") and rng.random() < 0.16:
            text, answers = table(rng, own)
            found.append(Passage(own, "table", heading(rng, own, f"{own.capitalize()} table"), text, answers))
            continue
        name = next_subject(rng, own, found)
        if name:
            found.append(passage(rng, own, name, facts(rng, own, name, max(1, size + rng.randint(-1, 1)))))
    return found or [passage(rng, "company", "Acme", facts(rng, "company", "Acme", 3))]


def next_subject(rng: Random, kind: str, found: list[Passage]) -> str:
    """Whom the next passage is about; nothing where chance repeats itself."""
    if kind in ("policy", "generic"):
        return "policy"
    same = [p.subject for p in found if p.kind == kind and p.subject != "table"]
    if same and rng.random() < 0.2:
        return same[0]
    name = sibling(rng, kind, found[-1].subject) if found else subject(rng, kind)
    return "" if name in {p.subject for p in found} else name


def unanswerable(rng: Random, passages: list[Passage]) -> str:
    """A question like those that could be answered, about something the passages leave out."""
    near = rng.choice(passages)
    said = "\n".join(p.text for p in passages)
    if near.beyond and rng.random() < 0.6:
        return rng.choice(near.beyond)
    if near.kind not in ("policy", "generic") and near.subject != "table" and rng.random() < 0.5:
        return left_out(rng, near.subject, said)
    for _ in range(20):
        if near.kind in ("policy", "generic"):
            break
        name = near.subject if rng.random() < 0.6 else sibling(rng, near.kind, near.subject)
        template = rng.choice(templates(near.kind))
        if name not in said + near.subject or not any(may_hold(p, template) for p in passages):
            return made(rng, template, name).questions[0]
    return w.filled(rng, "What is the {adj} {noun} of {brand}?")


def left_out(rng: Random, name: str, said: str) -> str:
    """A question on a quality or a deed of the subject that no passage names."""
    label, _, oblique = quality(rng)
    if label in said.lower() or label in COMMON or rng.random() < 0.2:
        text = form(rng, "passages", "ask_deed").replace("{base}", base_form(w.pick(rng, "verbs").split("=")[0]))
        return w.filled(rng, text).replace("{x}", name)
    if rng.random() < 0.4:
        return capital(oblique.replace("{x}", name)) + "?"
    return form(rng, "passages", "ask_missing").replace("{said}", label).replace("{x}", name)


def may_hold(p: Passage, template: Fact) -> bool:
    """Whether the passage may hold this fact: by its label, by its words, or by a question of the same start."""
    fixed = max(expand(Random(0), template.sentence).replace("{S}", "\n").split("{")[0].split("\n"), key=len)
    stems = {expand(Random(i), q).split("{")[0].strip() for q in template.questions for i in range(6)}
    asked_alike = any(stem and q.startswith(stem) for stem in stems for q, _ in p.answers)
    return template.label in p.text or fixed.strip(" .") in p.text or asked_alike


def ended(sentence: str, number: int) -> str:
    """The sentence with its citation."""
    return f"{sentence.rstrip('.')} [{number}]."


def numbered(passages: Sequence[Shown], gap: str = "\n") -> str:
    """The passages as the prompt shows them."""
    return "\n\n".join(f"[{i}] {p.heading}{gap}{p.text}" for i, p in enumerate(passages, 1))


def gathered(rng: Random, company: bool = False) -> tuple[Sequence[Shown], Sequence[str]]:
    """Passages, of a company only or of anything, and questions that they leave open."""
    if rng.random() < (0.92 if company else 0.84):
        sheets, beyond = bookcase(rng, company)
        if any(s.answers for s in sheets):
            return sheets, beyond
    passages = collection(rng)
    rng.shuffle(passages)
    return passages, [unanswerable(rng, passages) for _ in range(2)]


def ask_about(rng: Random, passages: Sequence[Shown], beyond: Sequence[str], missed: float = OPEN) -> tuple[str, str]:
    """A question, and the answer with its citation; at times two questions in one, or one that is left open."""
    if beyond and rng.random() < missed:
        return rng.choice(beyond), UNKNOWN
    number = rng.choice([i for i, p in enumerate(passages, 1) if p.answers])
    question, sentence = rng.choice(passages[number - 1].answers)
    answer = ended(sentence, number)
    if sentence.endswith(".") and rng.random() < 0.14:
        return keywords.asked(rng, sentence, numbered(passages)) or question, answer
    others = [(q, ended(s, i)) for i, p in enumerate(passages, 1) for q, s in p.answers if q != question]
    if others and rng.random() < 0.05:
        second, also = rng.choice(others)
        second = second[0].lower() + second[1:] if second[1:2].islower() else second
        return f"{question.rstrip('?')}{rng.choice((' and ', ', and ', '? And '))}{second}", f"{answer} {also}"
    return question, answer


def prompt(rng: Random) -> list[tuple[str, str]]:
    """A user message of the knowledge tab with its answer, and mostly further questions on the same passages."""
    passages, beyond = gathered(rng)
    gap = "\n" if rng.random() < 0.65 else "\n\n"
    # Nothing is asked twice: the second answer could be copied from the first.
    pairs = dict(ask_about(rng, passages, beyond) for _ in range(rng.choice((1, 2, 3, 4, 5, 6))))
    asked = [(utter(rng, q, {}, chatter=rng.random() < 0.1)[0], answer) for q, answer in pairs.items()]
    turns = [(f"Question: {question}", answer) for question, answer in asked]
    first, answer = turns[0]
    return [(f"{INSTRUCTION}\n\n{numbered(passages, gap)}\n\n{first}", answer), *turns[1:]]


__all__ = ["INSTRUCTION", "UNKNOWN", "Shown", "ask_about", "ended", "gathered", "numbered", "prompt"]
