"""Sums for the calculator: said in words or signs, written as an expression, and told with the result."""

from random import Random

from starter.data import values as w
from starter.data.flights import missing_names
from starter.data.forms import dressed, expand, form, noisy, sections
from starter.data.talk import Talk, compact, failed

ERRORS = (
    "Division by zero has no value.",
    "The result is too large.",
    "The result is not a real number.",
    "A function in the expression is not defined for these numbers.",
    "The expression cannot be read. Write numbers and signs as in 2 * (3 + 4).",
    "round takes a whole number of digits, at most 15.",
    "Division by zero.",
    "ValueError: math domain error",
    "Too long: at most 300 characters.",
)


def number(rng: Random) -> str:
    """A number as people type it."""
    if rng.random() < 0.6:
        return str(rng.choice((rng.randint(0, 12), rng.randint(1, 100), rng.randint(1, 9999))))
    return f"{rng.uniform(0, 200):.{rng.randint(1, 2)}f}"


def formula(rng: Random, depth: int) -> str:
    """A sum in signs, with parentheses and functions, parted by spaces."""
    if depth == 0 or rng.random() < 0.15:
        return number(rng)
    if rng.random() < 0.1:
        return f"{rng.choice(('sqrt', 'abs', 'log', 'round', 'exp', 'sin', 'cos'))}({formula(rng, depth - 1)})"
    parts = [formula(rng, depth - 1) for _ in range(rng.choice((2, 2, 2, 3)))]
    parts = [f"({p})" if " " in p and not (p.endswith(")") and p.count("(") == 1) else p for p in parts]
    return rng.choice((" + ", " - ", " * ", " * ", " / ", " ** " if depth == 1 else " * ")).join(parts)


def expression(rng: Random) -> tuple[str, str]:
    """As it is said, and as it is written for the calculator."""
    if rng.random() < 0.25:
        written = formula(rng, rng.choice((1, 1, 2, 2, 3)))
        said = rng.choice((written, written.replace(" ", ""), written.replace(" ", "").replace("**", "^")))
        return rng.choice((said, said, said.replace("*", "×") if "**" not in said else said)), written
    said, written = expand(rng, rng.choice(sections("sums")["sum"])).split(" => ")
    values = {name: number(rng) for name in "xyz"} | {"k": str(rng.randint(2, 9))}
    for name in "nm":
        small = rng.randint(0, 12)
        values |= {name: str(small), f"{name}:word": w.NUMBER_WORDS[small]}
    for name, value in values.items():
        said, written = said.replace("{" + name + "}", value), written.replace("{" + name + "}", value)
    return w.filled(rng, said), written


def calculated(rng: Random, written: str) -> tuple[str, str]:
    """A calculator's result and the sentence for it."""
    ways = (
        lambda: number(rng),
        lambda: str(rng.randint(-500, 100000)),
        lambda: f"{rng.uniform(-9, 9999):.{rng.randint(2, 6)}f}",
        lambda: str(rng.randint(1, 999) / rng.choice((3, 6, 7, 9, 11, 13))),
    )
    outcome, roll = rng.choice(ways)(), rng.random()
    if roll < 0.08:
        text = rng.choice(ERRORS)
        return failed(rng, text)
    if roll < 0.6:
        return outcome, f"{written} = {outcome}."
    if roll < 0.8:
        return f"{written} = {outcome}", f"{written} = {outcome}."
    names = rng.choice(("expression", "input")), rng.choice(("result", "value"))
    return compact(rng, {names[0]: written, names[1]: float(outcome)}), f"{written} = {float(outcome)}."


class Calculator:
    """Questions for the calculator within one talk."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng, self.used = talk, talk.rng, False

    def turn(self) -> None:
        """One sum, from the question to the answer; now and then the sum itself has to be asked for."""
        if self.rng.random() < 0.12:
            self.talk.ask("tools_app", "calc_none")
            self.talk.say(missing_names(["expression"]))
            self.used = True
            if self.rng.random() < 0.3:
                return
        said, written = expression(self.rng)
        pattern = form(self.rng, "tools_app", "calc_next" if self.used and self.rng.random() < 0.5 else "calc")
        text = noisy(self.rng, dressed(self.rng, pattern)).replace("{e}", said)
        roll = self.rng.random()
        self.talk.user(text.lower() if roll < 0.25 else text.upper() if roll < 0.3 else text[0].upper() + text[1:])
        self.used = True
        self.work_out(written)

    def work_out(self, written: str) -> None:
        """The call, its result and the answer."""
        self.talk.call(("calculate", {"expression": written}))
        text, answer = calculated(self.rng, written)
        self.talk.result(text)
        self.talk.say(answer)
