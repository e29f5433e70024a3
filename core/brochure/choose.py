"""Which links of a front page belong in a brochure: what is offered to the model, and what is made of its answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from core.web import Link, Page, same_site

OFFERED = 60  # links that a model is asked about: a list of thousands costs more than the brochure
PICKED = 5  # besides the front page

Kind = Literal["about page", "company page", "careers page", "products page", "customers page", "contact page"]


class Choice(BaseModel):
    """One link, and what it leads to."""

    type: Kind
    url: str


class Choices(BaseModel):
    """What the model answers. It is held to this schema where its provider can."""

    links: list[Choice] = Field(max_length=20)


@dataclass(frozen=True, slots=True)
class Picked:
    """A link of the site that was chosen. `kind` is "" when a person has chosen it."""

    url: str
    text: str
    kind: str = ""


def schema(links: Sequence[Link]) -> Mapping[str, Any]:
    """The schema of Choices in which a URL is one of `links`: a model that is held to it can invent none."""
    whole = Choices.model_json_schema()
    whole["$defs"]["Choice"]["properties"]["url"]["enum"] = [link.url for link in links]
    return whole


# --- what is offered --------------------------------------------------------------------------------------------------

# Words in a link's text or address, in the languages of many sites, that speak for it; and those that speak against.
_FOR = (
    "about|about-us|company|who-we-are|our-story|story|mission|team|history|über|ueber|unternehmen|a-propos|entreprise|"
    "empresa|azienda|nosotros|"
    "product|products|service|services|solution|solutions|platform|what-we-do|pricing|features|produkte|leistungen|"
    "produits|productos|prodotti|"
    "customer|customers|clients|case-studies|stories|references|testimonials|kunden|referenzen|"
    "career|careers|jobs|join|join-us|hiring|work-with-us|karriere|stellen|emplois|empleo|lavora|"
    "contact|contact-us|kontakt|contatti|contacto|partners|investors|press|news|sustainability|values|culture"
)
_AGAINST = (
    "privacy|terms|cookie|cookies|legal|imprint|impressum|datenschutz|agb|login|log-in|signin|sign-in|signup|register|"
    "account|cart|basket|checkout|search|sitemap|rss|feed|help|faq|support|status|unsubscribe|preferences|tag|category|"
    "author|archive"
)
_GOOD = re.compile(rf"(?<![^\W_])({_FOR})(?![^\W_])", re.IGNORECASE)
_BAD = re.compile(rf"(?<![^\W_])({_AGAINST})(?![^\W_])", re.IGNORECASE)


def offered(page: Page, most: int = OFFERED) -> tuple[Link, ...]:
    """The links of `page` to other pages of its own site, the `most` likeliest, in the order of the page."""
    own = [link for link in page.links if same_site(link.url, page.final_url)]
    fresh = [link for link in own if link.url.rstrip("/") not in (page.url.rstrip("/"), page.final_url.rstrip("/"))]
    ranked = sorted(range(len(fresh)), key=lambda number: (-_likely(fresh[number]), number))[:most]
    return tuple(fresh[number] for number in sorted(ranked))


def _likely(link: Link) -> int:
    words = f"{link.text.replace(' ', '-')} {urlsplit(link.url).path}"
    return 2 * bool(_GOOD.search(words)) - 3 * bool(_BAD.search(words)) - urlsplit(link.url).path.count("/") // 3


def by_words(links: Sequence[Link]) -> tuple[Picked, ...]:
    """The links that speak for themselves, for when no model has answered."""
    good = [link for link in links if _likely(link) > 0]
    return tuple(Picked(link.url, link.text) for link in good[:PICKED])


# --- what is answered -------------------------------------------------------------------------------------------------


def answered(text: str) -> Choices:
    """The choice in a model's answer, with whatever stands around the JSON. Raises ValueError, worded for the model."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise ValueError("there is no JSON object in it")
    try:
        return Choices.model_validate(json.loads(text[start : end + 1]))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ValueError(f"{where}: {first['msg']}") from error


def kept(choices: Choices, links: Sequence[Link]) -> tuple[tuple[Picked, ...], tuple[str, ...]]:
    """The chosen links that the page has, each once, at most five; and those that the model has made up."""
    known = {link.url.rstrip("/"): link for link in links}
    picked: dict[str, Picked] = {}
    invented = []
    for choice in choices.links:
        link = known.get(choice.url.strip().rstrip("/"))
        if link is None:
            invented.append(choice.url)
        else:
            picked.setdefault(link.url, Picked(link.url, link.text, choice.type))
    return tuple(picked.values())[:PICKED], tuple(dict.fromkeys(invented))
