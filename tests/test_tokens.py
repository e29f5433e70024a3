"""Tokens with their ids and bytes, by real tokenizers of every kind; chat templates; tiktoken without a network."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from backends._local.words import encoded, spell, tokenizer
from backends._openai import words as openai_words
from backends.local import Local
from backends.openai import backends as openai
from core.errors import ModelMissing, RequestRefused, SetupNeeded
from core.llm import Message, Price
from core.tokens import Renders, Token, Tokenizes, share, shown
from tabs.template import conversation
from tabs.tokenizing import coloured, facts
from tests import tiny

TEXTS = ["", "Hello", " two  spaces ", "naïve café", "日本 😀 👩‍🚀", "a\nb\t\r\n", "1000 10,000", "<|im_end|> typed"]


def byte_level() -> Any:
    return tiny._tokenizer(["Hello naive two spaces 1000"], tiny.HERMES)


def sentence_piece() -> Any:
    """As Llama 2's: a space is ▁, one stands before the text, and bytes that are no piece are written <0xE2>."""
    pieces = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdefghijklmnopqrstuvwxyzH10,"]
    inner = Tokenizer(models.BPE({p: n for n, p in enumerate(pieces)}, [], unk_token="<unk>", byte_fallback=True))
    inner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    inner.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    inner.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    inner.add_special_tokens([AddedToken("<s>"), AddedToken("<|im_end|>")])
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>")


def word_piece() -> Any:
    """As BERT's: everything in lower case, and the text cannot be put together again."""
    vocabulary = {t: n for n, t in enumerate(["[UNK]", "[CLS]", "[SEP]", "hello", "caf", "##e", "two", "space", "##s"])}
    inner = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    inner.normalizer = normalizers.BertNormalizer(lowercase=True)
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=inner, cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]")


# SentencePiece puts another space behind a special token, which then stands for no byte of the text.
CASES = [(byte_level, text) for text in TEXTS] + [(sentence_piece, text) for text in TEXTS[:-1]]


@pytest.mark.parametrize(("make", "text"), CASES)
def test_the_bytes_of_all_tokens_are_the_text(make: Any, text: str) -> None:
    written = text.encode()
    found = [token for token in encoded(make(), text, True) if token.end > token.start]
    assert b"".join(written[token.start : token.end] for token in found) == written
    assert found == sorted(found, key=lambda token: token.start)


def test_parts_of_a_character_have_their_own_bytes() -> None:
    for make in (byte_level, sentence_piece):
        parts = [token for token in encoded(make(), "é", False) if token.end > token.start]
        assert [(token.text, token.start, token.end) for token in parts] == [("<0xC3>", 0, 1), ("<0xA9>", 1, 2)]


def test_ids_are_the_tokenizers_own() -> None:
    made_by = byte_level()
    assert [token.id for token in encoded(made_by, "Hello 1000", True)] == made_by("Hello 1000").input_ids


def test_added_tokens_are_special_and_take_no_place() -> None:
    first, *rest = encoded(sentence_piece(), "ab", True)
    assert first == Token(1, "<s>", 0, 0, special=True)
    assert not any(token.special for token in rest)
    assert encoded(sentence_piece(), "ab", False) == tuple(rest)


def test_a_special_token_that_is_typed_is_marked() -> None:
    found = [token for token in encoded(byte_level(), "x<|im_end|>y", True) if token.special]
    assert [(token.text, token.start, token.end) for token in found] == [("<|im_end|>", 1, 11)]


def test_a_tokenizer_that_changes_the_text_still_tells_places() -> None:
    found = encoded(word_piece(), "Hello Café", True)
    assert [(t.text, t.start, t.end, t.special) for t in found] == [
        ("[CLS]", 0, 0, True), ("Hello", 0, 5, False), ("Caf", 6, 9, False), ("é", 9, 11, False), ("[SEP]", 0, 0, True),
    ]  # fmt: skip


def test_bytes_that_are_no_character_are_shown_as_numbers() -> None:
    assert shown("😀".encode()) == "😀"
    assert shown("😀".encode()[:2]) == "<0xF0><0x9F>"
    made_by = byte_level()
    assert spell(made_by, made_by.convert_tokens_to_ids("Ġ")) == " "


# --- backends ---------------------------------------------------------------------------------------------------------


def test_a_folder_that_holds_a_tokenizer_and_no_model_will_do(tmp_path: Path) -> None:
    byte_level().save_pretrained(tmp_path)
    found = asyncio.run(Local().tokens(str(tmp_path), "Hello"))
    assert "".join(token.text for token in found) == "Hello"


def test_a_tokenizer_that_is_nowhere_is_missing() -> None:
    for name in ("nobody/nothing", "no-such-thing"):
        with pytest.raises(ModelMissing):
            asyncio.run(Local().tokens(name, "x"))


def test_a_tokenizer_is_read_once(tmp_path: Path) -> None:
    byte_level().save_pretrained(tmp_path)
    assert tokenizer(str(tmp_path)) is tokenizer(str(tmp_path))


def test_a_chat_is_written_by_the_template(tmp_path: Path) -> None:
    byte_level().save_pretrained(tmp_path)
    local = Local()
    assert isinstance(local, Renders)
    text = asyncio.run(local.rendered(str(tmp_path), conversation("Be brief.", "user: Hi\nassistant: Yes?\nuser: So")))
    turns = (("system", "Be brief."), ("user", "Hi"), ("assistant", "Yes?"), ("user", "So"))
    written = "".join(f"<|im_start|>{role}\n{said}<|im_end|>\n" for role, said in turns)
    assert text == f"{written}<|im_start|>assistant\n"


def test_turns_are_read_as_people_write_them() -> None:
    assert conversation("", "user: a\nb: c\n\nassistant: d") == (Message("user", "a\nb: c"), Message("assistant", "d"))
    assert conversation(" s ", "no role") == (Message("system", "s"), Message("user", "no role"))
    assert conversation("", "") == ()


# --- tiktoken ---------------------------------------------------------------------------------------------------------


def tiny_encoding() -> Any:
    """A real tiktoken encoding; OpenAI's own vocabularies are not part of the package."""
    import tiktoken

    ranks = {bytes([byte]): byte for byte in range(256)} | {b"He": 256, b"Hel": 257, b" w": 258}
    return tiktoken.Encoding("tiny", pat_str=r" ?\w+|\s+|.", mergeable_ranks=ranks, special_tokens={"<|end|>": 300})


@pytest.mark.parametrize("text", TEXTS)
def test_tiktokens_tokens_are_the_text_too(text: str) -> None:
    found, written = openai_words.encoded(tiny_encoding(), text), text.encode()
    assert b"".join(written[token.start : token.end] for token in found) == written


def test_tiktokens_special_tokens_are_marked() -> None:
    found = openai_words.encoded(tiny_encoding(), "Hel w😀<|end|>")
    assert [(t.id, t.text, t.special) for t in found if t.id >= 256] == [
        (257, "Hel", False), (258, " w", False), (300, "<|end|>", True),
    ]  # fmt: skip
    assert [t.text for t in found if "<0x" in t.text] == ["<0xF0>", "<0x9F>", "<0x98>", "<0x80>"]


async def test_without_a_network_openais_tokenizer_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    remote = openai()[0]
    assert isinstance(remote, Tokenizes)
    with pytest.raises(SetupNeeded, match="TIKTOKEN_CACHE_DIR"):
        await remote.tokens("o200k_base", "x")
    with pytest.raises(RequestRefused, match="not public"):
        await remote.tokens("llama-3.3-70b", "x")


# --- the page ---------------------------------------------------------------------------------------------------------


def test_neighbours_have_other_colours_and_long_texts_are_cut_short() -> None:
    many = tuple(Token(1, "x\n", n, n + 1) for n in range(2000))
    pieces = coloured(many)
    assert len(pieces) == 1501
    assert all(one[1] != other[1] for one, other in pairwise(pieces))
    assert pieces[0][0] == "x⏎\n"
    assert "500 more" in pieces[-1][0]
    assert coloured((Token(1, "<s>", 0, 0, True),)) == [("<s>", "special")]


def test_figures_count_characters_by_token() -> None:
    found = (Token(1, "<s>", 0, 0, True), Token(2, "Hel", 0, 3), Token(3, "lo", 3, 5))
    assert facts(found, "Hello") == "**3 tokens** (1 special) · 5 characters · 2.50 characters a token"
    assert facts((), "") == "**0 tokens** · 0 characters"


def test_a_share_is_of_price_and_window() -> None:
    assert share("a/b", Price(2, 8), 1000, 500).cost == pytest.approx(0.001)
    assert share("a/b", Price(2, 8), 1000, 500).fraction == 0.5
    assert (share("a/b", None, None, 5).cost, share("a/b", None, None, 5).fraction) == (None, None)
