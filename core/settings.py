"""Every setting of the app: one environment variable each, with default and meaning. app.py reads `.env` into them.

Host and port are Gradio's own GRADIO_SERVER_NAME and GRADIO_SERVER_PORT. The variables that hold a provider's key
stand in that provider's row (backends/), because a provider is added in one file; `secret` is how they are read.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.visitors import visitor

log = logging.getLogger(__name__)


class Settings(BaseSettings):
    """One field = one variable, SWITCHBOARD_ in front. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix="SWITCHBOARD_", extra="ignore", frozen=True)

    model: str = Field("local/starter", description="The model chosen when the page opens.")
    providers: str = Field(
        "", description="More OpenAI-compatible servers: JSON, or the path of a JSON file (README: Add a provider)."
    )
    connect_timeout: float = Field(5, gt=0, description="Longest wait for a connection.")
    first_token_timeout: float = Field(120, gt=0, description="Longest wait for a model's first token.")
    read_timeout: float = Field(30, gt=0, description="Longest silence in the middle of an answer.")
    answer_timeout: float = Field(600, gt=0, description="Longest whole answer, tool calls included.")
    list_timeout: float = Field(2, gt=0, description="Longest wait for a provider's list of models.")
    list_lifetime: float = Field(60, ge=0, description="How long a list of models is kept.")
    tool_timeout: float = Field(10, gt=0, description="Longest run of one tool.")
    tool_rounds: int = Field(8, ge=1, description="Most rounds of tool calls in one turn.")
    retries: int = Field(2, ge=0, description="How often a busy provider is asked again.")
    longest_retry_wait: float = Field(60, ge=0, description="A provider that asks for a longer wait is not waited for.")
    longest_message: int = Field(100_000, ge=1, description="Most characters in one message.")
    answers_at_once: int = Field(
        40, ge=1, description="Answers that stream at the same time; others wait in the queue."
    )
    queue_size: int = Field(64, ge=1, description="Requests that may wait; others are told that the app is busy.")
    page_timeout: float = Field(15, gt=0, description="Longest time for one web page, redirects included.")
    page_megabytes: float = Field(5, gt=0, description="Largest web page, decompressed, in MB.")
    file_megabytes: float = Field(10, gt=0, description="Largest file that is read into a knowledge base, in MB.")
    file_timeout: float = Field(30, gt=0, description="Longest time for reading one file.")
    folder_files: int = Field(20_000, ge=1, description="Most files of one folder that are read.")
    upload_files: int = Field(20, ge=1, description="Most files that a visitor may add to a knowledge base.")
    upload_megabytes: float = Field(100, gt=0, description="Most that these files may have together, in MB.")
    crawl_pages: int = Field(200, ge=1, description="Most pages of one site that are read into a knowledge base.")
    data: str = Field("data", description="Folder for what is kept between starts: indexes, jobs, budgets.")
    embedding: str = Field(
        "minilm",
        description="What makes vectors of your own documents: minilm, minilm-int8, st/MODEL here, or PROVIDER/MODEL.",
    )
    vector_store: str = Field(
        "chroma",
        description="Where these are kept: chroma (in `data`), HOST:PORT of a Chroma server, or faiss (memory).",
    )
    jobs_at_once: int = Field(2, ge=1, description="Long works that one visitor may have running.")
    public: bool = Field(False, description="Others may open the page. `--share` and a Space set it by themselves.")
    user: str = Field("", description="The name of the one who may log in. With none, nobody has to.")
    password: SecretStr = Field(SecretStr(""), description="That one's password.")
    users: SecretStr = Field(SecretStr(""), description="More who may log in: `ann:her password, bob:his`.")
    mcp_token: SecretStr = Field(
        SecretStr(""),
        description="The bearer token of an MCP client. `--mcp` needs it where others have to log in.",
    )
    visitor_keys: bool = Field(
        False, description="Visitors may bring their own keys; where nobody has to log in, only those are used."
    )
    messages_a_minute: int = Field(0, ge=0, description="Messages of one visitor. 0: any number; public mode: 10.")
    daily_tokens: int = Field(
        0, ge=0, description="Tokens that all together may spend on your keys in a day. 0: any; public mode: 1,000,000."
    )
    daily_dollars: float = Field(
        0, ge=0, description="US dollars that all together may spend on your keys in a day. 0: any; public mode: 1."
    )
    longest_prompt: int = Field(
        1_000_000, ge=1, description="Most characters sent to a model at once, all told. Public mode: 60,000."
    )
    longest_answer: int = Field(0, ge=0, description="Most tokens of one answer. 0: the model's; public mode: 4,000.")
    hosts: str = Field(
        "localhost,127.0.0.1,[::1],*.gradio.live,*.hf.space",
        description="Host names under which the page may be opened, against DNS rebinding.",
    )


# What holds in public mode unless it is set: a stranger gets less than the owner.
PUBLIC: dict[str, Any] = {
    "longest_message": 20_000, "longest_prompt": 60_000, "longest_answer": 4_000, "tool_rounds": 5, "queue_size": 32,
    "messages_a_minute": 10, "daily_tokens": 1_000_000, "daily_dollars": 1.0,
}  # fmt: skip


@cache
def settings() -> Settings:
    """The settings, read once."""
    found = Settings()
    on_space = bool(os.environ.get("SPACE_ID"))
    changes: dict[str, Any] = {} if "data" in found.model_fields_set else {"data": _place(on_space)}
    if found.public or on_space:
        changes |= {"public": True} | {k: v for k, v in PUBLIC.items() if k not in found.model_fields_set}
    return found.model_copy(update=changes)


def _place(on_space: bool, bucket: str = "/data") -> str:
    """Where to keep what is to be kept, where nothing is set: here, in a Space's bucket, or only until the end."""
    if not on_space and os.access("data" if Path("data").exists() else ".", os.W_OK):
        return "data"
    if on_space and os.path.ismount(bucket) and os.access(bucket, os.W_OK):
        log.warning("What is kept between starts is in %s, the bucket of this Space.", bucket)
        return bucket
    folder = tempfile.mkdtemp(prefix="switchboard-")
    log.warning("Nothing is kept between starts: it is in %s. Set SWITCHBOARD_DATA to a folder that stays.", folder)
    return folder


def accounts() -> dict[str, str]:
    """Names and passwords of those who may log in, nothing where nobody has to. Raises ValueError for a half one."""
    found = settings()
    pairs = [part.strip().partition(":") for part in found.users.get_secret_value().split(",") if part.strip()]
    listed = [(name.strip(), word.strip()) for name, _, word in pairs]
    if found.user or found.password.get_secret_value():
        listed.append((found.user.strip(), found.password.get_secret_value()))
    # A name may become that of a folder.
    if not all(word and re.fullmatch(r"\w[\w.@ -]{0,63}", name) for name, word in listed):
        raise ValueError("Each one who may log in needs a name (letters, digits and . @ - _) and a password.")
    return dict(listed)


def lends() -> bool:
    """Whether visitors use the owner's keys. Where nobody has to log in and they may bring their own, they must."""
    return not (settings().public and settings().visitor_keys and not accounts())


def secret(variable: str) -> str:
    """The key in a provider's variable, the visitor's own if there is one, or "".

    Never put it into a widget, a log, an error text or a file.
    """
    own = visitor().keys.get(variable, "")
    return own or (os.environ.get(variable, "").strip() if lends() else "")
