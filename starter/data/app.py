"""The app's other tools: their descriptions, the time in a city, fares with a sum, the company's documents."""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from starter.data import values as w
from starter.data.calculator import Calculator, calculated, expression
from starter.data.flights import NAME, Flights, canonical, fare, missing_names
from starter.data.forms import dressed, expand, form, noisy, sections, utter
from starter.data.passages import Shown, ask_about, ended, gathered, numbered
from starter.data.results import error
from starter.data.talk import Call, Talk, Tool, coloured, compact, failed, tool

UNKNOWN = "The knowledge base does not say."


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


def search_tool(rng: Random) -> Tool:
    """The app's search in documents."""
    own = "Search the company's own documents."
    texts = sections("tools_app")["search_description"]
    hint = expand(rng, "<|What to look for|A question or a few words|The question|Words to search for>")
    return described(rng, "search_knowledge_base", "query", hint, own, *(expand(rng, t) for t in texts))


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


def topic(rng: Random, question: str, answer: str) -> tuple[str, str]:
    """Words to search for instead of a question: its own where they stand alone, or others, which find nothing."""
    alone = re.fullmatch(r"(?:What|Which|Who|Where|When) (?:is|are|was|were) ((?:the |our )?[^?]+)\??", question)
    if alone:
        return alone[1].removeprefix("the "), answer
    if rng.random() < 0.6:
        return question.rstrip("?"), answer
    return w.filled(rng, form(rng, "tools_app", "search_topic")), UNKNOWN


def shape(answer: str) -> str:
    """The answer without names, figures and citation: the same for near-identical passages."""
    return re.sub(r"[A-Z]\w*|[\d.,:]+|\[\d+\]|\W+", " ", answer).strip()


def named(passages: Sequence[Shown], query: str) -> str:
    """The subject of the passages that the query names, if it does."""
    return next((p.subject for p in passages if p.subject in query and not (p.subject or "x").islower()), "")


def others(passages: Sequence[Shown], query: str, answer: str) -> list[tuple[str, str]]:
    """Further subjects of the same passages, each with what the same question would find."""
    if answer == UNKNOWN or not named(passages, query):
        return []
    told = [(p.subject, ended(s, i)) for i, p in enumerate(passages, 1) for _, s in p.answers if p.subject not in query]
    return [(name, said) for name, said in told if shape(said) == shape(answer)]


class Library:
    """Questions for the company's documents within one talk."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.rng = talk, talk.rng

    def turn(self) -> None:
        """Search, and answer from what was found; now and then nothing fitting is."""
        rng = self.rng
        passages, beyond = gathered(rng)
        question, answer = ask_about(rng, passages, beyond)
        if rng.random() < 0.05:
            question, answer = w.filled(rng, form(rng, "tools_app", "search_question")), UNKNOWN
        query = utter(rng, question, {}, chatter=False)[0]
        text = dressed(rng, query)
        if rng.random() < 0.3:
            text = form(rng, "tools_app", "search").replace("{ask}", query)
        if "{q}" in text:
            query, answer = topic(rng, question, answer)
            text = text.replace("{q}", query)
        self.talk.user(text)
        self.look_up(query, numbered(passages), answer)
        near = others(passages, query, answer)
        if near and rng.random() < 0.5:
            self.follow(query, named(passages, query), *rng.choice(near), numbered(passages))

    def look_up(self, query: str, passages: str, answer: str) -> None:
        """The call, what it finds, and the answer."""
        if self.rng.random() < 0.06:
            passages, answer = error(self.rng)
        self.talk.call(("search_knowledge_base", {"query": query}))
        self.talk.result(passages)
        self.talk.say(answer)

    def follow(self, query: str, name: str, other: str, answer: str, passages: str) -> None:
        """The same question for another name: the search is asked with the whole question again."""
        rng = self.rng
        if rng.random() < 0.15:
            other, answer = rng.choice((w.person, w.brand, w.place))(rng), UNKNOWN
        text = expand(rng, "<And|What about|How about|And for|And what about|The same for> {x}<?|?| please>")
        self.talk.user(text.replace("{x}", other))
        self.look_up(query.replace(name, other), passages, answer)


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
