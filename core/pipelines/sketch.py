"""What a half-made picture looks like, at next to no cost: a decoder of one matrix, fitted to the model's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Sketch:
    """`matrix` is [channels + 1, 3]: from a latent pixel, and 1, to red, green and blue from -1 to 1."""

    matrix: Any

    def pictures(self, latents: Any) -> list[Any]:
        """Small pictures of `latents`, [picture, channel, height, width]; one pixel for each of theirs."""
        from PIL import Image

        seen = latents.detach().float().cpu().permute(0, 2, 3, 1)
        colours = (seen @ self.matrix[:-1] + self.matrix[-1]).clamp(-1, 1)
        bytes_ = ((colours + 1) * 127.5).round().byte().numpy()
        return [Image.fromarray(picture) for picture in bytes_]


def fitted(vae: Any) -> Sketch | None:
    """The matrix nearest to what `vae` decodes, or None for one that is no decoder of plain latents.

    Least squares on smooth noise. For Stable Diffusion the idea is Keturn's (huggingface.co forum, "Decoding latents to
    RGB without upscaling", 2022); his matrix holds for one model, this is made for each.
    """
    import torch

    config = getattr(vae, "config", None)
    channels = getattr(config, "latent_channels", None)
    if config is None or channels is None or not hasattr(vae, "decode") or not getattr(config, "scaling_factor", None):
        return None
    chance = torch.Generator().manual_seed(0)
    coarse = torch.randn(8, channels, 3, 3, generator=chance) * 1.2
    smooth = torch.nn.functional.interpolate(coarse, size=(8, 8), mode="bicubic")
    weight = next(vae.parameters())
    inner = smooth / config.scaling_factor + (getattr(config, "shift_factor", None) or 0)
    with torch.inference_mode():
        decoded = vae.decode(inner.to(weight.device, weight.dtype)).sample.float().cpu()
    if decoded.ndim != 4:
        return None
    small = torch.nn.functional.adaptive_avg_pool2d(decoded, (8, 8)).permute(0, 2, 3, 1).reshape(-1, 3)
    rows = smooth.permute(0, 2, 3, 1).reshape(-1, channels)
    rows = torch.cat([rows, torch.ones(len(rows), 1)], dim=1)
    return Sketch(torch.linalg.lstsq(rows, small).solution)
