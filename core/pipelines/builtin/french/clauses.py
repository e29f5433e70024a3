"""Clauses of both languages: who does what, when, denied or asked. Knows how the parts stand, and no words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.pipelines.builtin.french import conjugation
from core.pipelines.builtin.french.verb import SELF, SUBJECTS, Subject, Verb, adverb_first

_BE = frozenset((
    "aller", "venir", "revenir", "arriver", "partir", "rentrer", "retourner", "entrer", "sortir", "monter", "descendre",
    "rester", "tomber", "naître", "mourir", "devenir",
))  # fmt: skip
# A tense: the English helper, what follows it, then the French tense, and the verb before the infinitive.
_TENSES = {
    "present": ("", "", "present", ""), "ing": ("be", "ing", "present", ""), "past": ("", "past", "perfect", ""),
    "perfect": ("have", "participle", "perfect", ""), "was": ("was", "ing", "imperfect", ""),
    "used": ("", "used to", "imperfect", ""), "will": ("will", "", "future", ""),
    "would": ("would", "", "conditional", ""),
    "can": ("can", "", "present", "pouvoir"), "could": ("could", "", "conditional", "pouvoir"),
    "must": ("must", "", "present", "devoir"), "should": ("should", "", "conditional", "devoir"),
    "like": ("would", "like to", "conditional", "vouloir"), "going": ("be", "going to", "present", "aller"),
    "just": ("have", "just", "present", "venir de"), "already": ("have", "already", "perfect", ""),
    "always": ("", "always", "present", ""), "often": ("", "often", "present", ""),
    "never": ("", "never", "present", ""),
    "neverdone": ("have", "never", "perfect", ""), "yet": ("have", "participle", "perfect", ""),
    "still": ("be", "still", "present", ""), "longer": ("", "longer", "present", ""),
    "been": ("have", "been", "present", ""), "imperfect": ("", "past", "imperfect", ""),
}  # fmt: skip
_WISHES = (
    "want to",
    "need to",
    "like ing",
    "love ing",
    "hate ing",
    "hope to",
    "prefer to",
)  # last, so in the imperfect
DENYING = {"never": "jamais", "neverdone": "jamais", "longer": "plus", "yet": "pas encore"}
_ADVERBS = {"already": "déjà", "always": "toujours", "often": "souvent", "still": "encore"}


@dataclass(frozen=True, slots=True)
class Clause:
    """`how` is "" for saying it, "not" or "asked"; `inner` whether a word of asking stands before."""

    subject: Subject
    verb: Verb
    tense: str
    how: str = ""
    inner: bool = False


def english(clause: Clause, long: bool) -> str:
    """The clause; `long` without "I'm" and the like."""
    helper, form, _, _ = _TENSES[clause.tense]
    person, text = clause.subject.english_person, clause.verb.english
    if clause.verb.chain:
        outer, _, kind = clause.verb.chain[0].rpartition(" ")
        text = f"{outer} {conjugation.english(text, 'ing', 0)}" if kind == "ing" else f"{clause.verb.chain[0]} {text}"
    first, _, rest = text.partition(" ")
    if helper:
        aux = (
            helper
            if helper not in ("be", "was", "have")
            else conjugation.english(
                "be" if helper == "was" else helper, "past" if helper == "was" else "present", person
            )
        )
        if form in ("just", "already", "never"):
            main = f"{form} {conjugation.english(text, 'participle', 0)}"
        elif form == "been":
            main = f"been {conjugation.english(text, 'ing', 0)}"
        elif form in ("ing", "still", "participle"):
            main = ("still " if form == "still" else "") + conjugation.english(
                text, "ing" if form == "still" else form, 0
            )
        else:
            main = f"{form} {text}".strip()
    elif first == "be" and form in ("", "past", "always", "often", "never", "longer"):
        aux = conjugation.english("be", "past" if form == "past" else "present", person)
        main = f"{'no longer' if form == 'longer' else form if form not in ('past', '') else ''} {rest}".strip()
    else:
        return _without_helper(clause, form, text, person)
    return _joined(clause, aux, main, long)


def _without_helper(clause: Clause, form: str, text: str, person: int) -> str:
    """With "do" where something is denied or asked."""
    subject = clause.subject.english
    do = "did" if form in ("past", "used to") else conjugation.english("do", "present", person)
    base = f"use to {text}" if form == "used to" else f"{form} {text}" if form in ("often", "always") else text
    if form == "longer":
        return f"{subject} {do}n't {text} any more"
    if clause.how == "asked":
        return f"{do} {subject} {base}"
    if clause.how == "not":
        return f"{subject} {do}n't {base}"
    if form == "used to":
        return f"{subject} used to {text}"
    adverb = f"{form} " if form in ("often", "always", "never") else ""
    return f"{subject} {adverb}{conjugation.english(text, 'past' if form == 'past' else 'present', person)}"


_SHORT = {"am": "'m", "are": "'re", "is": "'s", "have": "'ve", "has": "'s", "will": "'ll", "would": "'d"}
_NOT = {"will": "won't", "can": "can't", "am": "am not"}


def _joined(clause: Clause, aux: str, main: str, long: bool) -> str:
    subject = clause.subject.english
    if clause.how == "asked":
        return f"{aux} {subject} {main}"
    pronoun = clause.subject.name in SUBJECTS
    if clause.how == "not":
        if aux == "am":
            return f"I'm not {main}" if not long else f"I am not {main}"
        if long:
            return f"{subject} {aux} not {main}".replace("can not", "cannot")
        denied = _NOT.get(aux, f"{aux}n't")
        return f"{subject} {denied} {main}"
    if pronoun and not long and aux in _SHORT:
        return f"{subject}{_SHORT[aux]} {main}"
    return f"{subject} {aux} {main}"


def french(clause: Clause, asking: float) -> str:
    """The clause. `asking`, 0 to 1, chooses how a question is put; 0 is the usual way."""
    _, _, tense, chain = _TENSES[clause.tense]
    subject, verb = clause.subject, clause.verb
    if (
        tense == "perfect"
        and clause.tense == "past"
        and (verb.kind in ("state", "be") or (verb.chain and verb.chain[0] in _WISHES))
    ):
        tense = "imperfect"
    before, finite, after = _verb(clause, tense, chain)
    denied = DENYING.get(clause.tense, "pas" if clause.how == "not" else "")
    adverb = _ADVERBS.get(clause.tense, "")
    before = ["ne", *before] if denied else before
    rest = " ".join(filter(None, [denied, adverb, after]))
    if clause.how == "asked":
        may = subject.name == "I" and clause.tense == "can"
        usual = subject.name == "you" or may or (clause.inner and subject.name != "I")
        turned = asking >= 0.7 if asking else usual
        if turned and subject.name in SUBJECTS and (may or subject.name != "I"):
            finite = "puis" if may else finite
            link = "-t-" if finite[-1] not in "td" and subject.french in ("il", "elle", "on") else "-"
            return " ".join([*before, f"{finite}{link}{subject.french}", rest])
        if asking < 0.4 or clause.inner:
            return " ".join(["est-ce que", subject.french, *before, finite, rest])
    return " ".join([subject.french, *before, finite, rest])


def _verb(clause: Clause, tense: str, chain: str) -> tuple[list[str], str, str]:
    """What stands before the verb with an ending, that verb, and what follows."""
    subject, verb = clause.subject, clause.verb
    before, infinitive, rest = verb.parts(subject)
    if (clause.how == "not" or clause.tense in DENYING) and infinitive not in ("être", "devenir", "venir", "descendre"):
        rest = re.sub(r"^(?:une?|du|des|de la|de l') ?\b", "de ", rest)
    if verb.chain:
        rest, (infinitive, _, joint), before = verb.infinitive(subject), verb.chain[1].partition(" "), []
        rest = f"{joint} {rest}"
    if chain:
        head, _, joint = chain.partition(" ")
        adverb, rest = adverb_first(rest)
        if clause.tense == "like" and clause.how == "asked":
            tense = "present"
        return [], conjugation.french(head, tense, subject.person), " ".join([joint, adverb, *before, infinitive, rest])
    if tense != "perfect":
        return before, conjugation.french(infinitive, tense, subject.person), rest
    itself = bool(before) and before[0] == SELF[subject.person] and not verb.object
    be = infinitive in _BE or itself
    helper = conjugation.french("être" if be else "avoir", "present", subject.person)
    part = conjugation.participle(infinitive)
    if be and not (itself and re.match(r"~|\{body|une? ", rest)):
        part = agreed(part, subject.feminine, subject.plural)
    elif verb.object and "à @" not in verb.french and not verb.chain:
        part = agreed(part, verb.object.feminine, verb.object.plural)
    elif before == ["les"]:
        part = agreed(part, False, True)
    adverb, rest = adverb_first(rest)
    return before, helper, f"{adverb} {part} {rest}"


def agreed(part: str, feminine: bool, plural: bool) -> str:
    """A participle in its gender and number."""
    part += "e" if feminine else ""
    return part + ("s" if plural and not part.endswith("s") else "")
