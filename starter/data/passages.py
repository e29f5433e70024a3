"""Passages of a company's documents with questions on them: the answer stands in one passage, or in none."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random

from starter.data import archetypes as a
from starter.data import words as w
from starter.data.forms import expand, form, sections, utter
from starter.data.sentences import attribute, saying, split_top

INSTRUCTION = "Answer the question using only the passages. Cite them like [1]."
UNKNOWN = "The knowledge base does not say."
EVENTS = "conference fair workshop meetup party summit training webinar exhibition hackathon launch retreat".split()


@dataclass(frozen=True)
class Fact:
    """One thing said about a subject: as a label and value, as a sentence, and the questions that it answers."""

    label: str
    value: str
    sentence: str
    questions: tuple[str, ...]
    beyond: tuple[str, ...] = ()  # Questions close by that the sentence leaves open.
    free: bool = False  # Made by grammar: the label and value do not belong to it.


@cache
def templates(kind: str) -> tuple[Fact, ...]:
    made = []
    for line in sections("facts")[kind]:
        label, value, sentence, questions = line.split(" :: ")
        made.append(Fact(label.strip(), value, sentence, tuple(q.strip() for q in questions.split(" ; "))))
    return tuple(made)


def amount(rng: Random) -> str:
    value = rng.choice((rng.randint(1, 999) * 1000, rng.randint(1000, 999999), rng.randint(20, 250) * 500))
    return rng.choice((f"{value:,}", f"{value:,}", str(value), f"{rng.randint(1, 90)}.{rng.randint(1, 9)} million"))


def month_date(rng: Random) -> str:
    return rng.choice((a.date, lambda r: f"{r.choice(a.MONTHS)} {r.randint(2010, 2029)}"))(rng)


MAKERS: dict[str, Callable[[Random], str]] = {
    "person": w.person, "brand": w.brand, "brand2": w.brand, "place": w.place, "place2": w.place, "place3": w.place,
    "role": lambda r: w.pick(r, "roles"), "team": lambda r: w.pick(r, "teams"), "team2": lambda r: w.pick(r, "teams"),
    "abstract": lambda r: w.pick(r, "abstract"), "abstract2": lambda r: w.pick(r, "abstract"), "abstract3": lambda r: w.pick(r, "abstract"),
    "field": lambda r: w.pick(r, "fields"), "noun": lambda r: w.pick(r, "nouns"), "noun2": lambda r: w.pick(r, "nouns"), "noun3": lambda r: w.pick(r, "nouns"),
    "adj": lambda r: w.pick(r, "adjectives"), "adj2": lambda r: w.pick(r, "adjectives"), "gerund": lambda r: r.choice("improving finishing testing selling building making".split()),
    "money": amount, "price": lambda r: r.choice((str(r.randint(1, 400)), f"{r.uniform(1, 400):.2f}", f"{r.uniform(0.5, 9):.1f}")),
    "n": lambda r: r.choice((str(r.randint(2, 999)), f"{r.randint(1000, 90000):,}", str(r.randint(2, 60)))), "k": lambda r: str(r.choice((r.randint(2, 30), r.randint(2, 90)))),
    "score": lambda r: f"{r.uniform(1, 100):.1f}", "year": lambda r: str(r.randint(1990, 2030)), "date": month_date, "clock": a.clock, "clock2": a.clock,
    "email": a.email, "url": a.url, "phone": a.SAME["phone"], "address": a.SAME["address"], "dish": a.SAME["dish"],
    "language": a.SAME["language"], "language2": a.SAME["language"],
}  # fmt: skip


def base(verb: str) -> str:
    """carries -> carry, washes -> wash, builds -> build"""
    return verb[:-3] + "y" if verb.endswith("ies") else verb[:-2] if verb.endswith(("shes", "ches")) else verb[:-1]


def made(rng: Random, fact: Fact, subject: str) -> Fact:
    """The template filled in for a subject; the same slot has the same value in sentence and questions."""
    sentence, value = expand(rng, fact.sentence), expand(rng, fact.value)
    question = expand(rng, rng.choice(fact.questions))
    values = {"S": subject} | {
        name: make(rng) for name, make in MAKERS.items() if "{" + name + "}" in sentence + value + question
    }
    if any(slot in sentence + question for slot in ("{verb}", "{past}", "{base}")):
        verb, past = w.pick(rng, "verbs").split("=")
        values |= {"verb": verb, "past": past, "base": base(verb)}

    def full(text: str) -> str:
        for name, said in values.items():
            text = text.replace("{" + name + "}", said)
        return text

    text = full(sentence)
    return Fact(fact.label, full(value), text[0].upper() + text[1:], (full(question),))


def subject(rng: Random, kind: str) -> str:
    if kind == "person":
        return w.person(rng)
    if kind in ("company", "contract"):
        return w.brand(rng)
    if kind == "office":
        return w.place(rng)
    if kind == "event":
        return f"{w.pick(rng, 'adjectives') if rng.random() < 0.5 else w.pick(rng, 'nouns')} {rng.choice(EVENTS)}"
    if kind == "product":
        return (
            w.brand(rng)
            if rng.random() < 0.6
            else f"{w.pick(rng, 'adjectives').capitalize()} {w.pick(rng, 'nouns').capitalize()}"
        )
    return "policy"


def sibling(rng: Random, kind: str, other: str) -> str:
    """Another subject, at times nearly of the same name."""
    name = subject(rng, kind)
    if rng.random() < 0.3 and " " in other and " " in name:
        parts = other.split(" ")
        return f"{name.split(' ')[0]} {parts[-1]}" if rng.random() < 0.5 else f"{parts[0]} {name.split(' ')[-1]}"
    return name


def facts(rng: Random, kind: str, name: str, count: int) -> list[Fact]:
    """Facts of the kind, and sentences put together by grammar that no list holds."""
    pool = templates(kind)
    found = [made(rng, t, name) for t in rng.sample(pool, min(count, len(pool)))]
    share = 0.75 if kind in ("generic", "policy") else 0.3
    return [
        said(rng, f, name if kind not in ("generic", "policy") else "") if rng.random() < share else f for f in found
    ]


def said(rng: Random, fact: Fact, name: str) -> Fact:
    new = saying(rng, name)
    return Fact(fact.label, fact.value, new.sentence, (rng.choice(new.questions),), new.beyond, True)


def heading(rng: Random, kind: str, name: str) -> str:
    words = {
        "person": ("HR record", "Employees", "People", "Staff", "Profile"), "company": ("About", "Company", "Overview", "Who we are"), "product": ("Products", "Product sheet", "Catalog"),
        "contract": ("Contracts", "Contract with", "Agreement"), "policy": ("Handbook", "Policies", "Employee handbook", "Rules"), "office": ("Offices", "Locations"), "event": ("Events", "Calendar"), "generic": ("Notes", "Wiki", "Docs", "FAQ"),
    }  # fmt: skip
    top = rng.choice(words[kind])
    leaf = w.pick(rng, "nouns").capitalize() if kind in ("policy", "generic") else name
    tail = rng.choice(
        (
            "",
            "",
            " > Summary",
            " > Details",
            " > Terms",
            " > Overview",
            f" > {w.pick(rng, 'nouns').capitalize()}",
            f" > {rng.randint(2015, 2030)}",
        )
    )
    return rng.choice((f"{top} > {leaf}{tail}", f"{leaf}{tail}", f"{top}: {leaf}{tail}", f"{top} > {leaf}{tail}"))


def filler(rng: Random, name: str) -> str:
    if rng.random() < 0.4:
        return saying(rng).sentence
    text = form(rng, "passages", "filler").replace("{S}", "The company" if name == "policy" else name)
    return fill_words(rng, text)


def fill_words(rng: Random, text: str) -> str:
    for slot, make in MAKERS.items():
        while "{" + slot + "}" in text:
            text = text.replace("{" + slot + "}", make(rng), 1)
    return text[0].upper() + text[1:]


@dataclass
class Passage:
    kind: str
    subject: str
    heading: str
    text: str
    answers: list[tuple[str, str]]  # question, and the sentence that answers it
    beyond: tuple[str, ...] = ()  # questions that no sentence of it answers


def passage(rng: Random, kind: str, name: str, size: int, given: list[Fact] | None = None) -> Passage:
    """A passage about one subject as prose, as a list of labels, or as a mixture."""
    known = given or facts(rng, kind, name, size)
    style = rng.choices(("prose", "bullets", "lines"), (6, 3, 1))[0] if kind not in ("generic", "policy") else "prose"
    if kind == "policy" and rng.random() < 0.4:
        style = "dashes"
    pieces, answers = [], []
    bullet = rng.choice(("- **{l}:** {v}", "- {l}: {v}", "- **{l}**: {v}"))
    for fact in known:
        text = fact.sentence
        mark = {"bullets": bullet, "lines": "{l}: {v}", "dashes": "- {s}"}.get(style, "{s}")
        if style in ("bullets", "lines") and fact.free:
            fact = labelled_fact(rng, name)
        if style in ("bullets", "lines"):
            text = f"{fact.label}: {fact.value}"
        answers.append((fact.questions[0], text))
        pieces.append(mark.replace("{l}", fact.label).replace("{v}", fact.value).replace("{s}", fact.sentence))
    if style == "prose":
        if rng.random() < 0.45:
            pieces = pronouns(rng, kind, name, pieces, answers)
        for _ in range(rng.choice((0, 1, 1, 2, 3, 6)) if size > 1 else rng.choice((0, 1, 5))):
            pieces.insert(rng.randint(0, len(pieces)), filler(rng, name))
    joint = " " if style == "prose" else "\n"
    beyond = tuple(q for f in known if f.free and style in ("prose", "dashes") for q in f.beyond)
    if style == "prose" and len(pieces) > 3 and rng.random() < 0.3:
        cut = rng.randint(1, len(pieces) - 1)
        return Passage(
            kind,
            name,
            heading(rng, kind, name),
            " ".join(pieces[:cut]) + "\n\n" + " ".join(pieces[cut:]),
            answers,
            beyond,
        )
    return Passage(kind, name, heading(rng, kind, name), joint.join(pieces), answers, beyond)


def labelled_fact(rng: Random, name: str) -> Fact:
    """A line of a list with a label of any kind, a year behind it at times."""
    label, kind, asks = rng.choice(sections("attributes")["all"]).split(" : ")
    value = a.value(rng, a.Parameter(label, kind, (), False))[0] if kind != "list" else w.pick(rng, "nouns")
    label = label.replace("_", " ")
    shown = f"{w.pick(rng, 'adjectives')} {label}" if rng.random() < 0.3 else label
    question = rng.choice(
        (
            f"What is the {label} of {name}?",
            f"What is {name}'s {label}?",
            f"Which {label} does {name} have?",
            f"{name} {label}?",
            f"What {label} does {name} have?",
        )
    )
    if rng.random() < 0.3:
        asked = expand(rng, rng.choice(split_top(asks))).replace("{x}", name) + "?"
        question = asked[0].upper() + asked[1:]
    if rng.random() < 0.15:
        shown += f" {rng.randint(2018, 2030)}"
    return Fact(shown.capitalize(), value, "", (question,))


def pronouns(rng: Random, kind: str, name: str, pieces: list[str], answers: list[tuple[str, str]]) -> list[str]:
    """After the first sentence the subject is he, she or it."""
    if kind not in ("person", "company", "product"):
        return pieces
    word = (
        rng.choice(("He", "She"))
        if kind == "person"
        else rng.choice(("It", "The company" if kind == "company" else "The product"))
    )
    for i in range(1, len(pieces)):
        if pieces[i].startswith(name + " ") and rng.random() < 0.7:
            pieces[i] = word + pieces[i][len(name) :]
            answers[i] = (answers[i][0], pieces[i])
    return pieces


def grid(rng: Random, kind: str) -> Passage:
    """A Markdown table: a few subjects, a few labels; the answer names row, column and cell."""
    if rng.random() < 0.6:
        return free_grid(rng, kind)
    columns = rng.sample([t for t in templates(kind) if "{" in t.value], rng.randint(1, 4))
    names = list(dict.fromkeys(subject(rng, kind) for _ in range(rng.randint(2, 6))))
    title = rng.choice(("Name", kind.capitalize(), "Item"))
    rows, answers = [], []
    for name in names:
        cells = [made(rng, t, name) for t in columns]
        rows.append(f"| {name} | " + " | ".join(c.value for c in cells) + " |")
        answers += [(c.questions[0], f"{name}: {c.label} {c.value}") for c in cells]
    head = f"| {title} | " + " | ".join(t.label for t in columns) + " |"
    rule = "|" + " --- |" * (len(columns) + 1)
    rng.shuffle(answers)
    return Passage(
        kind, names[0], heading(rng, kind, f"{kind.capitalize()} table"), "\n".join([head, rule, *rows]), answers
    )


def free_grid(rng: Random, kind: str) -> Passage:
    """A table whose columns are any words at all."""
    labels, kinds = [], []
    for _ in range(rng.randint(1, 4)):
        label, value, _ = rng.choice(sections("attributes")["all"]).split(" : ")
        noun, label = w.pick(rng, "nouns"), label.replace("_", " ")
        choice = rng.choice(
            (
                (f"{noun}s", "int"),
                (f"{noun}s included", "int"),
                (label, value),
                (f"{w.pick(rng, 'adjectives')} {label}", value),
                (f"{noun} {label}", value),
                (noun, "noun"),
            )
        )
        if choice[0] not in labels and choice[1] != "list":
            labels.append(choice[0])
            kinds.append(choice[1])
    names = list(
        dict.fromkeys(
            rng.choice((subject(rng, kind), w.invented(rng, 2).capitalize(), w.pick(rng, "nouns").capitalize()))
            for _ in range(rng.randint(2, 6))
        )
    )
    rows, answers = [], []
    for name in names:
        cells = [a.value(rng, a.Parameter("x", k, (), False))[0] if k != "int" else MAKERS["n"](rng) for k in kinds]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
        for label, k, cell in zip(labels, kinds, cells, strict=True):
            ask = (
                (
                    f"How many {label} does {name} have?",
                    f"How many {label} are {'there in' if 'included' not in label else 'in'} {name}?",
                    f"What is the number of {label} of {name}?",
                )
                if k == "int"
                else (
                    f"What is the {label} of {name}?",
                    f"What is {name}'s {label}?",
                    f"Which {label} does {name} have?",
                    f"{name} {label}?",
                    f"What {label} does the {name} {kind} have?",
                    f"What is the {label} of the {name} {kind}?",
                )
            )
            answers.append((rng.choice(ask), f"{name}: {label.capitalize()} {cell}"))
    head = (
        f"| {rng.choice(('Name', kind.capitalize(), 'Item', w.pick(rng, 'nouns').capitalize()))} | "
        + " | ".join(x.capitalize() for x in labels)
        + " |"
    )
    rng.shuffle(answers)
    return Passage(
        kind,
        names[0],
        heading(rng, kind, f"{kind.capitalize()} table"),
        "\n".join([head, "|" + " --- |" * (len(labels) + 1), *rows]),
        answers,
    )


def parallel(rng: Random) -> list[Passage]:
    """The same things said of two to five subjects: only the name tells which passage answers."""
    kind = rng.choice(("person", "company", "product", "contract", "office", "event"))
    chosen = rng.sample(templates(kind), rng.randint(1, 4))
    seed, extra, style = rng.random(), rng.choice((0, 1, 2)), rng.random()
    found: list[Passage] = []
    names: list[str] = []
    for _ in range(rng.randint(2, 5)):
        name = sibling(rng, kind, names[-1]) if names else subject(rng, kind)
        if name in names:
            continue
        names.append(name)
        known = [made(rng, t, name) for t in chosen]
        same = Random(
            seed
        )  # The same choices for every subject, so that the sentences differ in names and values only.
        for _ in range(extra):
            one = attribute(same if style < 0.6 else rng, name, rng)
            known.append(Fact("", "", one.sentence, (rng.choice(one.questions),), one.beyond, True))
        found.append(passage(rng, kind, name, 0, known))
    return found


KINDS = ("person", "company", "product", "contract", "policy", "office", "event", "generic")
ODDS = (4, 4, 4, 4, 2, 2, 2, 5)


def collection(rng: Random) -> list[Passage]:
    """One to six passages, most of them about things of one kind, so that they are easily confused."""
    if rng.random() < 0.3:
        return parallel(rng)
    kind = rng.choices(KINDS, ODDS)[0]
    count = rng.choice((1, 2, 3, 3, 4, 4, 5, 6))
    size = rng.choice((1, 2, 3, 4)) if count > 3 else rng.choice((1, 2, 4, 6, 9))
    if rng.random() < 0.08:
        count, size = 6, rng.randint(6, 12)
    found: list[Passage] = []
    names: list[str] = []
    for _ in range(count):
        own = kind if rng.random() < 0.7 else rng.choices(KINDS, ODDS)[0]
        if own in ("person", "product", "contract", "office") and rng.random() < 0.16:
            found.append(grid(rng, own))
            continue
        if own == "policy" and any(p.kind == "policy" for p in found):
            own = "generic"
        name = sibling(rng, own, names[-1]) if names else subject(rng, own)
        same = [p for p in found if p.kind == own]
        if same and rng.random() < 0.2 and own not in ("policy", "generic"):
            name = same[0].subject
        if name in names and not (same and name == same[0].subject):
            continue
        names.append(name)
        found.append(passage(rng, own, name, max(1, size + rng.randint(-1, 1))))
    return found or [passage(rng, "company", w.brand(rng), 3)]


def unanswerable(rng: Random, passages: list[Passage]) -> str:
    """A question like those that could be answered, about something the passages leave out."""
    near = rng.choice(passages)
    if near.beyond and rng.random() < 0.6:
        return rng.choice(near.beyond)
    said = "\n".join(p.text for p in passages)
    if near.kind not in ("policy", "generic") and rng.random() < 0.5:
        free = [x for x in sections("attributes")["all"] if x.split(" : ")[0].replace("_", " ") not in said.lower()]
        label, _, asks = rng.choice(free).split(" : ")
        plain = (
            f"What is the {label} of {{x}}",
            f"What was {{x}}'s {label} last year",
            f"Which {label} does {{x}} have",
            f"What does the {label} of {{x}} amount to",
            f"Does {{x}} have a {label}",
            f"Is there a {label} for {{x}}",
        )
        text = rng.choice(plain) if rng.random() < 0.6 else expand(rng, rng.choice(split_top(asks)))
        if (
            label in ("price", "start", "end", "location", "address", "contact", "name", "features", "age", "date")
            or rng.random() < 0.2
        ):
            text = f"{rng.choice(('Which', 'What'))} {w.pick(rng, 'nouns')} did {{x}} {base(w.pick(rng, 'verbs').split('=')[0])}"
        return text[0].upper() + text[1:].replace("{x}", near.subject).replace("_", " ") + "?"
    for _ in range(20):
        name = near.subject if rng.random() < 0.6 else sibling(rng, near.kind, near.subject)
        template = rng.choice(templates(near.kind))
        question = made(rng, template, name).questions[0]
        known = (
            template.label in {t.label for t in templates(near.kind) if any(q for q, _ in near.answers)}
            and name in said
        )
        if near.kind == "generic" or not known:
            return question
        if not any(p.subject == name and labelled(p, template) for p in passages):
            return question
    return f"What is the {w.pick(rng, 'adjectives')} {w.pick(rng, 'nouns')} of {w.brand(rng)}?"


def labelled(p: Passage, template: Fact) -> bool:
    """Whether the passage may hold this fact: by its label, or by the words that every form of it shares."""
    fixed = max(expand(Random(0), template.sentence).replace("{S}", "\n").split("{")[0].split("\n"), key=len).strip(
        " ."
    )
    return template.label in p.text or fixed in p.text or any(shares(q, template) for q, _ in p.answers)


def shares(question: str, template: Fact) -> bool:
    """Whether the question could be one of the template's."""
    stems = {expand(Random(i), q).split("{")[0].strip() for q in template.questions for i in range(6)}
    return any(stem and question.startswith(stem) for stem in stems)


def ended(sentence: str, number: int) -> str:
    return f"{sentence.rstrip('.')} [{number}]."


def numbered(passages: list[Passage]) -> str:
    return "\n\n".join(f"[{i}] {p.heading}\n{p.text}" for i, p in enumerate(passages, 1))


def question_and_answer(rng: Random) -> tuple[list[Passage], str, str]:
    passages = collection(rng)
    rng.shuffle(passages)
    if rng.random() < 0.24:
        return passages, unanswerable(rng, passages), UNKNOWN
    number = rng.randint(1, len(passages))
    question, sentence = rng.choice(passages[number - 1].answers)
    answer = ended(sentence, number)
    others = [(q, ended(s, i)) for i, p in enumerate(passages, 1) for q, s in p.answers if q != question]
    if others and rng.random() < 0.06:
        second, also = rng.choice(others)
        question = f"{question.rstrip('?')}{rng.choice((' and ', ', and ', '? And '))}{second[0].lower() if second[1:2].islower() else second[0]}{second[1:]}"
        answer = f"{answer} {also}"
    return passages, question, answer


def found(rng: Random) -> tuple[str, str, str]:
    """What the search tool returns, the question, the answer."""
    passages, question, answer = question_and_answer(rng)
    return numbered(passages[:9]), question, answer


def prompt(rng: Random) -> tuple[str, str]:
    """A user message of the knowledge tab, and its answer."""
    passages, question, answer = question_and_answer(rng)
    asked = utter(rng, question.replace("{", "(").replace("}", ")"), {}, chatter=rng.random() < 0.1)[0]
    return f"{INSTRUCTION}\n\n{numbered(passages)}\n\nQuestion: {asked}", answer
