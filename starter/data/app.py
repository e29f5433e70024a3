"""The app's other tools: the time in a city, the calculator, the company's documents."""

from random import Random
from typing import Any

from starter.data import archetypes as a
from starter.data import words as w
from starter.data.flights import ASK_BOTH, NAME, Flights, canonical, fare, missing_names
from starter.data.forms import dressed, form, noisy
from starter.data.results import error
from starter.data.talk import Talk, Tool, compact, tool

ZONES = "Europe/Paris Asia/Tokyo Asia/Kolkata America/New_York Europe/London Africa/Nairobi America/Lima Australia/Sydney Asia/Dubai Pacific/Auckland UTC CET EST".split()


def time_tool(rng: Random) -> Tool:
    text = rng.choice(
        ("The current local time and date in a city.",) * 3
        + ("Current time in a city.", "Local time and date of a place.", "What time it is in a city.")
    )
    return tool("current_time", text, {"city": {"type": "string"}})


def calculate_tool(rng: Random) -> Tool:
    text = rng.choice(
        ("Evaluate an arithmetic expression, e.g. 12.5 * (3 + 4) or 20% of 50.",) * 3
        + ("Evaluate an arithmetic expression.", "A calculator for arithmetic expressions.")
    )
    return tool("calculate", text, {"expression": {"type": "string"}})


def search_tool(rng: Random) -> Tool:
    text = rng.choice(
        ("Search the company's own documents.",) * 3
        + ("Search the knowledge base.", "Find passages in the company's documents.")
    )
    return tool("search_knowledge_base", text, {"query": {"type": "string"}})


def number(rng: Random) -> str:
    roll = rng.random()
    if roll < 0.6:
        return str(rng.choice((rng.randint(0, 12), rng.randint(1, 100), rng.randint(1, 9999))))
    return f"{rng.uniform(0, 200):.{rng.randint(1, 2)}f}"


def expression(rng: Random) -> tuple[str, str]:
    """As it is said, and as it is written for the calculator."""
    x, y, z = number(rng), number(rng), number(rng)
    small = str(rng.randint(2, 9))
    n = rng.randint(0, 12)
    m = rng.randint(0, 12)
    return rng.choice(
        (
            (f"{x} plus {y}", f"{x} + {y}"), (f"{x} minus {y}", f"{x} - {y}"), (f"{x} times {y}", f"{x} * {y}"), (f"{x} multiplied by {y}", f"{x} * {y}"),
            (f"{x} divided by {y}", f"{x} / {y}"), (f"{x} over {y}", f"{x} / {y}"), (f"{x}% of {y}", f"{x}% of {y}"), (f"{x} percent of {y}", f"{x}% of {y}"),
            (f"{x} per cent of {y}", f"{x}% of {y}"), (f"the sum of {x} and {y}", f"{x} + {y}"), (f"the sum of {x}, {y} and {z}", f"{x} + {y} + {z}"),
            (f"the product of {x} and {y}", f"{x} * {y}"), (f"the difference between {x} and {y}", f"{x} - {y}"), (f"the average of {x} and {y}", f"({x} + {y}) / 2"),
            (f"{x} + {y}", f"{x} + {y}"), (f"{x} * {y}", f"{x} * {y}"), (f"{x}-{y}", f"{x} - {y}"), (f"{x}+{y}", f"{x} + {y}"), (f"{x}*{y}", f"{x} * {y}"), (f"{x}/{y}", f"{x} / {y}"), (f"{x} x {y}", f"{x} * {y}"),
            (f"{x} × {y}", f"{x} * {y}"), (f"{x} * ({y} + {z})", f"{x} * ({y} + {z})"), (f"({x} + {y}) / {z}", f"({x} + {y}) / {z}"), (f"{x} + {y} * {z}", f"{x} + {y} * {z}"),
            (f"({x} - {y}) * {z}", f"({x} - {y}) * {z}"), (f"{x} / ({y} - {z})", f"{x} / ({y} - {z})"), (f"half of {x}", f"{x} / 2"), (f"twice {x}", f"2 * {x}"), (f"double {x}", f"2 * {x}"),
            (f"{x} squared", f"{x} ** 2"), (f"{small} to the power of {n}", f"{small} ** {n}"), (f"{small}^{n}", f"{small} ** {n}"), (f"{small} ** {n}", f"{small} ** {n}"),
            (f"{a.NUMBER_WORDS[n]} times {a.NUMBER_WORDS[m]}", f"{n} * {m}"), (f"{a.NUMBER_WORDS[n]} plus {a.NUMBER_WORDS[m]}", f"{n} + {m}"), (f"{a.NUMBER_WORDS[n]} times {x}", f"{n} * {x}"),
            (f"{x} add {y}", f"{x} + {y}"), (f"{y} subtracted from {x}", f"{x} - {y}"), (f"{x} {rng.choice(('euros', 'dollars', 'apples', 'people', 'km', 'kg'))} times {y}", f"{x} * {y}"),
            (f"{x} plus {y} times {z}", f"{x} + {y} * {z}"), (f"{x} minus {y} minus {z}", f"{x} - {y} - {z}"), (f"{x} plus {y} plus {z}", f"{x} + {y} + {z}"),
            (f"a tip of {small}% on {x}", f"{small}% of {x}"), (f"{small}% tax on {x}", f"{small}% of {x}"), (f"a third of {x}", f"{x} / 3"), (f"a quarter of {x}", f"{x} / 4"),
            (f"multiply {x} with {y}", f"{x} * {y}"), (f"multiply {x} by {y}", f"{x} * {y}"), (f"divide {x} by {y}", f"{x} / {y}"), (f"subtract {x} from {y}", f"{y} - {x}"), (f"take {x} away from {y}", f"{y} - {x}"), (f"take {x} from {y}", f"{y} - {x}"),
            (f"add {x} to {y}", f"{y} + {x}"), (f"add {x} and {y}", f"{x} + {y}"), (f"add up {x}, {y} and {z}", f"{x} + {y} + {z}"), (f"{x} and {y} together", f"{x} + {y}"), (f"the total of {x}, {y} and {z}", f"{x} + {y} + {z}"), (f"increase {x} by {y}", f"{x} + {y}"),
            (f"reduce {x} by {y}", f"{x} - {y}"), (f"{x} less {y}", f"{x} - {y}"), (f"{small} of them at {y} each", f"{small} * {y}"), (f"{small} tickets at {y}", f"{small} * {y}"), (f"{small} {w.pick(rng, 'nouns')}s for {y} each", f"{small} * {y}"),
            (f"{small} {w.pick(rng, 'nouns')}s when one costs {y}", f"{small} * {y}"), (f"{y} for one {w.pick(rng, 'nouns')}, so {small} of those", f"{small} * {y}"), (f"{x} shared among {small} {w.pick(rng, 'nouns')}s", f"{x} / {small}"), (f"{x}% off {y}", f"{x}% of {y}"),
            (f"{x} + {y} - {z}", f"{x} + {y} - {z}"), (f"{x} / {y} + {z}", f"{x} / {y} + {z}"), (f"{x}: {y}", f"{x} / {y}"), (f"{x} * {y} * {z}", f"{x} * {y} * {z}"), (f"({x} + {y}) * {z}", f"({x} + {y}) * {z}"), (f"{n} ** {small}", f"{n} ** {small}"), (f"{x} / {y} - {z}", f"{x} / {y} - {z}"),
(f"{small} {w.pick(rng, 'nouns')}s, one is {y}", f"{small} * {y}"), (f"one {w.pick(rng, 'nouns')} at {y}, and I want {small}", f"{small} * {y}"), (f"{small} pieces if each costs {y}", f"{small} * {y}"),
                        (f"{x} items at {y} each", f"{x} * {y}"), (f"{x} split between {n + 2} people", f"{x} / {n + 2}"),
        )
    )  # fmt: skip


def calculated(rng: Random, written: str) -> tuple[str, str]:
    """A calculator's result and the sentence for it."""
    outcome = rng.choice(
        (
            str(rng.randint(1, 999) / rng.choice((3, 6, 7, 9, 11, 13))),
            number(rng),
            str(rng.randint(-500, 100000)),
            f"{rng.uniform(-9, 9999):.{rng.randint(2, 6)}f}",
        )
    )
    roll = rng.random()
    if roll < 0.08:
        text = rng.choice(
            (
                "Division by zero.",
                "This cannot be calculated.",
                "Only numbers and + - * / are understood.",
                "The expression is too long.",
            )
        )
        return f"Error: {text}", f"The tool reported an error: {text}"
    if roll < 0.6:
        return outcome, f"{written} = {outcome}."
    if roll < 0.8:
        return f"{written} = {outcome}", f"{written} = {outcome}."
    return compact(
        rng, {rng.choice(("expression", "input")): written, rng.choice(("result", "value")): float(outcome)}
    ), f"{written} = {float(outcome)}."


class Calculator:
    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng, self.used = talk, talk.rng, False

    def turn(self) -> None:
        if self.rng.random() < 0.12:
            self.talk.ask("tools_app", "calc_none")
            self.talk.say(missing_names(["expression"]))
            self.used = True
            if self.rng.random() < 0.3:
                return None
        said, written = expression(self.rng)
        pattern = form(self.rng, "tools_app", "calc_next" if self.used and self.rng.random() < 0.5 else "calc")
        text = noisy(self.rng, dressed(self.rng, pattern)).replace("{e}", said)
        self.talk.user(text.lower() if self.rng.random() < 0.25 else text[0].upper() + text[1:])
        self.used = True
        return self.work_out(written)

    def work_out(self, written: str) -> None:
        self.talk.call(("calculate", {"expression": written}))
        text, answer = calculated(self.rng, written)
        self.talk.result(text)
        self.talk.say(answer)


class Clock:
    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng, self.used = talk, talk.rng, False
        self.style = talk.rng.choice(("json", "sentence"))

    def turn(self) -> None:
        roll = self.rng.random()
        cities = {"city": w.place(self.rng), "other": w.place(self.rng)}
        if roll < 0.15:
            self.talk.ask("tools_app", "time_none")
            self.talk.say(missing_names(["city"]))
            if roll < 0.05:
                return None
            read = self.talk.ask("flights", "give_one", {"x": cities["city"]}, chatter=False)
            return self.tell(read["x"])
        if roll < 0.3:
            read = self.talk.ask("tools_app", "time_two", cities)
            return self.tell(read["city"], read["other"])
        following = self.used and self.rng.random() < 0.6
        read = self.talk.ask("tools_app", "time_next" if following else "time", cities, chatter=not following)
        return self.tell(read["city"])

    def tell(self, *cities: str) -> None:
        self.used = True
        self.talk.call(*(("current_time", {"city": c}) for c in cities))
        answers = []
        for city in cities:
            text, answer = self.result(city)
            self.talk.result(text)
            answers.append(answer)
        self.talk.say(" ".join(answers))

    def result(self, city: str) -> tuple[str, str]:
        if self.rng.random() < 0.12:
            text = self.rng.choice(
                (
                    f"The time zone of {city} is not known.",
                    f"No time is known for {city}.",
                    f"Unknown city: {city}",
                    f"{city} is not in the table.",
                )
            )
            return f"Error: {text}", f"The tool reported an error: {text}"
        city = canonical(self.rng, city)
        values = {
            "city": city,
            "time": f"{self.rng.randint(0, 23):02}:{self.rng.randint(0, 59):02}",
            "zone": self.rng.choice(ZONES),
        }
        values["date"] = self.rng.choice(
            (
                f"{self.rng.choice(a.DAYS)}, {a.date(self.rng)}",
                a.date(self.rng),
                f"{self.rng.choice(a.DAYS)} {self.rng.randint(1, 28)} {self.rng.choice(a.MONTHS)}",
            )
        )
        if self.style == "sentence":
            text = form(self.rng, "tools_app", "time_result")
            for name, value in values.items():
                text = text.replace("{" + name + "}", value)
            if city not in text:
                return text, f"In {city} it is {text}."
            return text, text if text.endswith(".") else text + "."
        fields: dict[str, Any] = {"city": city, "time": values["time"], "date": values["date"]}
        zone = f" ({values['zone']})" if self.rng.random() < 0.6 else ""
        if zone:
            fields[self.rng.choice(("timezone", "time_zone", "zone"))] = values["zone"]
        return compact(self.rng, fields), f"In {city} it is {values['time']} on {values['date']}{zone}."


def budget(flights: Flights, calculator: Calculator) -> None:
    """A fare, and then a sum with it: two rounds of tools in one turn."""
    talk, rng = flights.talk, flights.rng
    places = flights.cities("a", "b")
    people = rng.randint(2, 9)
    count = rng.choice((str(people), a.NUMBER_WORDS[people]))
    pattern = rng.choice(
        (f"<How much|What> <do|would|will> {count} tickets from {{a}} to {{b}} cost<| in all| together>?", f"We are {count} people flying from {{a}} to {{b}}. <What is the total|How much in all>?",
         f"<Price|Total> for {count} <people|persons|passengers> from {{a}} to {{b}}<?| please>", f"{count} <seats|tickets> {{a}} to {{b}}, <what do they cost together|total|in total>?")
    )  # fmt: skip
    from starter.data.forms import utter

    text, read = utter(rng, pattern, places)
    talk.user(text)
    talk.call((NAME, {"origin": read["a"], "destination": read["b"]}))
    result, sentence = fare(rng, read["a"], read["b"], "app")
    talk.result(result)
    if '"price"' not in result:
        return talk.say(sentence)
    price = sentence.split(" costs ")[1].split(" ")[0]
    talk.call(("calculate", {"expression": f"{people} * {price}"}))
    outcome, answer = calculated(rng, f"{people} * {price}")
    talk.result(outcome)
    return talk.say(f"{sentence} {answer}")


class Library:
    """Questions for the company's documents. The passages found become an answer elsewhere; here short ones do."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng = talk, talk.rng

    def turn(self) -> None:
        from starter.data.passages import found

        rng = self.rng
        passages, question, answer = found(rng)
        if rng.random() < 0.5:
            question = form(rng, "tools_app", "search_question")
            for slot, make in (("{brand}", w.brand), ("{person}", w.person)):
                question = question.replace(slot, make(rng))
            question = question.replace("{noun}", w.pick(rng, "nouns")).replace("{adj}", w.pick(rng, "adjectives"))
            answer = "The knowledge base does not say."
        text = form(rng, "tools_app", "search").replace("{ask}", question) if rng.random() < 0.3 else question
        query = question
        if "{q}" in text:
            query = (
                form(rng, "tools_app", "search_topic")
                .replace("{brand}", w.brand(rng))
                .replace("{person}", w.person(rng))
            )
            query = query.replace("{noun}", w.pick(rng, "nouns")).replace("{adj}", w.pick(rng, "adjectives"))
            text, answer = text.replace("{q}", query), "The knowledge base does not say."
        self.talk.user(text)
        self.talk.call(("search_knowledge_base", {"query": query}))
        if rng.random() < 0.1:
            passages, answer = error(rng)
        self.talk.result(passages)
        self.talk.say(answer)


__all__ = ["ASK_BOTH", "Calculator", "Clock", "Library", "budget"]
