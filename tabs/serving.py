"""How the page is served: who may open it, what a browser may load from it, and how much runs at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from core import jobs
from core.settings import accounts, settings
from tabs.assets import Assets, first
from tabs.guard import Audience, Guard, address
from tabs.head import CHOSEN
from tabs.language import Spoken
from tabs.later import Switchboard
from tabs.login import NOTE, Login
from tabs.scrolling import REACHED
from tabs.texts import translate
from tabs.theme import theme
from tabs.tooling import lets_in, tool_endpoints
from tabs.visiting import Keyring, carry


def serve(page: Switchboard, keyring: Keyring, **changes: Any) -> None:
    """Queue and launch `page` until it is ended. `changes` are options of Gradio; the defaults and reasons are here."""
    limits = settings()
    audience = Audience()
    if changes.get("mcp_server"):
        with page:
            tool_endpoints()
    carry(page, keyring, audience)
    translate(page)
    jobs.recover()
    # Gradio's default is one run per event: the second user would wait for the first one's whole answer.
    # `api_open=False` closes the way around the queue.
    page.queue(default_concurrency_limit=20, max_size=limits.queue_size, api_open=False)
    token = limits.mcp_token.get_secret_value() if changes.get("mcp_server") else ""
    guard = Middleware(Guard, queue=page._queue, audience=audience, token=token)
    needed = first(page.kinds())
    middle = [Middleware(Assets, first=needed), guard, Middleware(Spoken, first=needed)]
    # A check of the machine's own health comes to its own address, which no name can be made to mean.
    hosts = [*(host.strip() for host in limits.hosts.split(",")), "127.0.0.1"]
    options: dict[str, Any] = {
        "server_port": int(os.environ["PORT"]) if os.environ.get("PORT") else None,
        "share": False,
        "auth": _login(),
        "auth_message": NOTE,
        # Every streaming event holds one of these, so it must be well above the answers that run at once.
        "max_threads": limits.answers_at_once * 2 + 40,
        "state_session_capacity": 500,
        "max_file_size": "10mb",
        # Gradio would serve any file below the working directory that a handler names.
        "blocked_paths": [str(Path(limits.data).absolute())],
        # The history of runs and the monitoring page would show what visitors typed.
        "run_history": False,
        "enable_monitoring": False,
        "show_error": False,
        "ssr_mode": False,
        "pwa": False,
        "footer_links": ["api", "gradio", "settings"],
        "css_paths": Path(__file__).with_name("style.css"),
        "theme": theme(),
        "js": f"() => {{ ({CHOSEN})(); ({REACHED})(); }}",
        "app_kwargs": {"middleware": [Middleware(TrustedHostMiddleware, allowed_hosts=hosts), *middle]},
    }
    page.launch(**(options | changes), prevent_thread_lock=True)
    # A shared page would load its scripts from a server of Gradio. From here on, it is the same as on this machine.
    page.share = False
    if token:
        lets_in(page, token)
    page.block_thread()


def _login() -> Any:
    """What Gradio asks about a name and a password, None where nobody has to log in."""
    known = accounts()
    if not known:
        return None
    login = Login(known)

    async def allows(name: str, password: str) -> bool:
        return login.allows(name, password, address.get())

    return allows
