"""The app's other tools: their descriptions, the time in a city, fares with a sum, the company's documents."""

from random import Random
from typing import Any

from starter.data import values as w
from starter.data.calculator import Calculator, calculated
from starter.data.flights import NAME, Flights, canonical, fare, missing_names
from starter.data.forms import form, utter
from starter.data.passages import found
from starter.data.results import error
from starter.data.talk import Talk, Tool, compact, tool

UNKNOWN = "The knowledge base does not say."


def described(rng: Random, name: str, parameter: str, own: str, *others: str) -> Tool:
    """A tool of one text parameter, mostly in the app's own words."""
    text = own if rng.random() < 0.6 else rng.choice(others)
    return tool(name, text, {parameter: {"type": "string"}})


def time_tool(rng: Random) -> Tool:
    """The app's clock."""
    own = "The current local time and date in a city."
    return described(rng, "current_time", "city", own, "Current time in a city.", "What time it is in a city.")


def calculate_tool(rng: Random) -> Tool:
    """The app's calculator."""
    own = "Evaluate an arithmetic expression, e.g. 12.5 * (3 + 4) or 20% of 50."
    return described(rng, "calculate", "expression", own, "Evaluate an arithmetic expression.", "A calculator.")


def search_tool(rng: Random) -> Tool:
    """The app's search in documents."""
    own = "Search the company's own documents."
    return described(rng, "search_knowledge_base", "query", own, "Search the knowledge base.", "Find passages.")


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
            text = form(rng, "tools_app", "no_time").replace("{city}", city)
            return f"Error: {text}", f"The tool reported an error: {text}"
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


class Library:
    """Questions for the company's documents within one talk."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng = talk, talk.rng

    def turn(self) -> None:
        """Search, and answer from what was found; at times nothing fitting is."""
        rng = self.rng
        passages, question, answer = found(rng)
        if rng.random() < 0.5:
            question, answer = w.filled(rng, form(rng, "tools_app", "search_question")), UNKNOWN
        text = form(rng, "tools_app", "search").replace("{ask}", question) if rng.random() < 0.3 else question
        query = question
        if "{q}" in text:
            query, answer = w.filled(rng, form(rng, "tools_app", "search_topic")), UNKNOWN
            text = text.replace("{q}", query)
        self.talk.user(text)
        self.talk.call(("search_knowledge_base", {"query": query}))
        if rng.random() < 0.1:
            passages, answer = error(rng)
        self.talk.result(passages)
        self.talk.say(answer)
