"""Numbers as words and as places in a row: "twenty-five", "22nd"."""

from random import Random

NUMBER_WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905


def ordinal(number: int) -> str:
    """1st, 22nd, 13th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else ending}"


def spelled(rng: Random, value: int) -> str:
    """A whole number in digits, or as a word: mostly so where it is small."""
    if value <= 12:
        return NUMBER_WORDS[value] if value >= 0 and rng.random() < 0.4 else str(value)
    if not 20 <= value < 100 or rng.random() < (0.7 if value % 10 == 0 else 0.85):
        return str(value)
    return TENS[value // 10 - 2] + (f"-{NUMBER_WORDS[value % 10]}" if value % 10 else "")
