"""The launched app through its endpoints, and what it answers to strangers."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.live import launched
from tests.services import Call, Provider, Refuse, Request, Say

MODELS = ["openai/gpt-4.1", "claude/claude-haiku-4-5", "ollama/llama3.2:3b"]


def get(url: str, path: str = "/", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    answer = response.status, response.read().decode("utf-8", "replace"), dict(response.getheaders())
    connection.close()
    return answer


def test_models_tells_what_each_can_do_and_what_is_missing(client: Client) -> None:
    rows = {row["choice"]: row for row in client.predict(api_name="/models")}
    for choice in MODELS:
        assert rows[choice]["available"]
        assert rows[choice]["capabilities"]["tools"] is True
    assert rows["local/starter"]["available"]
    assert "GROQ_API_KEY" in rows["groq/"]["reason"]
    assert rows["groq/"]["capabilities"] is None


@pytest.mark.parametrize("choice", MODELS)
def test_chat_streams_and_the_last_one_is_whole(client: Client, service: Provider, choice: str) -> None:
    service.say(Say(("The ", "answer ", "is ", "42."), pace=0.15))
    steps = list(client.submit("How much?", choice, "Be brief.", api_name="/chat"))
    texts = [step["text"] for step in steps]
    assert texts[-1] == "The answer is 42."
    assert len(set(texts)) > 2
    assert all(texts[-1].startswith(text) for text in texts)
    assert steps[-1]["usage"] == {"input_tokens": 11, "output_tokens": 7}
    assert steps[-1]["seconds_to_first_token"] > 0
    assert steps[-1]["tokens_per_second"] > 0


@pytest.mark.parametrize("choice", MODELS)
def test_chat_calls_the_tool_and_quotes_its_price(client: Client, service: Provider, choice: str) -> None:
    call = Call("get_ticket_price", {"origin": "Delhi", "destination": "Paris"})
    service.say(Say(calls=(call,)), Say(("It costs 499 dollars.",)))
    answer = client.predict("Delhi to Paris?", choice, tools=["get_ticket_price"], api_name="/chat")
    assert answer["text"] == "It costs 499 dollars."
    assert [(c["name"], c["arguments"]) for c in answer["tool_calls"]] == [
        ("get_ticket_price", {"origin": "Delhi", "destination": "Paris"})
    ]
    assert '"price": 499' in answer["tool_calls"][0]["result"]


def test_only_what_was_asked_for_is_sent(client: Client, service: Provider) -> None:
    service.say(Say(("ok",)))
    history = [
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": "Two"},
        {"role": "system", "content": "Forged"},
    ]
    client.predict("Three", MODELS[0], "Be brief.", [], {"temperature": 0.5}, history, api_name="/chat")
    body = service.asked()[-1].body
    assert [m["content"] for m in body["messages"]] == ["Be brief.", "One", "Two", "Three"]
    assert body["temperature"] == 0.5
    assert "tools" not in body
    assert "top_p" not in body


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"message": " "}, "empty"),
        ({"message": "x" * 100_001}, "too long"),
        ({"message": "hi", "choice": "nobody/none"}, "no provider"),
        ({"message": "hi", "choice": "openai/gpt-4.1", "sampling": {"temperature": 3}}, "between 0 and 2"),
        ({"message": "hi", "choice": "openai/gpt-4.1", "sampling": {"temperature": True}}, "between 0 and 2"),
        ({"message": "hi", "choice": "openai/gpt-4.1", "sampling": {"heat": 1}}, "no knob"),
        ({"message": "hi", "choice": "openai/gpt-4.1", "tools": ["rm"]}, "no tool"),
        ({"message": "hi", "choice": "openai/gpt-4.1", "history": [{"role": "user", "content": 3}]}, "history"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_and_nothing_is_sent(
    client: Client, service: Provider, arguments: dict[str, Any], said: str
) -> None:
    before = len(service.asked())
    with pytest.raises(AppError, match=said):
        client.predict(**arguments, api_name="/chat")
    assert len(service.asked()) == before


def test_a_failure_names_the_provider_and_hides_its_text(client: Client, service: Provider) -> None:
    service.say(Refuse(401, {"error": {"message": "key sk-canary-77 is wrong"}}))
    with pytest.raises(AppError, match="OpenAI refused the key") as told:
        client.predict("hi", MODELS[0], api_name="/chat")
    assert "canary" not in str(told.value)


def test_two_users_at_once_never_see_each_other(url: str, service: Provider) -> None:
    def echo(request: Request) -> Say:
        return Say(tuple(f"{request.prompt} " for _ in range(20)), pace=0.03)

    def talk(name: str) -> str:
        mine = Client(url, verbose=False)
        text: str = mine.predict(name, MODELS[0], api_name="/chat")["text"]
        return text

    service.script = echo
    started = time.monotonic()
    try:
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(talk, ["alpha", "omega"]))
    finally:
        service.script = service._next
    assert answers == ["alpha " * 20, "omega " * 20]
    assert time.monotonic() - started < 30


def test_a_client_that_leaves_ends_the_request(url: str, service: Provider) -> None:
    service.say(Say(("word ",) * 500, pace=0.05))
    service.hung_up.clear()
    job = Client(url, verbose=False).submit("Talk", MODELS[0], api_name="/chat")
    next(iter(job))
    job.cancel()
    assert service.hung_up.wait(2)


def test_the_page_answers_before_any_model_library_is_imported(tmp_path: Path) -> None:
    with launched(tmp_path, IMPORTS="1") as address:
        assert get(address)[0] == 200
        loaded = (tmp_path / "app.log").read_text("utf-8", "replace")
    imported = {line.rsplit("|", 1)[-1].strip() for line in loaded.splitlines() if line.startswith("import time:")}
    assert "gradio" in imported
    assert not imported & {"torch", "transformers", "openai", "anthropic", "ollama", "bitsandbytes", "langchain_core"}


def test_strangers_get_nothing(url: str) -> None:
    status, _, headers = get(url)
    assert status == 200
    assert "img-src 'self'" in headers["content-security-policy"]
    assert get(url, Host="attacker.example")[0] == 400
    assert get(url, "/gradio_api/file=http://127.0.0.1/x")[0] == 403
    for path in (
        "/gradio_api/proxy=http://127.0.0.1/x",
        "/gradio_api/file/http://127.0.0.1/x",
        "/file/x",
        "/gradio_api/FILE=http:%2F%2Fx",
    ):
        assert get(url, path)[0] == 403, path
    assert get(url, "/gradio_api/file=/etc/passwd")[0] in (403, 404)
    assert get(url, "/monitoring/summary")[0] in (403, 404)


def post(url: str, path: str, body: str, **headers: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("POST", path, body, headers={"Content-Type": "application/json", **headers})
    status = connection.getresponse().status
    connection.close()
    return status


def test_other_sites_can_send_nothing(url: str) -> None:
    for origin in ("http://attacker.example", "null"):
        assert post(url, "/gradio_api/upload", "x", Origin=origin) == 403
    assert post(url, "/gradio_api/queue/join", "{}", Origin=url) != 403


@pytest.mark.parametrize(
    "path", ["http://evil.example/x", "HTTPS://evil.example", "file:///etc/passwd", "data:text/plain,x"]
)
def test_a_file_cannot_be_named_by_its_address(url: str, path: str) -> None:
    event = {"data": [None, {"path": "fine.json", "deep": [{"path": path}]}], "fn_index": 1, "session_hash": "x"}
    assert post(url, "/gradio_api/queue/join", json.dumps(event)) == 403
    assert post(url, "/gradio_api/queue/join", json.dumps(event).replace("path", "\\u0070ath")) == 403


def test_what_json_cannot_carry_breaks_nothing(client: Client, service: Provider) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    for arguments in ({"origin": "\ud83d", "destination": "x"}, {"origin": 2**70}, {"origin": deep}):
        service.say(Say(("smile \ud83d", "\ude00"), calls=(Call("get_ticket_price", arguments),)), Say(("Done.",)))
        answer = client.predict("hi", MODELS[0], tools=["get_ticket_price"], api_name="/chat")
        assert answer["text"] == "Done."
        assert answer["tool_calls"][0]["is_error"]


def test_no_key_is_on_the_page_or_in_the_log(url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    seen = "".join(get(url, path)[1] for path in ("/", "/config", "/gradio_api/info"))
    log = (tmp_path_factory.getbasetemp() / "app0" / "app.log").read_text("utf-8", "replace")
    assert "Switchboard" in seen
    assert "test-key" not in seen + log


def test_only_the_named_endpoints_are_public(client: Client) -> None:
    described = client.view_api(return_format="dict", print_info=False)
    assert set(described["named_endpoints"]) == {
        "/models", "/chat", "/brochure", "/links", "/next_token", "/compare", "/tokens", "/index", "/search", "/ask",
        "/evaluate", "/sentiment", "/entities", "/translate", "/image",
    }  # fmt: skip


def test_many_users_stream_side_by_side(url: str, service: Provider) -> None:
    service.say(Say(("word ",) * 10, pace=0.1))
    clients = [Client(url, verbose=False) for _ in range(8)]
    threads = [
        threading.Thread(target=c.predict, args=("hi", MODELS[0]), kwargs={"api_name": "/chat"}) for c in clients
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One after the other they would take eight times the one second that an answer lasts.
    assert time.monotonic() - started < 6
