"""The knowledge tab without a browser: how answers are shown, visitors' own documents, the map, and the endpoints."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError as Refused

from core import jobs
from core.errors import AppError, BadSetting, OtherModel
from core.rag.answer import Answer
from core.rag.index import Index
from core.rag.map import LEAST, load, make
from core.rag.own import Making, change, documents, home, index, making, remove
from core.rag.passages import Document, Hit, Passage, quiet
from core.rag.prompts import UNKNOWN
from core.rag.quote import Quote
from core.rag.rewrite import Rewritten
from core.rag.search import Found
from core.rag.split import Recipe
from core.rag.support import support
from core.visitors import Visitor, visiting
from tabs.knowledge_adding import find_pages
from tabs.knowledge_answering import wished
from tabs.knowledge_bases import embedding_model
from tabs.knowledge_presence import arrived, left
from tabs.knowledge_view import marked, said, text
from tests.services import Provider, Refuse, Reply, Request, Say
from tests.site import Site

# --- how an answer is shown -------------------------------------------------------------------------------------------

STORY = "The Otter costs £4,150 and weighs 12 kg. Write to otter@marrowfen.example for a loan."


def hit(story: str = STORY) -> Hit:
    passage = Passage("1", "products/otter.md", "Otter", story, 0, len(story), "products", "Price")
    return Hit(passage, 1.0, story, 0, len(story))


def shown(answer: str) -> str:
    return text(answer, support(answer, [hit()], "What does the Otter cost?"), 3)


def test_a_model_that_found_no_answer_does_not_contradict_the_sentences_below_it() -> None:
    quote = Quote(1, 0, 50, "The Otter costs £4,150 and weighs 12 kg.", 1.0)
    found = Found("Otter?", "Otter?", (hit(),))
    answer = Answer("Otter?", Rewritten("Otter?"), found=found, whole=True, quotes=(quote,), by_small=True)
    unknown, known = said(replace(answer, text=UNKNOWN), 0), said(replace(answer, text="It weighs 12 kg. [1]"), 0)
    assert unknown.startswith("The model found no answer. It says:")
    assert unknown.index("where they come closest") < unknown.index("£4,150")
    assert "What the documents say" in known
    assert "no answer" not in known


def test_a_citation_is_a_link_to_its_passage_and_an_invented_one_is_red() -> None:
    assert shown("The Otter weighs 12 kg. [1]") == "The Otter weighs 12 kg. [&#91;1&#93;](#passage-3-1)"
    assert "<mark>&#91;7&#93;</mark>" in shown("The Otter weighs 12 kg. [7]")
    assert shown("The Otter weighs 12 kg. [1, 7]").count("passage-3-1") == 1


@pytest.mark.parametrize("value", ["£9,999", "https://evil.example/x", "eve@evil.example", "+44 191 555 0000"])
def test_what_no_passage_holds_is_red_and_is_no_link(value: str) -> None:
    said = shown(f"The Otter costs £4,150, says {value}. [1]")
    assert "£4,150" in said
    assert len(re.findall("<mark>", said)) == 1
    assert "evil.example" not in said.replace("&#46;", ".").replace("<mark>", "") or "://" not in said


@pytest.mark.parametrize(
    "link", ["[a](//evil.example/x)", "[a](/x)", "[a]: https://evil.example\n\n[a]", "[a](#passage-0-1)"]
)
def test_only_citations_are_links(link: str) -> None:
    said = shown(f"The Otter weighs 12 kg. [1]\n\n{link}")
    assert said.count("](") == 1
    assert "]:" not in said


def test_a_sentence_without_support_is_marked_also_in_a_table() -> None:
    assert shown("The Otter sings opera on Sundays in winter. [1]").count("⚠ not in the passages") == 1
    table = shown("| who | what |\n|---|---|\n| The Otter | sings opera on Sundays in winter |")
    assert all(line.count("|") == 3 for line in table.splitlines())


@pytest.mark.parametrize(
    "hostile", ["<img src=x onerror=alert(1)>", "![x](https://evil.example/p.png)", "\ue0000\ue001"]
)
def test_what_a_model_writes_stays_text(hostile: str) -> None:
    said = shown(f"The Otter weighs 12 kg {hostile} [1]")
    assert "<img" not in said
    assert "![" not in said
    assert "\ue000" not in said


def test_a_value_in_code_is_not_wrapped_in_markup() -> None:
    assert "`7,777`" in shown("Run `7,777` now, says the Otter. [1]")


def test_a_document_in_pieces_is_the_document() -> None:
    pieces = marked(STORY, (4, 40), (10, 20))
    assert "".join(piece for piece, _ in pieces) == STORY
    assert [label for _, label in pieces] == [None, "passage", "sentence", "passage", None]
    long = "x" * 50_000
    assert [piece for piece, _ in marked(long, (20_000, 20_010), None)][:1] == ["… "]


@pytest.mark.parametrize("wrong", [{"k": 0}, {"k": 2.5}, {"mode": "psychic"}, {"weight": float("nan")}, {"budget": 1}])
def test_a_search_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {"k": None, "mode": None, "weight": None, "budget": None}
    with pytest.raises(BadSetting):
        wished(**given | wrong)  # type: ignore[arg-type]


# --- a visitor's own documents ----------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path, limits: Callable[..., None]) -> Iterator[Path]:
    limits(data=tmp_path / "data")
    yield home("~someone")
    remove(home("~someone"))


def note(name: str, said: str = "The code word is heron.") -> Document:
    return Document(name, name, f"# {name}\n\n{said}\n", "uploads", digest=f"{name}{said}")


def sources(own: Path) -> set[str]:
    return set(index(own, making(own), embedding_model).corpus().documents)


def test_documents_come_and_go_and_nothing_of_them_is_left(own: Path) -> None:
    change(own, making(own), quiet, embedding_model, [note("a"), note("b")])
    change(own, making(own), quiet, embedding_model, [note("c")], drop=["a"])
    assert sources(own) == {"b", "c"}
    change(own, making(own), quiet, embedding_model, drop=["b", "c"])
    assert sources(own) == set()
    remove(own)
    assert not own.exists()


def test_a_folder_stands_beside_what_was_uploaded(own: Path, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    (folder / "plans").mkdir(parents=True)
    (folder / "plans" / "zebra.md").write_text("# Zebra\n\nIt costs 4,711 euros.\n")
    change(own, making(own), quiet, embedding_model, [note("a")])
    change(own, Making(folder=str(folder)), quiet, embedding_model)
    assert sources(own) == {"a", "plans/zebra.md"}
    assert [document.source for document in documents(own)] == ["a"]
    (folder / "plans" / "zebra.md").unlink()
    change(own, making(own), quiet, embedding_model)
    assert sources(own) == {"a"}


def test_another_model_needs_consent_and_then_everything_is_there(own: Path) -> None:
    change(own, Making(recipe=Recipe(size=400)), quiet, embedding_model, [note("a")])
    other = Making(model="minilm-int8", recipe=Recipe(size=400))
    with pytest.raises(OtherModel):
        change(own, other, quiet, embedding_model, [note("b")])
    assert (making(own).model, sources(own)) == ("minilm", {"a"})
    change(own, other, quiet, embedding_model, rebuild=True)
    assert (making(own).model, making(own).recipe.size, sources(own)) == ("minilm-int8", 400, {"a"})


def test_strangers_get_no_folder_and_no_foreign_model(limits: Callable[..., None]) -> None:
    limits(public="1")
    for wrong in ({"folder": "/etc"}, {"model": "openai/text-embedding-3-small"}, {"store": "10.0.0.1:8000"}):
        with pytest.raises(BadSetting):
            Making(**wrong)  # type: ignore[arg-type]


def test_documents_go_with_a_visitors_last_page(own: Path) -> None:
    change(own, making(own), quiet, embedding_model, [note("a")])
    with visiting(Visitor(session="someone")):
        pages = [arrived(gr.Request(session_hash=session)) for session in ("one", "two")]
    with visiting(Visitor(session="another")):
        other = arrived(gr.Request(session_hash="three"))
    left(pages[0])
    left(other)
    assert sources(own) == {"a"}
    left(pages[1])
    assert not own.exists()


def test_stop_ends_the_look_for_pages_and_the_reading_of_a_slow_one(own: Path) -> None:
    with Site() as site:
        site.answers["/about"] = site.answers["/drip"]
        visit = site.visit()
        job = find_pages(site.at("/"), 1, 20, visit)
        while "/about" not in site.paths:
            time.sleep(0.01)
        assert jobs.get(job.id).state == "running"
        started = time.monotonic()
        jobs.stop(job.id)
        assert site.left.wait(5)
        while (job := jobs.get(job.id)).state == "running":
            time.sleep(0.01)
        assert time.monotonic() - started < 5
        assert (job.state, job.result) == ("stopped", None)


def test_there_is_an_end_to_what_can_be_added(own: Path, limits: Callable[..., None]) -> None:
    limits(data=own.parents[1], upload_files=1, crawl_pages=1)
    with pytest.raises(AppError, match="Remove some first"):
        change(own, making(own), quiet, embedding_model, [note(str(number)) for number in range(3)])


# --- the map ----------------------------------------------------------------------------------------------------------


def drawn(own: Path, count: int) -> tuple[Index, Path]:
    change(
        own,
        making(own),
        quiet,
        embedding_model,
        [note(f"{n}", f"Number {n} is about {n * 'boats '}") for n in range(count)],
    )
    there = index(own, making(own), embedding_model)
    return there, there.root / "generations" / there.corpus().name


def test_a_map_is_made_once_and_a_passage_as_a_question_lies_on_itself(own: Path) -> None:
    there, generation = drawn(own, 12)
    assert load(generation) is None
    made = make(there.corpus(), generation, quiet)
    kept = load(generation)
    assert kept is not None
    for method in ("pca", "tsne"):
        for dimensions in (2, 3):
            assert kept.where(method, dimensions).shape == (12, dimensions)  # type: ignore[arg-type]
            assert np.array_equal(kept.where(method, dimensions), made.where(method, dimensions))  # type: ignore[arg-type]
    vectors = there.corpus().vectors
    for row in range(12):
        place = kept.place(vectors[row], np.array([row]), "pca", 2)
        assert place is not None
        assert np.allclose(place, kept.where("pca", 2)[row], atol=1e-4)
    amid = kept.place(vectors[0], np.array([3]), "tsne", 3)
    assert amid is not None
    assert np.allclose(amid, kept.where("tsne", 3)[3])
    assert kept.place(vectors[0], np.array([], np.int64), "tsne", 2) is None


def test_too_few_passages_make_no_map(own: Path) -> None:
    there, generation = drawn(own, LEAST - 1)
    with pytest.raises(BadSetting, match="Add documents first"):
        make(there.corpus(), generation, quiet)


# --- endpoints --------------------------------------------------------------------------------------------------------

RENT = "What does it cost to rent the Otter OT-24 for a month?"


def answering(request: Request) -> Reply:
    """A model that answers from the passages, cites them, and adds a number of its own."""
    if "reference answer" in json.dumps(request.body):
        return Say(('{"why": "right", "accuracy": 5, "completeness": 4, "relevance": 5}',))
    return Say(("The rent of an OT-24 ", "is £310 a month. [1] ", "Buying it costs 98,765 euros. [1]"), pace=0.1)


ENVIRONMENT = {"SWITCHBOARD_MODEL": "openai/gpt-4.1"}
SCRIPT = answering


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    """A client, once the documents are read: the first to ask begins that, and is told so."""
    found = Client(url, verbose=False)
    assert found.predict(api_name="/index")["state"] == "waiting"
    until = time.monotonic() + 600
    while found.predict(api_name="/index")["state"] == "waiting" and time.monotonic() < until:
        time.sleep(0.5)
    return found


def test_the_index_tells_what_it_holds(client: Client) -> None:
    told = client.predict(api_name="/index")
    assert told["state"] == "ready"
    assert told["documents"] == 75
    assert told["model"]["dimension"] == 384
    assert set(told["doc_types"]) == {"company", "contracts", "people", "policies", "products"}
    assert sum(told["sources"].values()) == told["passages"]


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
def test_a_search_gives_ranked_passages(client: Client, mode: str) -> None:
    rows = client.predict("Where is Marrowfen's head office?", 5, mode, api_name="/search")
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert any("Gantry House" in row["text"] for row in rows)
    assert {"score", "source", "doc_type", "heading", "ranks"} <= set(rows[0])


@pytest.mark.parametrize("choice", ["openai/gpt-4.1", "claude/claude-haiku-4-5", "ollama/llama3.2:3b"])
def test_an_answer_streams_with_its_citations_and_what_to_doubt(client: Client, choice: str) -> None:
    steps = list(client.submit(RENT, choice, api_name="/ask"))
    assert len({step["answer"] for step in steps}) > 2
    last = steps[-1]
    assert last["answer"].endswith("98,765 euros. [1]")
    assert [mark["number"] for mark in last["citations"]] == [1, 1]
    assert [last["answer"][value["start"] : value["end"]] for value in last["unknown"]] == ["98,765"]
    assert any("£310" in passage["text"] for passage in last["passages"])
    assert RENT in last["prompt"]
    assert {"embedding", "first token", "answer"} <= set(last["timings"])


def test_without_a_model_sentences_are_quoted_and_nobody_is_asked(client: Client, service: Provider) -> None:
    before = len(service.asked())
    last = list(client.submit(RENT, "none", api_name="/ask"))[-1]
    assert last["is_quoted"]
    assert "£310" in last["answer"]
    assert last["citations"]
    assert len(service.asked()) == before


@pytest.mark.parametrize("choice", ["openai/gpt-4.1", "nobody/none"])
def test_when_the_model_fails_sentences_are_quoted_and_the_failure_is_told(
    client: Client, service: Provider, choice: str
) -> None:
    service.script = lambda request: Refuse(401)
    try:
        last = list(client.submit(RENT, choice, api_name="/ask"))[-1]
    finally:
        service.script = answering
    assert last["is_quoted"]
    assert "£310" in last["answer"]
    assert last["error"]


def test_a_question_about_nothing_here_asks_no_model(client: Client, service: Provider) -> None:
    before = len(service.asked())
    last = list(client.submit("zxqv wplm grtk?", "openai/gpt-4.1", api_name="/ask"))[-1]
    assert last["answer"] == "The knowledge base does not say."
    assert len(service.asked()) == before


def test_a_follow_up_is_completed_from_what_was_said(client: Client) -> None:
    history = [
        {"role": "user", "content": "What does the Otter OT-24 cost to rent for a month?"},
        {"role": "assistant", "content": "The OT-24 costs £310 a month. [1]"},
    ]
    last = list(client.submit("And the OT-24R?", "none", 10, history, api_name="/ask"))[-1]
    assert "OT-24R" in last["query_used"]
    assert last["query_used"] != "And the OT-24R?"


def test_a_set_of_questions_is_measured(client: Client) -> None:
    rows = [
        {"question": "Where is Marrowfen's head office?", "keywords": ["Gantry House"], "category": "fact"},
        {"question": RENT, "keywords": ["£310", "never written anywhere"], "category": "fact"},
    ]
    steps = list(client.submit("\n".join(map(json.dumps, rows)), api_name="/evaluate"))
    last = steps[-1]
    assert (last["state"], last["questions"]) == ("done", {"all": 2, "fact": 2})
    mean, low, high = last["figures"]["all"]["coverage"]
    assert (mean, low <= mean <= high) == (0.75, True)
    assert last["ceiling"]["mrr"] == pytest.approx(0.75)
    assert last["floor"]["mrr"] < 0.5
    assert [row["missing"] for row in last["failed"]] == [["never written anywhere"]]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("/search", ("", 5), "empty"),
        ("/search", ("x", 0), "between 1 and 100"),
        ("/search", ("x", 5, "psychic"), "mode must be"),
        ("/search", ("x", 5, "hybrid", "../etc"), "sample or own"),
        ("/search", ("x", 5, "hybrid", "own"), "added no documents"),
        ("/ask", (" ",), "empty"),
        ("/ask", ("x", "none", 5, [{"role": "system", "content": "y"}]), "role"),
        ("/evaluate", ("no json",), "Line 1 is no question"),
        ("/evaluate", ('{"question": "x"}',), "keywords"),
    ],
)
def test_what_cannot_be_done_is_told(client: Client, name: str, arguments: tuple[object, ...], said: str) -> None:
    with pytest.raises(Refused, match=said):
        client.predict(*arguments, api_name=name)
