"""What a person may wish of a brochure: tone, audience, language, length. Each is data that the prompt quotes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.errors import BadSetting

# tone -> what the model is told about it
TONES = {
    "professional": "Write in a confident, factual voice. No exaggeration.",
    "friendly": "Write warmly and simply, as to a neighbour.",
    "humorous": "Write with wit: light jokes and wordplay about what the company really does, never about people.",
    "bold": "Write short, energetic sentences with strong verbs.",
    "elegant": "Write in calm, polished prose with vivid images.",
    "technical": "Write precisely for experts; prefer facts and figures of the pages to adjectives.",
}
AUDIENCES = ("prospective customers", "investors", "job seekers", "partners", "journalists")
LANGUAGES = (
    "English", "German", "French", "Spanish", "Italian", "Portuguese", "Dutch", "Polish", "Swedish", "Turkish",
    "Ukrainian", "Hindi", "Chinese", "Japanese",
)  # fmt: skip
# length -> words
LENGTHS = {"short": 200, "medium": 450, "long": 900}


@dataclass(frozen=True, slots=True)
class Wish:
    """One brochure as it is wished for. Raises BadSetting for a tone or length that is not offered, and for odd texts.

    Audience and language are free texts, short enough to hold no instructions.
    """

    tone: str = "professional"
    audience: str = "prospective customers"
    language: str = "English"
    length: str = "medium"

    def __post_init__(self) -> None:
        _one_of("tone", self.tone, tuple(TONES))
        _one_of("length", self.length, tuple(LENGTHS))
        _short("audience", self.audience)
        _short("language", self.language)


def _one_of(name: str, value: str, offered: tuple[str, ...]) -> None:
    if value not in offered:
        raise BadSetting(f"There is no {name} {value!r}. Choose one of: {', '.join(offered)}.")


def _short(name: str, value: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"\w[\w ,&'()/-]{0,59}", value.strip()):
        raise BadSetting(f"The {name} must be a few words, at most 60 characters.")
