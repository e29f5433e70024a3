"""A loopback provider: a server that speaks OpenAI's, Anthropic's and Ollama's wire format, as a test scripts it.

    with Provider() as service:
        service.say(Say(("One", "Two")))          # the next answer; several are given in order, the last one for ever
        service.script = lambda request: Say((request.prompt,))     # or: an answer for each request, for several users
        os.environ.update(service.environment())  # OPENAI_BASE_URL, ANTHROPIC_BASE_URL, OLLAMA_HOST and keys
        service.asked()                           # the requests for answers: wire, path, headers, body, prompt
        service.hung_up.wait(1)                   # whether the app left before the answer was whole; `left_at`: when

Vectors of texts count their letters, as `letters` does; replies in `service.embedding` go before them.
`Say` is an answer, `Refuse` an HTTP error, `Raw` any body with status 200. A request that the real service would
refuse is answered with 400 (wire_rules.py). It imports nothing of the app.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tests.wire_rules import broken_rules

Wire = Literal["openai", "claude", "ollama"]
Ending = Literal["finish", "eof", "cut", "broken", "error", "silence"]


@dataclass(frozen=True)
class Call:
    """A tool call. `arguments` as text goes out as it is, valid JSON or not."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    id: str = "call_1"

    @property
    def text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True)
class Say:
    """One answer: thinking, then the pieces of text, then tool calls, then `then`.

    `delay` and `pace` are seconds before the first piece and after each piece. `stop` is the wire's own word for why
    it ended, None for the natural one. `error` is the error object of `then="error"`. `usage` is (input, output).
    """

    pieces: tuple[str, ...] = ()
    thinking: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    usage: tuple[int, int] | None = (11, 7)
    stop: str | None = None
    delay: float = 0
    pace: float = 0
    then: Ending = "finish"
    error: Any = None


@dataclass(frozen=True)
class Refuse:
    """An HTTP error."""

    status: int
    body: Any = field(default_factory=lambda: {"error": {"message": "refused"}})
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Status 200 and any body; with `then` silence after it instead of its end."""

    body: str = "<html>Welcome!</html>"
    type: str = "text/event-stream"
    then: Literal["finish", "silence"] = "finish"


Reply: TypeAlias = Say | Refuse | Raw


@dataclass(frozen=True)
class Request:
    """What the app asked. `body` is the JSON it sent, `at` the time (time.monotonic)."""

    wire: Wire
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    at: float

    @property
    def prompt(self) -> str:
        """The user's last message."""
        said = [m for m in self.body.get("messages", ()) if m["role"] == "user"][-1]["content"]
        return said if isinstance(said, str) else "".join(block.get("text", "") for block in said)


ANSWERS: Mapping[str, Wire] = {"/v1/chat/completions": "openai", "/v1/messages": "claude", "/api/chat": "ollama"}


class Provider:
    """The server, in a thread of its own. `models` are offered by every wire's listing."""

    def __init__(self) -> None:
        self.models = ["gpt-4.1", "claude-haiku-4-5", "llama3.2:3b"]
        self.script: Callable[[Request], Reply] = self._next
        self.listing: Reply | None = None
        self.abilities = ["completion", "tools", "thinking"]
        self.family = "llama"
        self.context_length = 8192
        self.loaded: list[Mapping[str, Any]] = []
        self.pull: Reply | None = None
        self.embedding: list[Reply] = []
        self.claude_models: list[Mapping[str, Any]] | None = None
        self.requests: list[Request] = []
        self.hung_up = threading.Event()
        self.left_at = 0.0
        self.url = ""
        self._replies: list[Reply] = [Say(("Hello", " there"))]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def say(self, *replies: Reply) -> None:
        """Answer the coming requests with these, in order; the last one again and again."""
        self._replies = list(replies)

    def asked(self) -> list[Request]:
        """The requests for an answer, without those for lists and facts."""
        return [request for request in self.requests if request.path in ANSWERS]

    def environment(self) -> dict[str, str]:
        """What makes the app use this server for everything."""
        return {
            "OPENAI_BASE_URL": f"{self.url}/v1",
            "OPENAI_API_KEY": "test-key-openai",
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": "test-key-anthropic",
            "OLLAMA_HOST": self.url,
        }

    def __enter__(self) -> Provider:
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _next(self, _: Request) -> Reply:
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    # --- one connection ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read(reader)
            self.requests.append(request)
            answering = asyncio.create_task(self._answer(request, writer))
            leaving = asyncio.create_task(reader.read(1))
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                self.left_at = time.monotonic()
                self.hung_up.set()
            answering.cancel()
            leaving.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if request.path in ANSWERS:
            wrong = broken_rules(request.wire, request.body)
            reply = Refuse(400, {"error": {"message": f"broken rules: {wrong}"}}) if wrong else self.script(request)
        elif request.path == "/api/pull":
            reply = self.pull or Raw("\n".join(map(json.dumps, PULL)), "application/x-ndjson")
        elif request.path in VECTORS:
            vectors = Raw(json.dumps(_vectors(request)), "application/json")
            reply = self.embedding.pop(0) if self.embedding else vectors
        else:
            reply = self.listing or Raw(json.dumps(self._facts(request)), "application/json")
        match reply:
            case Refuse(status, body, headers):
                _head(writer, status, "application/json", headers)
                await _send(writer, (body if isinstance(body, str) else json.dumps(body)).encode())
            case Raw(body, kind, then):
                _head(writer, 200, kind)
                await _send(writer, body.encode())
                if then == "silence":
                    await asyncio.Event().wait()
            case Say():
                if not await _stream(request.wire, reply, writer):
                    return
        await _send(writer, b"")

    def _facts(self, request: Request) -> Any:
        """What the lists and questions beside the answers say."""
        names = self.models
        match request.path:
            case "/v1/models" if request.wire == "claude":
                return {"data": self.claude_models or [{"type": "model", "id": name} for name in names]}
            case "/v1/models":
                return {"object": "list", "data": [{"id": n, "created": i} for i, n in enumerate(names)]}
            case "/api/tags":
                return {"models": [{"model": name, "details": {"family": self.family}} for name in names]}
            case "/api/ps":
                return {"models": self.loaded}
            case "/api/show":
                facts = {"general.architecture": self.family, f"{self.family}.context_length": self.context_length}
                return {
                    "capabilities": self.abilities, "model_info": facts, "details": {"family": self.family},
                }  # fmt: skip
        raise AssertionError(f"nobody asks for {request.path}")


VECTORS = ("/v1/embeddings", "/api/embed")


def letters(text: str) -> list[float]:
    """The vector of a text, not of unit length: how often it has each letter."""
    return [float(text.lower().count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"]


def _vectors(request: Request) -> Mapping[str, Any]:
    rows = [letters(text) for text in request.body["input"]]
    if request.wire == "ollama":
        return {"model": request.body["model"], "embeddings": rows}
    data = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)]
    # A server may give them in any order.
    return {"object": "list", "model": request.body["model"], "data": data[::-1]}


PULL = (
    {"status": "pulling manifest"},
    {"status": "pulling a1", "digest": "a1", "total": 100, "completed": 50},
    {"status": "pulling a1", "digest": "a1", "total": 100, "completed": 100},
    {"status": "verifying sha256 digest"},
    {"status": "success"},
)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    sent = await reader.readexactly(int(headers.get("content-length", 0)))
    path = first.split()[1].partition("?")[0]
    wire: Wire = "ollama" if path.startswith("/api/") else "claude" if "anthropic-version" in headers else "openai"
    return Request(wire, path, headers, json.loads(sent or "{}"), time.monotonic())


def _head(writer: asyncio.StreamWriter, status: int, kind: str, headers: Mapping[str, str] | None = None) -> None:
    lines = {"content-type": kind, "transfer-encoding": "chunked", "connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} -\r\n{head}\r\n".encode())


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """One chunk; the empty one is the regular end."""
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def _stream(wire: Wire, say: Say, writer: asyncio.StreamWriter) -> bool:
    """Send an answer; False when the connection was cut in the middle."""
    begin, finish, broken, error = FORMATS[wire](say)
    await asyncio.sleep(say.delay)
    _head(writer, 200, "application/x-ndjson" if wire == "ollama" else "text/event-stream")
    for piece in begin:
        await _send(writer, piece)
        await asyncio.sleep(say.pace)
    match say.then:
        case "finish":
            await _send(writer, b"".join(finish))
        case "broken":
            await _send(writer, broken)
        case "error":
            await _send(writer, error)
        case "cut":
            writer.transport.abort()
        case "silence":
            await writer.drain()
            await asyncio.sleep(3600)
    return say.then != "cut"


# --- the three wire formats: what comes before the end, the end, a broken event, an error event -----------------------

Format: TypeAlias = tuple[list[bytes], list[bytes], bytes, bytes]


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def _openai(say: Say) -> Format:
    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        return _sse({"object": "chat.completion.chunk", "choices": [_choice(delta, finish)]})

    begin = [chunk({"role": "assistant", "content": ""})]
    begin += [chunk({"reasoning_content": text}) for text in say.thinking]
    begin += [chunk({"content": text}) for text in say.pieces]
    for index, call in enumerate(say.calls):
        begin.append(chunk({"tool_calls": [_part(index, id=call.id, function={"name": call.name, "arguments": ""})]}))
    # Parallel calls come in turns, so that whoever joins them by order alone fails.
    for half in (0, 1):
        for index, call in enumerate(say.calls):
            begin.append(chunk({"tool_calls": [_part(index, function={"arguments": _halves(call.text)[half]})]}))
    finish = [chunk({}, say.stop or ("tool_calls" if say.calls else "stop"))]
    if say.usage:
        counts = {"prompt_tokens": say.usage[0], "completion_tokens": say.usage[1], "total_tokens": sum(say.usage)}
        finish.append(_sse({"choices": [], "usage": counts}))
    return begin, [*finish, b"data: [DONE]\n\n"], b'data: {"choices": [\n\n', _sse({"error": say.error})


def _choice(delta: Mapping[str, Any], finish: str | None) -> Mapping[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _part(index: int, **fields: Any) -> Mapping[str, Any]:
    return {"index": index, **fields}


def _claude(say: Say) -> Format:
    usage = say.usage or (0, 0)
    start = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    begin = [_event("message_start", message=start | {"usage": {"input_tokens": usage[0], "output_tokens": 1}})]
    blocks: list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]] = []
    if say.thinking:
        thoughts: list[Mapping[str, Any]] = [{"type": "thinking_delta", "thinking": text} for text in say.thinking]
        signed = [*thoughts, {"type": "signature_delta", "signature": "c2lnbmVk"}]
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, signed))
    if say.pieces:
        blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in say.pieces]))
    for call in say.calls:
        halves: list[Mapping[str, Any]] = [
            {"type": "input_json_delta", "partial_json": half} for half in _halves(call.text)
        ]
        blocks.append(({"type": "tool_use", "id": call.id, "name": call.name, "input": {}}, halves))
    for index, (block, deltas) in enumerate(blocks):
        begin += _block(index, block, deltas)
    stop = say.stop or ("tool_use" if say.calls else "end_turn")
    delta = {"stop_reason": stop, "stop_sequence": None}
    finish = [_event("message_delta", delta=delta, usage={"output_tokens": usage[1]}), _event("message_stop")]
    return begin, finish, b'event: message_delta\ndata: {"type": \n\n', _event("error", error=say.error)


def _block(index: int, block: Mapping[str, Any], deltas: list[Mapping[str, Any]]) -> Iterator[bytes]:
    yield _event("content_block_start", index=index, content_block=block)
    yield from (_event("content_block_delta", index=index, delta=delta) for delta in deltas)
    yield _event("content_block_stop", index=index)


def _ollama(say: Say) -> Format:
    def line(message: Mapping[str, Any], **fields: Any) -> bytes:
        return (json.dumps({"model": "m", "message": {"role": "assistant", **message}, **fields}) + "\n").encode()

    begin = [line({"content": "", "thinking": text}, done=False) for text in say.thinking]
    begin += [line({"content": text}, done=False) for text in say.pieces]
    if say.calls:
        calls = [{"function": {"name": call.name, "arguments": call.arguments}} for call in say.calls]
        begin.append(line({"content": "", "tool_calls": calls}, done=False))
    counts = {"prompt_eval_count": say.usage[0], "eval_count": say.usage[1]} if say.usage else {}
    finish = [line({"content": ""}, done=True, done_reason=say.stop or "stop", **counts)]
    said = say.error.get("message", "") if isinstance(say.error, Mapping) else say.error
    return begin, finish, b'{"model": "m", "mess\n', json.dumps({"error": said}).encode() + b"\n"


FORMATS: Mapping[Wire, Callable[[Say], Format]] = {"openai": _openai, "claude": _claude, "ollama": _ollama}


def _sse(data: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\n".encode() + _sse({"type": kind, **fields})
