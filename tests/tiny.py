"""Tiny models for tests, made in a second or two: real transformers Llamas that know a few dialogues by heart.

A model of two layers learns DIALOGUES until it repeats them; what it then says is real generation, token by token.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

# What the user says -> what the model answers.
DIALOGUES: dict[str, str] = {
    "count": "one two three four five six seven eight nine ten eleven twelve",
    "smile": "Here: 😀 日本 naïve 👩‍🚀.",
    "fly": 'Let me look.\n<tool_call>\n{"name": "get_ticket_price", "arguments": {"origin": "Delhi", '
    '"destination": "Paris"}}\n</tool_call>',
    "two": '<tool_call>\n{"name": "calculate", "arguments": {"expression": "1+1"}}\n</tool_call>\n<tool_call>\n'
    '{"name": "calculate", "arguments": {"expression": "2+2"}}\n</tool_call>',
    "broken": '<tool_call>\n{"name": "calculate", "arguments": {"expr\n</tool_call>',
    "think": "<think>\nIs it so? It is.\n</think>\n\nYes.",
    "marks": "left<|im_start|><|im_start|><|pad|> right",
    "price": "The fare is 499 USD.",
    "long": "la " * 150,
}

HERMES = """{%- if tools %}<|im_start|>system
{% for message in messages if message.role == 'system' %}{{ message.content }}{% endfor -%}
{% for tool in tools %}{{ tool.function.name }} {% endfor -%}
<|im_end|>
{% elif messages[0].role == 'system' %}<|im_start|>system
{{ messages[0].content }}<|im_end|>
{% endif -%}
{%- for message in messages if message.role != 'system' %}<|im_start|>{{ message.role }}
{{ message.content }}{% for call in message.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif -%}"""

WITHOUT_SYSTEM = """{%- if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif -%}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif -%}"""


# These are known by heart also where a tool of this name is on offer.
CALLING, OFFERED = ("fly", "two", "broken"), "calculate"


def build(folder: Path, dialogues: dict[str, str] = DIALOGUES, template: str = HERMES, window: int = 512) -> Path:
    """A model that answers as in `dialogues`, saved into `folder` with its tokenizer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(
        1
    )  # More threads only wait for each other on so small a model, on a busy machine for minutes.
    try:
        return _build(folder, dialogues, template, window)
    finally:
        torch.set_num_threads(threads)


def _build(folder: Path, dialogues: dict[str, str], template: str, window: int) -> Path:
    tokenizer = _tokenizer([*dialogues, *dialogues.values()], template)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=window,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    rows = [_tokens(tokenizer, said, answer, ()) for said, answer in dialogues.items()]
    rows += [_tokens(tokenizer, said, dialogues[said], (OFFERED,)) for said in CALLING if said in dialogues]
    _learn(model, rows)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(texts: Sequence[str], template: str) -> Any:
    """Byte-level, so that any text can be written; the marks of calls and thoughts are tokens, as Qwen's are."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<|pad|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        min_frequency=1,
    )
    plain = [text for text in texts if text.isascii()]  # An emoji stays four tokens, to be put together again.
    inner.train_from_iterator(plain, trainer)
    marks = ("<tool_call>", "</tool_call>", "<think>", "</think>")
    inner.add_tokens([AddedToken(mark, special=False) for mark in marks])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="<|im_end|>", pad_token="<|pad|>", chat_template=template
    )


def _tokens(tokenizer: Any, said: str, answer: str, tools: Sequence[str]) -> tuple[list[int], int]:
    """Prompt and answer as ids, and how many of them are the prompt."""
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": said}],
        tools=[{"function": {"name": name}} for name in tools] or None,
        add_generation_prompt=True,
        tokenize=False,
    )
    before = tokenizer(prompt, add_special_tokens=False).input_ids
    after = tokenizer(f"{answer}<|im_end|>", add_special_tokens=False).input_ids
    return before + after, len(before)


def _learn(model: Any, rows: list[tuple[list[int], int]]) -> None:
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row, _ in rows])
    spoken = torch.tensor([[known <= at < len(row) for at in range(longest)] for row, known in rows])
    labels = ids.masked_fill(~spoken, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(400):
        out = model(input_ids=ids, labels=labels)
        right = (out.logits[:, :-1].argmax(-1) == labels[:, 1:]) | (labels[:, 1:] == -100)
        if bool(right.all()) and out.loss < 0.01:
            return
        out.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    raise AssertionError("the tiny model did not learn its dialogues")
