"""The network and its tokenizer, untrained: a Marian of few layers for both directions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from core.pipelines.builtin.french import data

LONGEST = 128  # tokens of a sentence


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is trained and how: `share` of the pairs are hand-written, `batch` are tokens with padding."""

    pieces: int = 5997
    width: int = 256
    layers: tuple[int, int] = (5, 2)
    batch: int = 32_000
    rate: float = 1e-3
    warming: int = 1200  # steps until the rate is reached
    share: float = 0.4
    dropout: float = 0.2
    averaged: float = 1 / 3
    seed: int = 1


SMALL = Recipe(pieces=797, width=64, layers=(1, 1), batch=1500, rate=4e-3, warming=100)


def tokenizer(folder: Path, recipe: Recipe) -> Any:
    """The pieces of words that both languages share; learnt, and saved as Marian's tokenizer reads them, if need be."""
    import sentencepiece

    if not (folder / "source.spm").exists():
        _learn_pieces(folder, recipe)
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))


def _learn_pieces(folder: Path, recipe: Recipe) -> None:
    import sentencepiece

    folder.mkdir(parents=True, exist_ok=True)
    hand = [text for pair in data.learnt() for text in pair]
    composed = [text for both in islice(data.forever(0, 0.0), 8 * recipe.pieces) for text in both[0]]
    letters = "".join(map(chr, [*range(33, 127), *range(192, 256)])) + "œŒŸ€…«»"
    # From a file: handed sentences one by one, the trainer has stood still for ever on a machine with Python 3.12.
    text = folder / "sentences.txt"
    text.write_text("\n".join(hand * 2 + composed), "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "source"), vocab_size=recipe.pieces,
        model_type="unigram", character_coverage=1.0, required_chars=letters, split_digits=True, unk_id=1, eos_id=0,
        bos_id=-1, pad_id=-1, num_threads=8, minloglevel=2, normalization_rule_name="nmt_nfkc", hard_vocab_limit=False,
    )  # fmt: skip
    text.unlink()
    (folder / "source.vocab").unlink()
    (folder / "source.model").rename(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = [pieces.id_to_piece(n) for n in range(pieces.get_piece_size())] + [*data.MARKS.values(), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: n for n, name in enumerate(names)}, ensure_ascii=False))
    told = {"tokenizer_class": "MarianTokenizer", "model_max_length": LONGEST, "separate_vocabs": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(told | {"source_lang": "en", "target_lang": "fr"}))


def network(size: int, recipe: Recipe) -> Any:
    """The model, untrained; `size` are the pieces of its vocabulary, marks and padding (the last) with them."""
    import transformers

    width = recipe.width
    config = transformers.MarianConfig(
        vocab_size=size, d_model=width, encoder_layers=recipe.layers[0], decoder_layers=recipe.layers[1],
        encoder_attention_heads=width // 32, decoder_attention_heads=width // 32, encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width, dropout=recipe.dropout, attention_dropout=0.1, activation_function="swish",
        scale_embedding=True, max_position_embeddings=2 * LONGEST, pad_token_id=size - 1, eos_token_id=0,
        bos_token_id=None, decoder_start_token_id=size - 1, forced_eos_token_id=0, use_cache=True,
    )  # fmt: skip
    model = transformers.MarianMTModel(config)
    model.generation_config.update(
        num_beams=4, max_length=None, suppress_tokens=[1, size - 3, size - 2, size - 1], length_penalty=1.0
    )
    return model
