"""The app as an MCP server, asked by the protocol's own client."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from core.tools import tools as offered
from tests.live import launched


async def test_the_endpoints_are_tools_of_an_mcp_server(tmp_path: Path) -> None:
    with launched(tmp_path, "--mcp") as url:
        address = f"{url}/gradio_api/mcp/"
        async with streamable_http_client(address) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            # Nothing but the endpoints: no handler of the page, and no key that a visitor has brought.
            assert {"models", "chat", "compare", "next_token", "tokens"} <= set(tools)
            assert not [name for name in tools if name.startswith("_") or "key" in name]
            assert set(tools["chat"].inputSchema["properties"]) >= {"message", "choice", "tools"}
            # What a model may call here, with what it is told about it.
            assert set(offered()) <= set(tools)
            assert tools["get_ticket_price"].inputSchema["properties"].keys() == {"origin", "destination"}
            assert "price of a flight" in (tools["get_ticket_price"].description or "")
            fare = await session.call_tool("get_ticket_price", {"origin": "Delhi", "destination": "Pariss"})
            unknown = await session.call_tool("get_ticket_price", {"origin": "Delhi", "destination": "Atlantis"})
            asked: dict[str, Any] = {"message": "How much is a flight from Delhi to Paris?"}
            told = await session.call_tool("chat", asked | {"tools": ["get_ticket_price"]})
            wrong = await session.call_tool("chat", {"message": " "})
    assert '"price": 499' in fare.content[0].text  # type: ignore[union-attr]
    assert unknown.isError
    assert "No fare is known" in unknown.content[0].text  # type: ignore[union-attr]
    assert not told.isError
    assert "499" in ast.literal_eval(told.content[0].text)["text"]  # type: ignore[union-attr]
    assert wrong.isError
    assert "empty" in wrong.content[0].text  # type: ignore[union-attr]


USERS = {"SWITCHBOARD_USER": "ann", "SWITCHBOARD_PASSWORD": "a long one"}
TOKEN = "canary-4711-canary-4711"


async def test_where_others_log_in_a_client_brings_a_token(tmp_path: Path) -> None:
    with launched(tmp_path, "--mcp", **USERS, SWITCHBOARD_MCP_TOKEN=TOKEN) as url:
        address = f"{url}/gradio_api/mcp/"
        for wrong in ({}, {"authorization": "Bearer canary"}, {"authorization": f"Basic {TOKEN}"}):
            assert httpx.post(address, json={}, headers=wrong, trust_env=False).status_code == 401
            assert httpx.get(f"{url}/config", headers=wrong, trust_env=False).status_code == 401
        bearer = httpx.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60)
        async with (
            bearer,
            streamable_http_client(address, http_client=bearer) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            fare = await session.call_tool("get_ticket_price", {"origin": "Delhi", "destination": "Paris"})
            told = await session.call_tool("chat", {"message": "What can you do?"})
        page = httpx.get(url, trust_env=False)
    assert '"price": 499' in fare.content[0].text  # type: ignore[union-attr]
    assert "built-in model" in ast.literal_eval(told.content[0].text)["text"]  # type: ignore[union-attr]
    assert '"auth_required":true' in page.text.replace(" ", "")
    assert TOKEN not in (tmp_path / "app.log").read_text("utf-8") + page.text
