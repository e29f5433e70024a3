"""Nouns and adjectives of both languages with their forms, and what French does where two words meet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.pipelines.builtin.forms import lines

_VOWEL = "aeiouhâàéèêëîïôûùœAEIOUHÉÊÎ"
_MINE = {
    "my": "mon ma mes", "your": "votre votre vos", "his": "son sa ses", "her": "son sa ses", "our": "notre notre nos",
    "their": "leur leur leurs", "tu": "ton ta tes",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective; `before` its noun in French. `forms` are m, f, mp, fp, and m before a vowel."""

    english: str
    forms: tuple[str, ...]
    before: bool
    short: bool  # cheaper, not more cheap

    def agreeing(self, feminine: bool, plural: bool) -> str:
        """The French form."""
        return self.forms[feminine + 2 * plural]

    def english_form(self, grade: str) -> str:
        """The word itself, or with grade "more" compared."""
        if not grade.endswith("more"):
            return self.english
        if self.english in ("good", "bad"):
            return {"good": "better", "bad": "worse"}[self.english]
        if not self.short:
            return f"more {self.english}"
        word = self.english[:-1] + "i" if self.english.endswith("y") else self.english.removesuffix("e")
        return (word + word[-1] if word in ("big", "hot", "thin", "fat", "wet") else word) + "er"


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun with its plurals; `gender` "m" or "f"."""

    english: str
    plural: str
    french: str
    pluriel: str
    gender: str

    def said(self, form: str, language: str, denied: bool = False, quality: Adjective | None = None) -> str:
        """With what `form` names before it ("a", "the", "some", "this", "my", …); with "pl" behind it in the plural."""
        many = form.endswith("pl")
        form = form.removesuffix("pl")
        return (
            self._french(form, many, denied, quality)
            if language == "fr"
            else self._english(form, many, denied, quality)
        )

    def _english(self, form: str, many: bool, denied: bool, quality: Adjective | None) -> str:
        word = self.plural if many else self.english
        word = f"{quality.english} {word}" if quality else word
        if form == "a":
            vowel = word[0] in "aeiou" and not word.startswith(("uni", "use", "eu"))
            return f"an {word}" if vowel or word.startswith("hour") else f"a {word}"
        article = {
            "this": "these" if many else "this", "that": "those" if many else "that", "tu": "your",
            "some": "any" if denied else "some", "gen": "", "": "", "bare": "", "what": "what a",
        }.get(form, form)  # fmt: skip
        return f"{article} {word}".strip()

    def _french(self, form: str, many: bool, denied: bool, quality: Adjective | None) -> str:
        word, feminine = self.pluriel if many else self.french, self.gender == "f"
        if quality:
            agreed = quality.agreeing(feminine, many)
            if quality.before and not feminine and not many and len(quality.forms) > 4 and word[0] in _VOWEL:
                agreed = quality.forms[4]
            word = f"{agreed} {word}" if quality.before else f"{word} {agreed}"
        return f"{self._article(form, feminine, many, denied, bool(quality and quality.before), word)} {word}".strip()

    def _article(self, form: str, feminine: bool, many: bool, denied: bool, before: bool, word: str) -> str:
        place, vowel = 2 if many else int(feminine), word[0] in _VOWEL
        if form in _MINE:
            return _MINE[form].split()[0 if vowel and place == 1 else place]
        if form in ("the", "gen"):
            return "~" + ("le", "la", "les")[place]
        if form in ("this", "that"):
            return "cet" if vowel and place == 0 else ("ce", "cette", "ces")[place]
        if form in ("which", "what"):
            return ("quel", "quelle", "quels" if not feminine else "quelles")[place]
        if form == "" and many and not denied:
            return "de" if before else "des"
        if form in ("a", "some", "") and denied:
            return "de"
        if form == "some":
            return "des" if many else "de l'" if vowel else ("du", "de la")[place]
        return {"a": ("un", "une", "des")[place]}.get(form, "")


def adjective(text: str) -> Adjective:
    """ "old+ = <vieux vieille vieux vieilles vieil": "+" older, "<" before its noun; forms by rule are left out."""
    english, _, french = text.partition(" = ")
    given = french.strip().lstrip("<").split()
    male = given[0]
    female = given[1] if len(given) > 1 else _feminine(male)
    rest = given[2:4] if len(given) > 3 else [male if male[-1] in "sx" else male + "s", female + "s"]
    return Adjective(english.strip().rstrip("+"), (male, female, *rest, *given[4:]), "<" in french, "+" in english)


def _feminine(male: str) -> str:
    for ending, other in (("e", "e"), ("eux", "euse"), ("if", "ive"), ("er", "ère"), ("el", "elle"), ("en", "enne")):
        if male.endswith(ending):
            return male.removesuffix(ending) + other
    return male + "e"


def noun(text: str) -> Noun:
    """ "child/children = enfant m", "work = travail/travaux m"."""
    english, _, french = text.partition(" = ")
    named, gender = french.strip().rsplit(" ", 1)
    one, _, many = english.strip().partition("/")
    seul, _, plusieurs = named.partition("/")
    return Noun(one, many or _plural(one), seul, plusieurs or _pluriel(seul), gender)


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "sh", "ch", "x", "tomato", "potato")) else "s")


def _pluriel(word: str) -> str:
    head, blank, rest = word.partition(" ")
    if head[-1] in "sxz":
        return word
    if head.endswith("al"):
        return head[:-2] + "aux" + blank + rest
    return head + ("x" if head.endswith(("eau", "eu")) else "s") + blank + rest


def entries(file: Path) -> dict[str, list[Noun | Adjective | tuple[str, str]]]:
    """The lists of a file: "[name …]" begins one (or several), its words are parted by ";". A gender makes a noun."""
    found: dict[str, list[Noun | Adjective | tuple[str, str]]] = {}
    for names, part in sections(file):
        if names[0].startswith("adj"):
            word: Noun | Adjective | tuple[str, str] = adjective(part)
        else:
            word = noun(part) if part.rstrip().endswith((" m", " f")) else both(part)
        for name in names:
            found.setdefault(name, []).append(word)
    return found


def sections(file: Path) -> Iterator[tuple[list[str], str]]:
    """What stands in a file of lists, one by one, with the names of the lists it belongs to."""
    names: list[str] = []
    for line in lines(file):
        if line.startswith("["):
            names = line.strip("[] ").split()
            continue
        yield from ((names, part) for part in line.split(";") if part.strip())


def both(text: str) -> tuple[str, str]:
    """ "English = French" as the two."""
    english, _, french = text.partition(" = ")
    return english.strip(), french.strip()


_ELIDED = re.compile(
    r"(?<!-)\b([Jj]e|[Nn]e|[Mm]e|[Tt]e|[Ss]e|[Ll]e|[Ll]a|[Dd]e|(?:puis|lors|jus)?[Qq]ue|[Cc]e(?= (?:est|était)\b)) "
    rf"(?!huit|onze|oui|yaourt|yoga)(?=[{_VOWEL}]|y )"
)


def tidy(text: str) -> str:
    """What French does where words meet: l'eau, j'ai, du, aux, s'il. "*" before a word keeps it apart (le *haricot).

    A noun's article is marked by "~": "de les" melts with it, and not with a pronoun (de les voir).
    """
    text = " ".join(text.split()).replace("de l' ", "de l'")
    text = re.sub(rf"~(le|la) (?=[{_VOWEL}]|y\b)", "l'", text)
    for apart, joined in (("de", "du"), ("à", "au")):
        text = re.sub(rf"\b{apart} ~le ", f"{joined} ", text, flags=re.IGNORECASE)
        text = re.sub(rf"\b{apart} ~les ", {"du": "des ", "au": "aux "}[joined], text, flags=re.IGNORECASE)
    text = re.sub(r" (?=[.,])", "", text.replace("~", ""))
    text = _ELIDED.sub(lambda word: word[1][:-1] + "'", text)
    text = re.sub(r"\b([Ss])i (?=ils?\b)", r"\1'", text)
    return text.replace("*", "").replace("_", " ")
