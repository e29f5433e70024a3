"""The pages of a site: choosing the links worth following, and a plain brochure from what the pages say."""

import json
from functools import cache
from random import Random

from starter.data import values as w
from starter.data.facts import facts, subject
from starter.data.forms import expand, sections

CHOOSE = "Choose the links that belong in a brochure of the company. Answer with JSON."
WRITE = "Write a short brochure in Markdown. Use only sentences from the pages."


@cache
def wanted() -> dict[str, tuple[str, str]]:
    """Types of page that matter to a brochure: link texts and the ends of their addresses."""
    found = {}
    for line in sections("site")["wanted"]:
        kind, texts, tails = line.split(" : ")
        found[kind] = (texts, tails)
    return found


def links(rng: Random) -> tuple[str, str]:
    """The user message that lists a site's links, and the JSON that chooses among them."""
    name = w.brand(rng)
    site = address(rng, name)
    rows: list[tuple[str, str, str | None]] = []
    kinds = wanted()
    for kind in rng.sample(list(kinds), rng.choice((0, 1, 2, 3, 4, 5, 6))):
        texts, tails = kinds[kind]
        rows.append(
            (
                expand(rng, texts).replace("{S}", name),
                rng.choice((site, site, site, sub(site))) + expand(rng, tails),
                kind,
            )
        )
    for _ in range(rng.choice((1, 2, 4, 6, 9, 14))):
        line = (
            expand(rng, rng.choice(sections("site")["unwanted"]))
            .replace("{S}", name)
            .replace("{noun}", w.pick(rng, "nouns"))
            .replace("{handle}", w.invented(rng, 2))
        )
        text, tail = line.split(" : ")
        url = tail if "://" in tail or tail.startswith(("mailto", "tel")) else site + tail
        rows.append((text, url, None))
    rng.shuffle(rows)
    seen = dict.fromkeys(url for _, url, _ in rows)
    rows = [next(r for r in rows if r[1] == url) for url in seen]
    if rng.random() < 0.2:
        rows = [("" if rng.random() < 0.4 else text, url, kind) for text, url, kind in rows]
    body = "\n".join(f"- {text or '(no text)'}: {url}" for text, url, _ in rows)
    chosen = [{"type": kind, "url": url} for _, url, kind in rows if kind]
    return f"{CHOOSE}\n\nLinks of {site}:\n{body}", json.dumps({"links": chosen}, ensure_ascii=False)


def address(rng: Random, name: str) -> str:
    """The start of a site's addresses."""
    host = "".join(c for c in name.lower() if c.isalnum() and c.isascii()) or "site"
    host = rng.choice((host, host, w.invented(rng, 2)))
    end = rng.choice(("com", "com", "io", "org", "net", "de", "ai", "example", "co.uk"))
    return f"{rng.choice(('https', 'https', 'https', 'http'))}://{rng.choice(('', 'www.', 'www.'))}{host}.{end}"


def sub(site: str) -> str:
    """The blog of the site, on its own host."""
    scheme, _, host = site.partition("://")
    return f"{scheme}://blog.{host.removeprefix('www.')}"


def brochure(rng: Random) -> tuple[str, str]:
    """The user message with a site's pages, and the Markdown made of their sentences."""
    name = w.brand(rng)
    pages, parts = [], []
    for kind in rng.sample(list(wanted()), rng.choice((1, 2, 2, 3, 3, 4))):
        title = expand(rng, wanted()[kind][0]).replace("{S}", name)
        said = sentences(rng, name, kind)
        noise = [
            w.filled(rng, expand(rng, rng.choice(sections("site")["noise"])))
            for _ in range(rng.choice((0, 0, 1, 2, 4, 6)))
        ]
        lines = [" ".join(said[i : i + 2]) for i in range(0, len(said), 2)]
        for text in noise:
            lines.insert(rng.randint(0, len(lines)), text)
        pages.append(f"Page: {title}\n" + "\n".join(lines))
        parts.append(f"## {title}\n\n" + " ".join(said[:3]))
    return f"{WRITE}\n\nCompany: {name}\n\n" + "\n\n".join(pages), f"# {name}\n\n" + "\n\n".join(parts)


def sentences(rng: Random, name: str, kind: str) -> list[str]:
    """Two to six sentences that say something."""
    if kind in ("products page", "services page", "pricing page", "features page"):
        product = subject(rng, "product")
        found = [f.sentence for f in facts(rng, "product", product, rng.randint(1, 7))]
    else:
        found = [f.sentence for f in facts(rng, "company", name, rng.randint(1, 7))]
    found += [f.sentence for f in facts(rng, "generic", "", rng.randint(1, 2))]
    return [s for s in found if s]


__all__ = ["brochure", "links"]
