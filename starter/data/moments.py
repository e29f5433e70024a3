"""Days, hours and numbers as people say them, and as a schema wants them written: "half past six in the evening"."""

from random import Random

from starter.data import values as w
from starter.data.words import words

HOURS = w.NUMBER_WORDS[1:]


def full_date(rng: Random) -> w.Made:
    """A day with its year as people write it, and the same as YYYY-MM-DD; now and then a day that only they know."""
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2019, 2031)
    name, nth = words("months")[month - 1], w.ordinal(day)
    if rng.random() < 0.12:
        said = rng.choice(("tomorrow", "today", f"next {w.pick(rng, 'days')}", w.pick(rng, "days")))
        return said, said
    iso = f"{year}-{month:02}-{day:02}"
    ways = (
        f"{day} {name} {year}",
        f"{name} {day}, {year}",
        f"the {nth} of {name} {year}",
        f"{name} {nth}, {year}",
        iso,
    )
    return rng.choice(ways), iso


def full_time(rng: Random) -> w.Made:
    """A time of day that leaves no doubt, and the same as HH:MM."""
    hour, quarter = rng.randint(0, 23), rng.choice((0, 0, 15, 30, 45))
    if hour % 12 == 0:
        return rng.choice((("noon", "12:00"), ("midnight", "00:00")))
    half, twelve = "am" if hour < 12 else "pm", hour % 12
    part = "in the morning" if hour < 12 else "in the afternoon" if hour < 18 else "in the evening"
    to = twelve + 1 if quarter == 45 else twelve
    word = HOURS[to - 1] if rng.random() < 0.7 else str(to)
    lead = {0: "", 15: "quarter past ", 30: "half past ", 45: "quarter to "}[quarter]
    digits = f"{twelve}:{quarter:02}" if quarter else str(twelve)
    spoken = f"{lead}{word} {part}" if to < 12 else f"{digits} {half}"
    ways = (f"{digits} {half}", f"{digits}{half}", spoken, spoken, f"{hour}:{quarter:02}")
    return rng.choice(ways), f"{hour:02}:{quarter:02}"
