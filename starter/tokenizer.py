"""The tokenizer and its chat template: how a conversation becomes tokens.

Names must be copied token by token, so the same name has to be the same tokens wherever it stands: after a space, after
a quote, in lower case. Hence a word is its first letter (with the space before it) and then its tail, and digits stand
alone. A few hundred everyday words are whole tokens, which keeps prompts short.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from starter.data.words import words

HERE = Path(__file__).parent
PAD, END = "<|pad|>", "<|end|>"
ROLES = ("<|system|>", "<|tools|>", "<|user|>", "<|assistant|>", "<|tool|>")
CALL, CALL_END = "<tool_call>", "</tool_call>"
SPECIAL = (PAD, END, *ROLES)

RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|assistant|>",
    "fields": {
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>",
            "close": CALL_END,
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"\s*<\|end\|>", "content": "text"},
    },
}


def split_pattern() -> str:
    """Where merges may not cross: everyday words, JSON glue, first letters, tails, digits, spaces, anything else."""
    tails: dict[str, list[str]] = {}
    for word in sorted(words("common"), key=len, reverse=True):
        tails.setdefault(word[0], []).append(word[1:])
    # By first letter: at each word a splitter tries the few that begin like it, and takes a quarter less time.
    everyday = "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in tails.items())
    glue = r'\{"name": "|", "arguments": \{"|": \{"|": "|", "|": |"\}\}|"\}|\{"'
    return rf" (?:{everyday})(?![A-Za-z])|{glue}|(?<=[A-Za-z])[a-z]+| ?[A-Za-z]|\d|\n+| +|[^\sA-Za-z\d]"


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """A byte-level BPE of `vocabulary` tokens, the markers among them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split_pattern()), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - 2,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # Not "special": they must survive a decode that drops special tokens, or a tool call would read as plain text.
    tokenizer.add_tokens([AddedToken(CALL, special=False), AddedToken(CALL_END, special=False)])
    return tokenizer


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The number of a token that must be there."""
    found = tokenizer.token_to_id(token)
    if found is None:
        raise ValueError(f"The tokenizer has no token {token}.")
    return int(found)


def save_tokenizer(tokenizer: Tokenizer, folder: Path, context: int) -> None:
    """Write tokenizer.json and tokenizer_config.json with the chat template and the response template in it."""
    from transformers import PreTrainedTokenizerFast

    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        extra_special_tokens=list(ROLES),
        model_max_length=context,
        clean_up_tokenization_spaces=False,
        chat_template=(HERE / "chat_template.jinja").read_text(encoding="utf-8"),
        response_template=RESPONSE_TEMPLATE,
    )
    fast.save_pretrained(folder)
