"""The tokenizers of OpenAI's models, by tiktoken: which model has which, and what it makes of a text."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from core.errors import RequestRefused, SetupNeeded
from core.tokens import Token, shown

ABSENT = (
    "OpenAI's tokenizers are files of a few megabytes, fetched once from openaipublic.blob.core.windows.net, and that "
    "failed. Try again with a network, or set TIKTOKEN_CACHE_DIR to tiktoken's cache of another machine."
)


def encoding(label: str, model: str) -> Any:
    """The encoding of a model, or the one of that name. Raises RequestRefused and SetupNeeded."""
    import tiktoken
    from requests import RequestException

    own = model.rpartition("/")[2].removeprefix("ft:")
    try:
        name = own if own in tiktoken.list_encoding_names() else tiktoken.encoding_name_for_model(own)
    except KeyError as error:
        happened = "The tokenizer of this model of {provider} is not public."
        raise RequestRefused(label, "Choose another one, such as openai/gpt-4.1.", happened) from error
    try:
        return tiktoken.get_encoding(name)
    except (RequestException, OSError, ValueError) as error:
        raise SetupNeeded(ABSENT) from error


def encoded(made_by: Any, text: str) -> tuple[Token, ...]:
    """`text` as tokens. What looks like a special token is read as one, as in the models' own prompts."""
    ids = made_by.encode(text, allowed_special="all")
    parts = made_by.decode_tokens_bytes(ids)
    ends = list(accumulate(map(len, parts)))
    return tuple(
        Token(one, shown(part), start, end, made_by.is_special_token(one))
        for one, part, start, end in zip(ids, parts, [0, *ends], ends, strict=False)
    )
