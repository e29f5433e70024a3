"""Models of real architectures, as small as can be, made in a second: what they say is chance, or set by hand."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
import transformers as hf

WORDS = (
    "alice", "bob", "went", "to", "paris", "and", "rome", "with", "acme", "we", "love", "hate", "this",
    "film", "the", "a", "is", "was", "in", "of", "not", "very", "good", "bad",
)  # fmt: skip
NAMES = {"alice": "PER", "bob": "PER", "paris": "LOC", "rome": "LOC", "acme": "ORG"}
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"]


def bert_tokenizer(window: int = 512) -> Any:
    letters = [chr(code) for code in range(97, 123)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *letters, *(f"##{one}" for one in letters)]
    pieces += [".", ",", "!", "?", "'", "-", "😀"]
    return hf.BertTokenizer(vocab={one: n for n, one in enumerate(dict.fromkeys(pieces))}, model_max_length=window)


def classifier(folder: Path, lacking: int = 0, window: int = 512, labels: tuple[str, ...] = ("BAD", "GOOD")) -> Path:
    """A DistilBERT with random weights; the tokenizer's last tokens, `lacking`, have no embedding and make it fail."""
    torch.manual_seed(0)
    tokenizer = bert_tokenizer(window)
    config = hf.DistilBertConfig(
        vocab_size=len(tokenizer) - lacking, dim=32, n_layers=2, n_heads=2, hidden_dim=64,
        max_position_embeddings=window, id2label=dict(enumerate(labels)),
        label2id={label: n for n, label in enumerate(labels)},
    )  # fmt: skip
    return _saved(hf.DistilBertForSequenceClassification(config), tokenizer, folder)


def namer(folder: Path, window: int = 64) -> Path:
    """A BERT that knows the names of NAMES, each by its token alone, whatever stands around it."""
    torch.manual_seed(0)
    tokenizer = bert_tokenizer(window)
    config = hf.BertConfig(
        vocab_size=len(tokenizer), hidden_size=256, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=window, id2label=dict(enumerate(TAGS)), label2id={t: n for n, t in enumerate(TAGS)},
    )  # fmt: skip
    model = hf.BertForTokenClassification(config)
    with torch.no_grad():
        layer, embeddings = model.bert.encoder.layer[0], model.bert.embeddings
        for silent in (layer.attention.output.dense, layer.output.dense):
            silent.weight.zero_()
            silent.bias.zero_()
        embeddings.position_embeddings.weight.zero_()
        embeddings.word_embeddings.weight.normal_()
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.tensor([10.0] + [0.0] * 6))
        for name, kind in NAMES.items():
            place = tokenizer.convert_tokens_to_ids(name)
            seen = embeddings(torch.tensor([[place]]))[0, 0]
            model.classifier.weight[TAGS.index(f"B-{kind}")] += seen / seen.norm() ** 2 * 20
    return _saved(model, tokenizer, folder)


def marian(folder: Path) -> Path:
    """A MarianMT with random weights and a real SentencePiece tokenizer."""
    import sentencepiece

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    corpus = folder.parent / "corpus.txt"
    corpus.write_text("\n".join(" ".join(WORDS[n:] + WORDS[:n]) + ". Good! Why?" for n in range(len(WORDS))))
    for name in ("source", "target"):
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=str(folder / name), vocab_size=80, model_type="unigram",
            hard_vocab_limit=False, minloglevel=2,
        )  # fmt: skip
        (folder / f"{name}.model").rename(folder / f"{name}.spm")
    read = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    pieces = ["</s>", "<unk>", *(read.id_to_piece(n) for n in range(3, read.get_piece_size())), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: n for n, piece in enumerate(dict.fromkeys(pieces))}))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*sacremoses")
        tokenizer = hf.MarianTokenizer(
            str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"), model_max_length=128
        )
    config = hf.MarianConfig(
        vocab_size=len(tokenizer), d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=128,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=0, decoder_start_token_id=tokenizer.pad_token_id,
        forced_eos_token_id=0, num_beams=2,
    )  # fmt: skip
    return _saved(hf.MarianMTModel(config), tokenizer, folder)


def nllb(folder: Path) -> Path:
    """An M2M100 with random weights and a tokenizer whose languages are told as NLLB's are."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(0)
    codes = ["eng_Latn", "fra_Latn", "deu_Latn"]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *WORDS, *codes]
    inner = Tokenizer(models.WordLevel({piece: n for n, piece in enumerate(pieces)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = hf.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>",
        extra_special_tokens=codes, model_max_length=128,
    )  # fmt: skip
    config = hf.M2M100Config(
        vocab_size=len(tokenizer), d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=128,
        pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
    )  # fmt: skip
    return _saved(hf.M2M100ForConditionalGeneration(config), tokenizer, folder)


def painter(folder: Path) -> Path:
    """A Stable Diffusion with random weights: 64 by 64 pixels from latents of 8 by 8."""
    import diffusers

    from core.pipelines.builtin.shapes import networks

    torch.manual_seed(0)
    tokenizer = networks.tokenizer()
    parts = {
        "vae": diffusers.AutoencoderKL(
            sample_size=64, block_out_channels=(8, 8, 16, 16), layers_per_block=1, norm_num_groups=4,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4,
        ),
        "tokenizer": tokenizer,
        "text_encoder": networks.text_encoder(len(tokenizer)),
        "unet": diffusers.UNet2DConditionModel(
            sample_size=8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(16, 32),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), cross_attention_dim=128, attention_head_dim=2,
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), norm_num_groups=8,
        ),
        "scheduler": networks.scheduler(),
    }  # fmt: skip
    made = diffusers.StableDiffusionPipeline(
        **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )
    made.save_pretrained(folder)
    return folder


def _saved(model: Any, tokenizer: Any, folder: Path) -> Path:
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
