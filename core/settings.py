"""Every setting of the app: one environment variable each, with default and meaning. app.py reads `.env` into them.

Host and port are Gradio's own GRADIO_SERVER_NAME and GRADIO_SERVER_PORT. The variables that hold a provider's key
stand in that provider's row (backends/), because a provider is added in one file; `secret` is how they are read.
"""

from __future__ import annotations

import os
from functools import cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    data: str = Field("data", description="Folder for what is kept between starts: indexes, jobs, budgets.")
    jobs_at_once: int = Field(2, ge=1, description="Long works that one visitor may have running.")
    hosts: str = Field(
        "localhost,127.0.0.1,[::1],*.gradio.live,*.hf.space",
        description="Host names under which the page may be opened, against DNS rebinding.",
    )


@cache
def settings() -> Settings:
    """The settings, read once."""
    return Settings()


def secret(variable: str) -> str:
    """The value of a provider's key variable, or "". Never put it into a widget, a log, an error text or a file."""
    return os.environ.get(variable, "").strip()
