"""Tokenizers by themselves: read without any weights, kept, and asked what they make of a text."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import accumulate
from typing import Any

from backends._local import LABEL
from backends._local.files import folder
from core.errors import ModelMissing, RequestRefused
from core.hub import is_hub_id
from core.settings import settings
from core.tokens import Token, shown

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")  # How SentencePiece spells a byte that is no character of its own.


@lru_cache(maxsize=8)
def tokenizer(name: str) -> Any:
    """The tokenizer of "starter", of a folder or of a Hub id; of the last it is fetched if it is not here yet.

    A Hub model's tokenizer is a few files of some megabytes; its weights stay where they are. Raises ModelMissing.
    """
    from transformers import AutoTokenizer

    try:
        place = str(folder(name))
    except ModelMissing:
        if settings().public or not is_hub_id(name):
            raise
        place = name
    try:
        return AutoTokenizer.from_pretrained(place, trust_remote_code=False)
    except (OSError, ValueError, ImportError, KeyError) as error:
        happened = "There is no tokenizer of this name that can be read, neither here nor on the Hub."
        raise ModelMissing(LABEL, "Check its id (owner/name), and the network.", happened) from error


def encoded(made_by: Any, text: str, added: bool) -> tuple[Token, ...]:
    """`text` as tokens, with those that the tokenizer adds by itself where `added`. Raises RequestRefused."""
    if not made_by.is_fast:
        raise RequestRefused(LABEL, "Choose another one.", "This tokenizer does not tell where its tokens stand.")
    made = made_by(
        text, add_special_tokens=added, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False
    )
    ids, own = list(made["input_ids"]), [bool(mask) for mask in made["special_tokens_mask"]]
    parts = [b"" if mask else as_bytes(made_by, one) for one, mask in zip(ids, own, strict=True)]
    spans = _exact(text, parts) or _mapped(text, made["offset_mapping"])
    special = {one for one, token in made_by.added_tokens_decoder.items() if token.special}
    written = text.encode()
    return tuple(
        Token(one, spell(made_by, one) if mask else shown(written[start:end]), start, end, mask or one in special)
        for one, mask, (start, end) in zip(ids, own, spans, strict=True)
    )


def _exact(text: str, parts: list[bytes]) -> list[tuple[int, int]]:
    """Where the tokens stand in the UTF-8 of `text`, in bytes, or nothing where they do not spell it out.

    A tokenizer's own offsets are in characters, and say of every part of a character only which character it is.
    """
    joined, written = b"".join(parts), text.encode()
    space = len(joined) - len(written)  # Many tokenizers put a space before the first word.
    if joined not in (written, b" " + written):
        return []
    ends = [max(0, end - space) for end in accumulate(map(len, parts))]
    return list(zip([0, *ends], ends, strict=False))


def _mapped(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The tokenizer's own offsets, from characters to bytes: for those that lower-case or strip what they read."""
    at = [0, *accumulate(len(character.encode()) for character in text)]
    return [(at[start], at[end]) for start, end in offsets]


def as_bytes(made_by: Any, id: int) -> bytes:
    """The UTF-8 bytes that a token stands for; they need not be a whole character."""
    token = str(made_by.convert_ids_to_tokens(id) or "")
    if id in made_by.added_tokens_decoder:
        return token.encode()
    if _is_byte_level(made_by.backend_tokenizer):
        return bytes(_ALPHABET[letter] for letter in token if letter in _ALPHABET)
    if byte := _BYTE.fullmatch(token):
        return bytes([int(byte[1], 16)])
    return token.replace("▁", " ").encode()


def spell(made_by: Any, id: int) -> str:
    """A token as people read it."""
    return shown(as_bytes(made_by, id))


def _is_byte_level(inner: Any) -> bool:
    """Whether each letter of a token is a byte: then there is GPT-2's letter for a space, and not SentencePiece's."""
    return inner.token_to_id("Ġ") is not None and inner.token_to_id("▁") is None


def _alphabet() -> dict[str, int]:
    """GPT-2's letters for the 256 bytes: the printable ones stand for themselves, the others follow from U+0100 on.

    Source: `bytes_to_unicode` in openai/gpt-2, src/encoder.py.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


_ALPHABET = _alphabet()
