"""The four parts of the shapes model, as diffusers and transformers know them, and its tokenizer. No training here."""

from __future__ import annotations

import random
from typing import Any

from core.pipelines.builtin.shapes.draw import PIXELS
from core.pipelines.builtin.shapes.scenes import request, wording

WINDOW = 32  # Tokens of a prompt, its two ends included.
_WIDTH = 128  # What the text encoder hands to the picture's network for each token.


def tokenizer() -> Any:
    """CLIP's, with each word of the requests as one token; any other text is spelt out in bytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    chance = random.Random(0)
    words = {word for _ in range(20_000) for word in wording(request(chance), chance).split()}
    inner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=2000, min_frequency=1, show_progress=False, end_of_word_suffix="</w>", initial_alphabet=letters
    )
    inner.train_from_iterator(sorted(words), trainer)
    merges = _merges(inner)
    pieces = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    pieces += [first + second for first, second in merges]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=WINDOW)


def _merges(inner: Any) -> list[tuple[str, str]]:
    import json

    return [(first, second) for first, second in json.loads(inner.to_str())["model"]["merges"]]


def text_encoder(vocabulary: int) -> Any:
    """A CLIP text encoder of three layers."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary, hidden_size=_WIDTH, intermediate_size=4 * _WIDTH, num_hidden_layers=3,
            num_attention_heads=4, max_position_embeddings=WINDOW, projection_dim=_WIDTH, bos_token_id=0,
            eos_token_id=1, pad_token_id=1,
        )
    )  # fmt: skip


def vae() -> Any:
    """Pictures as latents of 4 numbers for each 8 by 8 pixels, as Stable Diffusion's, by layers that normalise nothing.

    An AutoencoderKL of this size, with norms over two channels each and trained for 50 seconds, gave back only 52 of
    100 pictures as they were asked for. Whether the norms were why was not tried apart. The shape of the network is
    TAESD's (github.com/madebyollin/taesd).
    """
    from diffusers import AutoencoderTiny

    return AutoencoderTiny(
        encoder_block_out_channels=(48,) * 4, decoder_block_out_channels=(48,) * 4,
        num_encoder_blocks=(1, 1, 2, 2), num_decoder_blocks=(3, 2, 1, 1),
    )  # fmt: skip


def unet() -> Any:
    """What takes the noise away: two levels, both of which look at the text."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=PIXELS // 8, in_channels=4, out_channels=4, layers_per_block=1, block_out_channels=(64, 128),
        down_block_types=("CrossAttnDownBlock2D",) * 2, up_block_types=("CrossAttnUpBlock2D",) * 2,
        cross_attention_dim=_WIDTH, attention_head_dim=4, norm_num_groups=8,
    )  # fmt: skip


def scheduler() -> Any:
    """Noise up to nothing but noise, and the network's answer as v: else a plain ground never gets its colour right.

    Source: Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed" (2305.08891).
    """
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type="v_prediction",
        rescale_betas_zero_snr=True, timestep_spacing="trailing", clip_sample=False, steps_offset=1,
    )  # fmt: skip
