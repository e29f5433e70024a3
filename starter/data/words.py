"""Word lists from `words/`, and names that no list holds: invented places, people, companies, and typing mistakes."""

from functools import cache
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent.parent / "words"
ONSETS = "b br c ch cl cr d dr f fl fr g gl gr h j k kl kn l m n p pl pr qu r s sc sh sk sl sm sn sp st str t th tr v w wh y z".split()
VOWELS = "a a a e e e i i i o o o u u y ai au ea ee ei eo ia ie io oa oo ou ue".split()
CODAS = " |||| b| ck| d| ft| g| k| l| ll| lm| ld| m| mp| n| n| nd| ng| nk| nt| p| r| r| rd| rk| rm| rn| rst| s| s| sh| ss| st| t| th| tt| v| x| z".replace(
    " ", ""
).split("|")
PLACE_ENDS = "ville burg ton ford port stad grad pur abad ia o a e i ora ona ino ella holm vik borg minster field mouth bury ham by dale wick heim berg".split()


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of one list: separated by spaces, or by commas where the file has any."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    parts = text.replace("\n", ",").split(",") if "," in text else text.split()
    return tuple(dict.fromkeys(p.strip() for p in parts if p.strip()))


def pick(rng: Random, name: str) -> str:
    return rng.choice(words(name))


def syllable(rng: Random) -> str:
    return rng.choice(ONSETS) * (rng.random() < 0.85) + rng.choice(VOWELS) + rng.choice(CODAS)


def invented(rng: Random, most: int = 3) -> str:
    """A word that means nothing, in lower case."""
    roll = rng.random()
    if roll < 0.07:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 9)))
    if roll < 0.4:
        return mashed(rng)
    if roll < 0.75:
        soft = (rng.choice("bdfghjklmnprstvwyz") + rng.choice("aaeeiou") for _ in range(rng.randint(1, most)))
        return (
            rng.choice(("", "", "a", "e", "o", "u"))
            + "".join(soft)
            + rng.choice(("", "", "n", "r", "s", "l", "x", "nd", "sk", "rt", "ck", "st", "th"))
        )
    return "".join(syllable(rng) for _ in range(rng.randint(1, most))) or "ok"


def mashed(rng: Random) -> str:
    """The head of one English word on the tail of another, so that every piece of a word gets copied some day."""
    first, second = pick(rng, "nouns"), pick(rng, rng.choice(("nouns", "adjectives")))
    return first[: rng.randint(1, len(first))] + second[rng.randint(0, max(0, len(second) - 2)) :]


def label(rng: Random) -> str:
    """What people and machines call things: codes with hyphens, files, hosts, hashtags, titles, names."""
    x, y = (pick(rng, "nouns") if rng.random() < 0.6 else invented(rng, 2) for _ in "xy")
    n = rng.randint(1, 9999)
    letter = rng.choice("ABCDEFGHJKLMNPRSTVXZ")
    return rng.choice(
        (
            f"{x}-{y}", f"{x}-{n}", f"{letter}{n}", f"{letter}-{n}", f"{n}{letter}{rng.choice('KXY')}-{n * 7}", f"#{x}", f"{x}_{n}.{rng.choice(('jpg', 'csv', 'pdf', 'md', 'wav'))}", f"{x}-{y}.internal", f"{x}.{y}.example",
            f"{x.capitalize()} {y.capitalize()}", x.capitalize(), f"{x.capitalize()} {y}", f"the {x.capitalize()} {y.capitalize()}", person(rng), invented_place(rng), brand(rng), str(n), f"{x} {y}", x,
            f"{pick(rng, 'adjectives').capitalize()} {x.capitalize()}", f"{person(rng).split()[0]}'s {x}", letter, f"{x}/{y}", f"v{rng.randint(1, 9)}.{rng.randint(0, 20)}", f"{letter}{rng.choice('ABCX')}{n}", f"{pick(rng, 'adjectives')} {x}",
        )
    )  # fmt: skip


def invented_place(rng: Random) -> str:
    roll = rng.random()
    name = invented(rng).capitalize()
    if roll < 0.3:
        name = invented(rng, 2).capitalize() + rng.choice(PLACE_ENDS)
    if roll > 0.8:
        name = f"{rng.choice(('New', 'San', 'Port', 'Saint', 'St.', 'El', 'La', 'Fort', 'Lake', 'North', 'Great', 'Upper', 'Santa', 'Mount', 'Old', 'Ciudad', 'Bad', 'Le', 'Al'))} {name}"
    if roll > 0.96:
        name += " " + rng.choice(
            ("City", "Beach", "Springs", "Falls", "Bay", "de la Sierra", "del Mar", "am See", "Island", "Heights")
        )
    if 0.3 < roll < 0.34:
        name += "-" + invented(rng, 2).capitalize()
    if 0.4 < roll < 0.52:
        name = f"{invented(rng, 1).capitalize()} {invented(rng, 2).capitalize()}"
    if 0.34 < roll < 0.36:
        name = name.replace("o", "ó", 1).replace("u", "ü", 1).replace("e", "é", 1)
    return name


def place(rng: Random) -> str:
    """A city or country: real ones and invented ones by halves, so that copying is learnt rather than the list."""
    return pick(rng, "places") if rng.random() < 0.4 else invented_place(rng)


def person(rng: Random) -> str:
    first = pick(rng, "first_names") if rng.random() < 0.75 else invented(rng, 2).capitalize()
    last = pick(rng, "surnames") if rng.random() < 0.6 else invented(rng).capitalize()
    if rng.random() < 0.06:
        last += "-" + pick(rng, "surnames")
    if rng.random() < 0.06:
        first += f" {rng.choice('ABCDEFGHJKLMNPRSTW')}."
    return f"{first} {last}"


def brand(rng: Random) -> str:
    """The name of a company or product."""
    stem = invented(rng, 2).capitalize() if rng.random() < 0.7 else pick(rng, "nouns").capitalize()
    roll = rng.random()
    if roll < 0.35:
        return stem + rng.choice(
            (
                "ly",
                "io",
                "ix",
                "ware",
                "soft",
                "tech",
                "llm",
                "data",
                "hub",
                "flow",
                "wise",
                "base",
                "ify",
                "Link",
                "Works",
                "AI",
                "Desk",
                "Pay",
                "Care",
                "Cloud",
            )
        )
    if roll < 0.7:
        return f"{stem} {rng.choice(('Labs', 'Systems', 'Group', 'Partners', 'Insurance', 'Analytics', 'Foods', 'Energy', 'Logistics', 'Health', 'Media', 'Robotics', 'Bank', 'Studio', 'Motors', 'Pro', 'One', 'Suite', 'Air', 'Connect'))}"
    return stem


def typo(rng: Random, text: str) -> str:
    """One slip of the finger: a letter lost, doubled, swapped or hit beside."""
    spots = [i for i in range(1, len(text) - 1) if text[i].isalpha()]
    if len(spots) < 3:
        return text
    i = rng.choice(spots)
    swapped = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return rng.choice(
        (
            text[:i] + text[i + 1 :],
            text[:i] + text[i] + text[i:],
            swapped,
            text[:i] + rng.choice("aeiorstn") + text[i + 1 :],
        )
    )
