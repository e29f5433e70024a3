"""The app's other tools: their descriptions, the time in a city, fares with a sum, two of them at once."""

from collections.abc import Callable
from random import Random
from typing import Any

from starter.data import values as w
from starter.data.calculator import Calculator, calculated, expression
from starter.data.flights import NAME, Flights, canonical, fare, missing_names
from starter.data.forms import dressed, form, noisy, utter
from starter.data.talk import Call, Talk, Tool, coloured, compact, failed, tool


def described(rng: Random, name: str, parameter: str, hint: str, own: str, *others: str) -> Tool:
    """A tool of one text parameter, mostly in the app's own words."""
    text = own if rng.random() < 0.6 else rng.choice(others)
    told = {"description": hint} if hint and rng.random() < 0.6 else {}
    return tool(name, text, {parameter: {"type": "string", **told}})


def time_tool(rng: Random) -> Tool:
    """The app's clock."""
    own, hint = "The current local time and date in a city.", "A city, for example Tokyo"
    return described(rng, "current_time", "city", hint, own, "Current time in a city.", "What time it is in a city.")


def calculate_tool(rng: Random) -> Tool:
    """The app's calculator."""
    own = "The value of an arithmetic expression with + - * / // % **, parentheses, sqrt, round, min, max and the like."
    hint = "For example (3 + 4) * 2, sqrt(2), 20% of 50"
    other = "Evaluate an arithmetic expression, e.g. 12.5 * (3 + 4) or 20% of 50."
    return described(rng, "calculate", "expression", hint, own, other, "Evaluate an arithmetic expression.", "Sums.")


class Clock:
    """Questions for the time within one talk."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng, self.used = talk, talk.rng, False
        self.style = talk.rng.choice(("json", "sentence"))

    def turn(self) -> None:
        """The time in one city or two; where no city is named, the model asks for it."""
        roll = self.rng.random()
        cities = {"city": w.place(self.rng), "other": w.place(self.rng)}
        if roll < 0.15:
            self.talk.ask("tools_app", "time_none")
            self.talk.say(missing_names(["city"]))
            if roll > 0.05:
                self.tell(self.talk.ask("flights", "give_one", {"x": cities["city"]}, chatter=False)["x"])
            return
        if roll < 0.3:
            read = self.talk.ask("tools_app", "time_two", cities)
            self.tell(read["city"], read["other"])
            return
        following = self.used and self.rng.random() < 0.6
        read = self.talk.ask("tools_app", "time_next" if following else "time", cities, chatter=not following)
        self.tell(read["city"])

    def tell(self, *cities: str) -> None:
        """Call the tool for each city, and say what it returns."""
        self.used = True
        self.talk.call(*(("current_time", {"city": c}) for c in cities))
        answers = []
        for city in cities:
            text, answer = self.result(city)
            self.talk.result(text)
            answers.append(answer)
        self.talk.say(" ".join(answers))

    def result(self, city: str) -> tuple[str, str]:
        """A result of the tool, and the sentence for it."""
        rng = self.rng
        if rng.random() < 0.12:
            text = w.filled(rng, form(rng, "tools_app", "no_time").replace("{city}", city))
            return failed(rng, text)
        city, zone = canonical(rng, city), w.pick(rng, "zones")
        time = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
        day = rng.choice((f"{w.pick(rng, 'days')}, {w.date(rng)}", w.date(rng), w.filled(rng, "{day} {k} {month}")))
        if self.style == "sentence":
            text = form(rng, "tools_app", "time_result")
            for name, value in (("city", city), ("time", time), ("date", day), ("zone", zone)):
                text = text.replace("{" + name + "}", value)
            if city not in text:
                return text, f"In {city} it is {text}."
            return text, text if text.endswith(".") else text + "."
        fields: dict[str, Any] = {"city": city, "time": time, "date": day}
        if rng.random() < 0.4:
            return compact(rng, fields), f"In {city} it is {time} on {day}."
        fields[rng.choice(("timezone", "time_zone", "zone"))] = zone
        return compact(rng, fields), f"In {city} it is {time} on {day} ({zone})."


def budget(flights: Flights, calculator: Calculator) -> None:
    """A fare, and then a sum with it: two rounds of tools in one turn."""
    talk, rng = flights.talk, flights.rng
    people = rng.randint(2, 9)
    count = rng.choice((str(people), w.NUMBER_WORDS[people]))
    pattern = form(rng, "tools_app", "budget").replace("{count}", count)
    text, read = utter(rng, pattern, flights.cities("a", "b"))
    talk.user(text)
    talk.call((NAME, {"origin": read["a"], "destination": read["b"]}))
    result, sentence = fare(rng, read["a"], read["b"], "app")
    talk.result(result)
    if '"price"' not in result:
        talk.say(sentence)
        return
    price = sentence.split(" costs ")[1].split(" ")[0]
    talk.call(("calculate", {"expression": f"{people} * {price}"}))
    outcome, answer = calculated(rng, f"{people} * {price}")
    calculator.used = True
    talk.result(outcome)
    talk.say(f"{sentence} {answer}")


def together(talk: Talk, clock: Clock, calculator: Calculator, flights: Flights, names: list[str]) -> None:
    """Two of the app's tools, or one of them twice, asked for in one message and called side by side."""
    rng = talk.rng
    parts = [PARTS[name](rng) for name in rng.sample(names, 2)]
    if "calculate" in names and rng.random() < 0.2:
        parts = [PARTS["calculate"](rng), PARTS["calculate"](rng)]
    first, second = (text for text, _ in parts)
    joint = rng.choice((" and ", ", and ", ". Also, ", " and then ", "? And ", ", also ", ". ", " plus ", "; "))
    if joint[-2] not in ".?" and second[1:2].islower():
        second = second[0].lower() + second[1:]
    text = noisy(rng, dressed(rng, first.rstrip(".?! ") + joint + second))
    talk.user(text.lower() if rng.random() < 0.15 else text)
    talk.call(*(call for _, call in parts))
    answers = []
    for _, (name, arguments) in parts:
        if name == "current_time":
            result, answer = clock.result(arguments["city"])
        elif name == "calculate":
            result, answer = calculated(rng, arguments["expression"])
        else:
            result, answer = fare(rng, arguments["origin"], arguments["destination"], flights.fares)
        talk.result(result)
        answers.append(answer)
    clock.used, calculator.used, flights.last = False, False, ("", "")
    talk.say(" ".join(answers))


def time_part(rng: Random) -> tuple[str, Call]:
    """A question for the time, and its call."""
    city = w.place(rng)
    text = coloured(rng, form(rng, "tools_app", "time")).replace("{city}", city)
    return text, ("current_time", {"city": city})


def sum_part(rng: Random) -> tuple[str, Call]:
    """A sum, and its call."""
    said, written = expression(rng)
    text = form(rng, "tools_app", "calc").replace("{e}", said)
    return rng.choice((text, text, said)), ("calculate", {"expression": written})


def fare_part(rng: Random) -> tuple[str, Call]:
    """A question for a fare, and its call."""
    a, b = w.place(rng), w.place(rng)
    text = coloured(rng, form(rng, "flights", "pair")).replace("{a}", a).replace("{b}", b)
    return text.replace("{c}", w.place(rng)), (NAME, {"origin": a, "destination": b})


PARTS: dict[str, Callable[[Random], tuple[str, Call]]] = {
    "current_time": time_part,
    "calculate": sum_part,
    NAME: fare_part,
}
