"""Paragraphs written by hand in `forms/prose_*.txt`: sentences with slots, and the questions that each one answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from starter.data.forms import sections

BOOKS = (
    "rules work contrast trade tech people world office goods public makers deals staff daily firms errands leisure "
    "making caring outside learning twins pairs"
)
FILES = tuple(f"prose_{name}" for name in BOOKS.split())


@dataclass
class Line:
    """A sentence with slots, the questions it answers, and those that it answers with the sentence before it."""

    sentence: str
    questions: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)


@dataclass
class Paragraph:
    """A heading, its sentences, and questions close by that none of them answers."""

    section: str
    heading: str
    lines: list[Line] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)

    @property
    def topic(self) -> str:
        """The first way to say the heading: paragraphs that share it tell of the same thing in other words."""
        said = self.heading.strip("<>").split("|")[0]
        return self.lines[0].sentence if "{" in said else said

    @property
    def named(self) -> bool:
        """Whether it tells of somebody or something that has a name."""
        return any("{S}" in text for line in self.lines for text in (line.sentence, *line.questions))


@cache
def paragraphs() -> dict[str, tuple[Paragraph, ...]]:
    """The paragraphs of all files by section.

    `# heading` begins one, `? a ; b` asks for the line before, `+ a` for it and the one before it, `! a` for neither.
    """
    found: dict[str, list[Paragraph]] = {}
    for file in FILES:
        for section, lines in sections(file).items():
            found.setdefault(section, []).extend(read(section, lines))
    return {section: tuple(made) for section, made in found.items()}


def read(section: str, lines: Iterable[str]) -> list[Paragraph]:
    """The paragraphs of one section."""
    made: list[Paragraph] = []
    for text in lines:
        mark, rest = text[:2], text[2:].split(" ; ")
        if mark == "# ":
            made.append(Paragraph(section, text[2:]))
        elif mark == "? ":
            made[-1].lines[-1].questions += rest
        elif mark == "+ ":
            made[-1].lines[-1].both += rest
        elif mark == "! ":
            made[-1].beyond += rest
        else:
            made[-1].lines.append(Line(text))
    return made


__all__ = ["Line", "Paragraph", "paragraphs"]
