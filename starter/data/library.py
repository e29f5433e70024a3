"""The search in the company's documents: its tool, what it returns, and the answer from what was found."""

import re
from collections.abc import Sequence
from random import Random

from starter.data import values as w
from starter.data.app import described
from starter.data.forms import dressed, expand, form, sections, utter
from starter.data.passages import UNKNOWN, Shown, ask_about, ended, gathered, numbered
from starter.data.results import error
from starter.data.talk import Talk, Tool

OWN_SEARCH = (
    "Search the company's own documents: products, prices, contracts, people, policies. Cite passages like [1]."
)
MISSED = 0.13  # The share of searches that find nothing fitting.
SHORT = 3600  # Characters of a result that may come twice in a talk.
# Characters of passages that one search returns: in the app at most 900 tokens of three passages, elsewhere more.
FOUND = (1200, 1600, 2000, 2400, 2800, 2800, 3600, 5000)


def search_tool(rng: Random) -> Tool:
    """The app's search in documents."""
    own = OWN_SEARCH if rng.random() < 0.6 else "Search the company's own documents."
    texts = sections("tools_app")["search_description"]
    hint = form(rng, "tools_app", "search_hint") if rng.random() < 0.8 else ""
    return described(rng, "search_knowledge_base", "query", hint, own, *(expand(rng, t) for t in texts))


def topic(question: str) -> str:
    """The question as words to search for, without its question word where the words stand alone."""
    alone = re.fullmatch(r"(?:What|Which|Who|Where|When) (?:is|are|was|were) ((?:the |our )?[^?]+)\??", question)
    return alone[1].removeprefix("the ") if alone else question.rstrip("?")


def shape(answer: str) -> str:
    """The answer without names, figures and citation: the same for near-identical passages."""
    return re.sub(r"[A-Z]\w*|[\d.,:]+|\[\d+\]|\W+", " ", answer).strip()


def named(passages: Sequence[Shown], query: str) -> str:
    """The subject of the passages that the query names, if it does."""
    return next((p.subject for p in passages if p.subject in query and not (p.subject or "x").islower()), "")


def others(passages: Sequence[Shown], query: str, answer: str) -> list[tuple[str, str]]:
    """Further subjects of the same passages, each with what the same question would find."""
    if answer == UNKNOWN or not named(passages, query):
        return []
    told = [(p.subject, ended(s, i)) for i, p in enumerate(passages, 1) for _, s in p.answers if p.subject not in query]
    return [(name, said) for name, said in told if shape(said) == shape(answer)]


def returned(rng: Random) -> tuple[list[Shown], Sequence[str]]:
    """Passages as a search returns them, mostly three, and questions that they leave open."""
    passages, beyond = gathered(rng, company=True)
    order = sorted(passages, key=lambda p: (not p.answers, rng.random()))
    room, most = rng.choice(FOUND), rng.choice((1, 2, 3, 3, 3, 3, 3, 3, 4, 6))
    kept: list[Shown] = []
    for p in order[:most]:
        room -= len(p.text)
        kept += [p] if room > 0 or not kept else []
    rng.shuffle(kept)
    return kept, beyond


class Library:
    """Questions for the company's documents within one talk."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng = talk, talk.rng

    def turn(self) -> None:
        """Search, and answer from what was found; now and then nothing is."""
        rng = self.rng
        if rng.random() < 0.05:
            section = rng.choice(("search_question", "search_topic"))
            self.look_up(self.asked(w.filled(rng, form(rng, "tools_app", section))), UNKNOWN, UNKNOWN)
            return
        passages, beyond = returned(rng)
        found = numbered(passages, "\n" if rng.random() < 0.9 else "\n\n")
        question, answer = ask_about(rng, passages, beyond, MISSED)
        query = self.asked(question)
        self.look_up(query, found, answer)
        near = others(passages, query, answer)
        if near and rng.random() < 0.5:
            self.follow(query, named(passages, query), *rng.choice(near), found)
            return
        more, said = ask_about(rng, passages, beyond, MISSED)
        if more != question and len(found) < SHORT and rng.random() < 0.3:
            self.look_up(self.asked(more), found, said)

    def asked(self, question: str) -> str:
        """The person asks; the words to search for."""
        rng = self.rng
        query = utter(rng, question, {}, chatter=False)[0]
        text = dressed(rng, query)
        if rng.random() < 0.3:
            text = form(rng, "tools_app", "search").replace("{ask}", query)
        if "{q}" in text:
            query = topic(question)
            text = text.replace("{q}", query)
        self.talk.user(text)
        return query

    def look_up(self, query: str, passages: str, answer: str) -> None:
        """The call, what it finds, and the answer."""
        roll = self.rng.random()
        if roll < 0.04:
            passages, answer = error(self.rng)
        elif answer == UNKNOWN and roll < 0.2:
            passages = UNKNOWN
        self.talk.call(("search_knowledge_base", {"query": query}))
        self.talk.result(passages)
        self.talk.say(answer)

    def follow(self, query: str, name: str, other: str, answer: str, passages: str) -> None:
        """The same question for another name: the search is asked with the whole question again."""
        rng = self.rng
        if rng.random() < 0.15:
            other, answer = rng.choice((w.person, w.brand, w.place))(rng), UNKNOWN
        text = expand(rng, "<And|What about|How about|And for|And what about|The same for> {x}<?|?| please>")
        self.talk.user(text.replace("{x}", other))
        self.look_up(query.replace(name, other), passages, answer)
