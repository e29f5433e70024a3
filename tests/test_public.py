"""The app as strangers meet it: launched in public mode, through its endpoints, and by requests of no page."""

from __future__ import annotations

import ast
import ctypes
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from core.settings import _place
from tabs.login import FREE, LONGEST_FOR_ADDRESS, LONGEST_FOR_NAME, Login
from tests.live import ROOT, free_port, launched, running
from tests.services import Call, Provider, Request, Say

OPENAI, OLLAMA = "openai/gpt-4.1", "ollama/llama3.2:3b"
USERS = {"SWITCHBOARD_USERS": "ann:her canary-ann, bob:canary-bob"}
ANN, BOB = ("ann", "her canary-ann"), ("bob", "canary-bob")
# Behind a login, with room for what the tests ask together.
ENVIRONMENT = {
    "SWITCHBOARD_PUBLIC": "1", "SWITCHBOARD_MESSAGES_A_MINUTE": "1000", "SWITCHBOARD_DAILY_TOKENS": "100000000",
    "SWITCHBOARD_DAILY_DOLLARS": "1000", "SWITCHBOARD_ANSWERS_AT_ONCE": "2", **USERS,
}  # fmt: skip


@pytest.fixture(scope="module")
def ann(url: str) -> Client:
    return Client(url, auth=ANN, verbose=False)


def ask(url: str, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request(method, path, body or None, headers=headers)
    response = connection.getresponse()
    answer = response.status, response.read().decode("utf-8", "replace"), dict(response.getheaders())
    connection.close()
    return answer


def post(url: str, path: str, event: Any, **headers: str) -> tuple[int, str]:
    headers = {"Content-Type": "application/json", **headers}
    return ask(url, "POST", path, json.dumps(event), **headers)[:2]


def login(url: str, name: str, password: str, **headers: str) -> tuple[int, str]:
    """The status of a login, and its cookie."""
    form = urlencode({"username": name, "password": password})
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, said = ask(url, "POST", "/login", form, **kind, **headers)
    return status, said.get("set-cookie", "").split(";")[0]  # of two cookies the last, which needs no TLS


# --- starting ---------------------------------------------------------------------------------------------------------


def started(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py"), *arguments], cwd=tmp_path, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(("arguments", "environment"), [(["--share"], {}), ([], {"GRADIO_SHARE": "True"})])
def test_a_public_link_without_a_login_is_refused(
    tmp_path: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    ended = started(tmp_path, *arguments, **environment)
    assert ended.returncode == 1
    for way in ("SWITCHBOARD_USER", "SWITCHBOARD_PASSWORD", "SWITCHBOARD_VISITOR_KEYS=1"):
        assert way in ended.stderr
    assert "Running" not in ended.stdout
    assert "Traceback" not in ended.stderr


def test_mcp_behind_a_login_is_refused(tmp_path: Path) -> None:
    ended = started(tmp_path, "--mcp", **USERS)
    assert ended.returncode == 1
    assert "An MCP client cannot log in" in ended.stderr


def test_a_half_account_is_refused_before_anything_is_open(tmp_path: Path) -> None:
    ended = started(tmp_path, SWITCHBOARD_USER="ann")
    assert ended.returncode == 1
    assert "password" in ended.stderr


# --- the login --------------------------------------------------------------------------------------------------------


def test_without_a_login_there_is_nothing(url: str) -> None:
    event = {"data": [], "fn_index": 0, "session_hash": "x"}
    for path in ("/queue/join", "/call/models", "/run/models", "/upload", "/call/v2/models"):
        assert post(url, f"/gradio_api{path}", event)[0] in (401, 404, 422), path
    for path in ("/config", "/gradio_api/info", "/gradio_api/file=x", "/gradio_api/queue/data?session_hash=x"):
        assert ask(url, "GET", path)[0] == 401, path
    with pytest.raises(ValueError, match=r"[Cc]redentials|[Uu]nauthorized|401|login"):
        Client(url, verbose=False).predict(api_name="/models")


def test_with_a_login_it_works(ann: Client, service: Provider) -> None:
    service.say(Say(("Hello Ann",)))
    assert ann.predict("hi", OPENAI, api_name="/chat")["text"] == "Hello Ann"


def test_wrong_guesses_have_to_wait(url: str) -> None:
    forged = [{"X-Forwarded-For": f"9.9.9.{number}"} for number in range(9)]
    assert [login(url, "bob", "wrong", **forged[n])[0] for n in range(FREE)] == [400] * FREE
    # From whatever address: the right one has to wait too, but not for long, or strangers could keep Bob out.
    assert login(url, *BOB, **forged[8])[0] == 400
    time.sleep(1.1)
    assert login(url, *BOB, **forged[8])[0] == 200


def test_login_by_name_and_by_address() -> None:
    clock = [0.0]
    door = Login({"ann": "right"}, lambda: clock[0])
    assert door.allows("ann", "right", "a")
    assert not door.allows("nobody", "", "n1")
    assert not door.allows("nobody", "\0", "n2")
    # Many names from one address: the address waits, for others it is as before.
    for number in range(FREE):
        assert not door.allows(f"name {number}", "right", "a")
    assert not door.allows("ann", "right", "a")
    assert door.allows("ann", "right", "b")
    # Many addresses for one name: the name waits, for 15 seconds at most; an address for five minutes.
    guesses = 0
    for number in range(2000):
        clock[0] += 1
        before = door._wrong.get(("name", "ann"), (0, 0.0))
        door.allows("ann", "wrong", f"address {number}")
        guesses += door._wrong[("name", "ann")] != before
    assert guesses < 2000 / LONGEST_FOR_NAME + 10
    clock[0] += LONGEST_FOR_NAME
    assert door.allows("ann", "right", "c")
    for number in range(200):
        clock[0] += LONGEST_FOR_ADDRESS
        door.allows(f"x{number}", "wrong", "d")
    clock[0] += LONGEST_FOR_ADDRESS - 1
    assert not door.allows("ann", "right", "d")
    clock[0] += 1
    assert door.allows("ann", "right", "d")


# --- money and work ---------------------------------------------------------------------------------------------------


def test_strangers_caps_hold_in_the_app(ann: Client, service: Provider) -> None:
    service.say(Say(("ok",)))
    ann.predict("hi", OPENAI, sampling={"max_tokens": 100_000}, api_name="/chat")
    assert service.asked()[-1].body["max_completion_tokens"] == 4_000
    before = len(service.asked())
    for arguments, told in (
        ({"message": "x" * 20_001}, "too long"),
        ({"message": "hi", "system": "x" * 60_000}, "too long"),
        ({"message": "hi", "history": [{"role": "user", "content": "x" * 60_000}]}, "too long"),
        ({"message": "hi", "sampling": {"temperature": True}}, "between 0 and 2"),
    ):
        with pytest.raises(AppError, match=told):
            ann.predict(**{"choice": OPENAI, **arguments}, api_name="/chat")
    assert len(service.asked()) == before
    service.say(Say(calls=(Call("calculate", {"expression": "1+1"}),)))
    with pytest.raises(AppError, match="Stopped after 5"):
        ann.predict("hi", OPENAI, tools=["calculate"], api_name="/chat")


def test_every_way_to_a_model_is_counted(service: Provider, tmp_path: Path) -> None:
    """Chat, compare and brochure spend one budget, which a restart of the app does not renew."""
    limits = {"SWITCHBOARD_DAILY_TOKENS": "9000", "SWITCHBOARD_PUBLIC": "1", "SWITCHBOARD_LONGEST_ANSWER": "2000"}
    service.say(Say(("ok",), usage=(4_000, 1_000)))
    with launched(tmp_path, **limits, **service.environment()) as address:
        client = Client(address, verbose=False)
        assert client.predict("hi", OPENAI, api_name="/chat")["text"] == "ok"
        client.predict("hi", [OPENAI, OLLAMA], api_name="/compare")
        before = len(service.asked())
        with pytest.raises(AppError, match="daily budget is used up"):
            client.predict("hi", OPENAI, api_name="/chat")
        rows = client.predict("hi", [OPENAI, OLLAMA], api_name="/compare")
        assert [row["error"] and "daily budget" in row["error"] for row in rows] == [True, None]
        with pytest.raises(AppError, match="daily budget"):
            client.predict("Tern", "sample", OPENAI, api_name="/brochure")
        with pytest.raises(AppError, match="daily budget"):
            client.predict("The flight", OPENAI, api_name="/next_token")
    with launched(tmp_path, **limits, **service.environment()) as address:
        client = Client(address, verbose=False)
        with pytest.raises(AppError, match="daily budget is used up"):
            client.predict("hi", OPENAI, api_name="/chat")
    assert {request.wire for request in service.asked()[before:]} == {"ollama"}


def test_ten_messages_a_minute(service: Provider, tmp_path: Path) -> None:
    service.say(Say(("ok",)))
    with launched(tmp_path, SWITCHBOARD_PUBLIC="1", **service.environment()) as address:
        client = Client(address, verbose=False)
        for _ in range(10):
            client.predict("hi", OLLAMA, api_name="/chat")
        with pytest.raises(AppError, match="At most 10 messages a minute"):
            client.predict("hi", OLLAMA, api_name="/chat")
        # Also as the number of sessions grows, which a client can do at will.
        others = [Client(address, verbose=False) for _ in range(6)]
        with pytest.raises(AppError, match="messages a minute"):
            for client in others:
                for _ in range(10):
                    client.predict("hi", OLLAMA, api_name="/chat")


def test_models_are_asked_in_one_place_only() -> None:
    """A tab that asked a backend by itself would spend past the budget."""
    asking: dict[str, set[str]] = {"stream": set(), "next_token": set()}
    for path in [*ROOT.glob("core/**/*.py"), *ROOT.glob("tabs/**/*.py")]:
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if re.search(r"\bBackend\b|from backends import", text) else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in asking:
                asking[node.func.attr].add(path.relative_to(ROOT).as_posix())
    assert asking == {"stream": {"core/chat.py"}, "next_token": {"tabs/next_token.py"}}


def chat_event(client: Client, session: str) -> dict[str, Any]:
    place = next(d["id"] for d in client.config["dependencies"] if d["api_name"] == "chat")
    return {"data": ["hi", OPENAI, "", [], {}, []], "fn_index": place, "session_hash": session}


def test_only_so_many_wait(url: str, ann: Client, service: Provider) -> None:
    """Two answers run at once here; of one session two more may wait. Nobody listens, so all are dropped at last."""
    service.say(Say(("word ",) * 1000, pace=0.1))
    service.hung_up.clear()
    _, cookie = login(url, *ANN)
    event = chat_event(ann, "flood")
    before = len(service.asked())
    for _ in range(4):
        assert post(url, "/gradio_api/queue/join", event, Cookie=cookie)[0] == 200
    time.sleep(1.5)
    status, said = post(url, "/gradio_api/queue/join", event, Cookie=cookie)
    assert (status, json.loads(said)["detail"]) == (429, "The app is busy. Try again in a minute.")
    assert post(url, "/gradio_api/queue/join", chat_event(ann, "other"), Cookie=cookie)[0] == 200
    assert service.hung_up.wait(20)
    until = time.monotonic() + 30
    service.say(Say(("Free again.",)))
    while time.monotonic() < until:
        if ann.predict("hi", OPENAI, api_name="/chat")["text"] == "Free again.":
            break
    assert len(service.asked()) - before <= 6


def test_many_who_listen_are_served(url: str, service: Provider) -> None:
    service.script = lambda request: Say((request.prompt,), delay=0.2)
    try:
        with ThreadPoolExecutor(4) as pool:
            clients = [Client(url, auth=ANN, verbose=False) for _ in range(4)]
            said = list(pool.map(lambda c: c.predict("hi", OPENAI, api_name="/chat")["text"], clients))
    finally:
        service.script = service._next
    assert said == ["hi"] * 4


def test_a_knob_that_is_no_number_reaches_no_provider(url: str, service: Provider) -> None:
    """JSON as a client of its own writes it: Python's reads NaN and takes 1e999 for infinity."""
    _, cookie = login(url, *ANN)
    before = len(service.asked())
    for value in ("NaN", "-Infinity", "1e999", "true", '"1"', "[1]", "-0.1"):
        event = f'{{"data": ["hi", "{OPENAI}", "", [], {{"temperature": {value}}}, []]}}'
        kind = {"Content-Type": "application/json", "Cookie": cookie}
        said = ask(url, "POST", "/gradio_api/call/chat", event, **kind)[1]
        told = ask(url, "GET", f"/gradio_api/call/chat/{json.loads(said)['event_id']}", Cookie=cookie)[1]
        assert "Temperature must be between 0 and 2" in told, value
    assert len(service.asked()) == before


async def test_nothing_on_the_page_renders_html_as_it_is() -> None:
    """Gradio's Markdown, chat and toasts are cleaned; these widgets would run what is put into them."""
    import gradio as gr

    from app import build
    from tabs.visiting import Keyring

    drawn = list(build(Keyring()).blocks.values())
    assert not [block for block in drawn if isinstance(block, gr.HTML)]
    assert not [block for block in drawn if isinstance(block, gr.Dataframe) and "html" in block.datatype]
    assert not [block for block in drawn if getattr(block, "sanitize_html", True) is False]


# --- the machine behind it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["/etc", "..", "~", ".", "tests/tiny", "nobody/nothing", str(ROOT / "starter")])
def test_no_folder_and_nothing_new_from_the_hub(ann: Client, model: str) -> None:
    before = time.monotonic()
    for endpoint, arguments in (
        ("/chat", {"message": "hi", "choice": f"local/{model}"}),
        ("/next_token", {"prompt": "hi", "model": f"local/{model}"}),
        ("/tokens", {"text": "hi", "model": f"local/{model}"}),
    ):
        with pytest.raises(AppError, match=r"There is no model|is not on this machine|no tokenizer"):
            ann.predict(**arguments, api_name=endpoint)
    # The Hub is not even asked, which would take half a minute where it cannot be reached.
    assert time.monotonic() - before < 15


def test_what_is_not_for_strangers_is_not_on_the_page(ann: Client) -> None:
    page = json.dumps(ann.config)
    assert "Get another model" not in page
    assert "Download" not in page
    assert "This page is open to others" in page
    assert "daily budget" in page


def test_no_file_of_the_machine_is_served(url: str, ann: Client, folder: Path) -> None:
    _, cookie = login(url, *ANN)
    assert (folder / "data" / "budget.sqlite3").is_file()
    for file in (folder / "data" / "budget.sqlite3", folder / "app.log", Path("/etc/passwd"), ROOT / "core" / "llm.py"):
        assert ask(url, "GET", f"/gradio_api/file={file}", Cookie=cookie)[0] in (403, 404), file
    assert ask(url, "GET", "/gradio_api/deep_link?session_hash=x", Cookie=cookie)[0] == 403
    assert ask(url, "GET", "/monitoring/summary", Cookie=cookie)[0] in (403, 404)


def test_no_handler_runs_past_the_queue(url: str, ann: Client) -> None:
    _, cookie = login(url, *ANN)
    for name in ("chat", "models", "tokens"):
        assert post(url, f"/gradio_api/run/{name}", {"data": []}, Cookie=cookie)[0] in (404, 401), name


def test_other_hosts_and_sites_are_refused_behind_a_login_too(url: str) -> None:
    _, cookie = login(url, *ANN)
    assert ask(url, "GET", "/", Host="attacker.example", Cookie=cookie)[0] == 400
    assert post(url, "/gradio_api/upload", {}, Origin="http://attacker.example", Cookie=cookie)[0] == 403
    assert post(url, "/login", {}, Origin="http://attacker.example")[0] == 403


def test_one_login_sees_nothing_of_another(url: str, service: Provider) -> None:
    def echo(request: Request) -> Say:
        return Say((f"{request.prompt} of {len(request.body['messages'])}",))

    service.script = echo
    try:
        said = [
            Client(url, auth=who, verbose=False).predict(who[0], OPENAI, api_name="/chat")["text"] for who in (ANN, BOB)
        ]
    finally:
        service.script = service._next
    assert said == ["ann of 1", "bob of 1"]


def test_no_password_and_no_key_is_anywhere(url: str, ann: Client, folder: Path) -> None:
    _, cookie = login(url, *ANN)
    seen = "".join(ask(url, "GET", path, Cookie=cookie)[1] for path in ("/", "/config", "/gradio_api/info"))
    kept = "".join(path.read_text("latin-1") for path in folder.rglob("*") if path.is_file())
    assert "Switchboard" in seen
    assert not re.search("canary-|test-key", seen + kept)


def test_an_address_uploads_so_much_an_hour(url: str) -> None:
    _, cookie = login(url, *ANN)
    part = '--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n{}\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x", "Cookie": cookie}
    assert ask(url, "POST", "/gradio_api/upload", part.format("hello"), **kind)[0] == 200
    assert ask(url, "POST", "/gradio_api/upload", part.format("x" * 11_000_000), **kind)[0] == 413
    statuses = [
        ask(url, "POST", "/gradio_api/upload", part.format("x" * 9_000_000), **kind)[0] for _ in range(11)
    ]  # fmt: skip
    assert statuses == [200] * 9 + [429] * 2
    assert ask(url, "POST", "/gradio_api/upload", "", **{**kind, "Transfer-Encoding": "chunked"})[0] == 429


def test_no_other_site_may_frame_the_page(url: str) -> None:
    policy = ask(url, "GET", "/")[2]["content-security-policy"]
    assert "frame-ancestors 'self' https://huggingface.co" in policy


def test_the_image_is_not_roots_and_its_health_check_needs_no_login(url: str) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    path = re.search(r"HEALTHCHECK[^\n]*\n?.*?7860\}([\w/]+)", dockerfile, re.DOTALL)
    assert path
    assert ask(url, "GET", path[1])[0] == 200
    assert re.search(r"^USER 1000$", dockerfile, re.MULTILINE)
    assert ".env" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()


# --- as on a Space ----------------------------------------------------------------------------------------------------


def as_another_user() -> dict[str, Any]:
    """Options of Popen: another user where there is a way to the interpreter for one, else one without privileges."""
    if os.geteuid() != 0:
        return {}
    way = [*Path(sys.executable).resolve().parents, *ROOT.parents]
    if all(step.stat().st_mode & 0o001 for step in way):
        return {"user": 65534, "group": 65534}
    prctl = ctypes.CDLL(None).prctl

    def powerless() -> None:
        for capability in range(64):
            prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: what is executed next has none, as any user

    return {"preexec_fn": powerless}


def test_a_spaces_bucket_is_where_things_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mounted = "/dev/shm"
    assert os.path.ismount(mounted)
    assert _place(True, mounted) == mounted
    assert "bucket of this Space" in caplog.text
    fleeting = Path(_place(True, str(tmp_path)))
    assert fleeting.is_dir()
    assert fleeting != tmp_path
    fleeting.rmdir()


def test_it_starts_as_on_a_space() -> None:
    """Another user, code that cannot be written, no home, a port of the host's choice; and no login is asked for."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "code").mkdir()
        (folder / "tmp").mkdir()
        folder.chmod(0o755)
        (folder / "code").chmod(0o555)
        (folder / "tmp").chmod(0o777)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HF_HUB_OFFLINE")}
        variables = {
            **kept, "PORT": str(port), "SPACE_ID": "somebody/switchboard", "SYSTEM": "spaces",
            "TMPDIR": str(folder / "tmp"), "GRADIO_ANALYTICS_ENABLED": "False",
        }  # fmt: skip
        with running(port, folder / "code", folder / "app.log", variables, **as_another_user()) as address:
            client = Client(address, verbose=False)
            question = "How much is a flight from Delhi to Paris?"
            assert "499" in client.predict(question, tools=["get_ticket_price"], api_name="/chat")["text"]
            assert ask(address, "GET", "/", Host="somebody-switchboard.hf.space")[0] == 200
            assert "This page is open to others" in json.dumps(client.config)
        log = (folder / "app.log").read_text("utf-8")
    assert "Nothing is kept between starts" in log
    # Gradio looks for the package of Spaces' development mode, which every Space has and this machine has not.
    assert "Traceback" not in log.split("hot-reloading in Spaces")[-1]
