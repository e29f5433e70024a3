"""The tasks of the pipelines on real architectures: batches, windows, offsets, line breaks, steps, Stop, and faults."""

from __future__ import annotations

import asyncio
import json
import platform
import random
import shutil
import struct
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from PIL import Image

from core.download import download, lookup, wanted
from core.errors import AppError, BadSetting, ModelMissing, RequestRefused, Unreachable
from core.jobs import Stopped
from core.pipelines import diffusion, entities, kept, sentiment, translation
from core.pipelines.builtin.entities import make as entity_cases
from core.pipelines.builtin.sentiment import make as sentiment_cases
from core.pipelines.diffusion import Picture, Step, draw
from core.pipelines.files import _numbers, found
from core.pipelines.languages import detected
from core.pipelines.lines import checked, texts_of
from core.pipelines.packed import pack
from core.pipelines.picture import png, read_back, wish
from core.pipelines.task import BUILT_IN, tasks
from core.pipelines.worker import told
from tests import small
from tests.hub import Hub, serving

Made = Callable[[str], str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The folder of a small model, built when it is first asked for."""
    folder = tmp_path_factory.mktemp("small")

    def make(name: str) -> str:
        if not (folder / name).exists():
            getattr(small, name)(folder / name)
        return str(folder / name)

    return make


@pytest.fixture(autouse=True)
def nothing_stays_in_memory() -> Iterator[None]:
    yield
    for one in kept.listed():
        if one.name != BUILT_IN:
            kept.unload(one.task, one.name)


def collected(work: Callable[..., None], *given: Any, **options: Any) -> list[Any]:
    """What a task says of each text, in order."""
    items: list[Any] = []
    work(*given, items.append, **options)
    last = {one.number: one for item in items if isinstance(item, list) for one in item}
    return [last[number] for number in sorted(last)]


def scored(name: str, texts: list[str], **options: Any) -> list[sentiment.Scored]:
    return collected(sentiment.sentiment, name, texts, **options)


def marked(name: str, texts: list[str], **options: Any) -> list[entities.Marked]:
    return collected(entities.entities, name, texts, **options)


# --- sentiment --------------------------------------------------------------------------------------------------------


def test_scores_are_those_of_transformers_own_pipeline(made: Made) -> None:
    texts = [" ".join(small.WORDS[n % 7 : n % 19]) or "love" for n in range(60)] + ["love", "we hate this film. " * 9]
    pipe = transformers.pipeline("text-classification", model=made("classifier"))
    rows = scored(made("classifier"), texts)
    assert [row.number for row in rows] == list(range(len(texts)))
    for row, theirs in zip(rows, pipe(texts, top_k=None), strict=True):
        assert dict(row.scores) == pytest.approx({one["label"]: one["score"] for one in theirs}, abs=1e-5)
        assert row.scores[0][1] >= row.scores[1][1]


@pytest.mark.parametrize("odd", ["😀😀", "\0love\0", "\ud83d", "مرحبا بالعالم", "a" * 5000, "love " * 2000])
def test_odd_texts_have_scores_too(made: Made, odd: str) -> None:
    blank, strange = scored(made("classifier"), ["  ", odd])
    assert not blank.scores
    assert "no text" in blank.error
    assert sum(share for _, share in strange.scores) == pytest.approx(1, abs=1e-4)


def test_the_built_in_models_read_a_page_as_they_read_a_sentence() -> None:
    good, bad = "The staff were friendly and helpful.", "The room was dirty and the food was cold."
    rows = scored(BUILT_IN, [f"{good} " * 90, f"{bad}\n" * 90, f"{good} " * 60 + bad, bad])
    assert [row.scores[0][0] for row in rows] == ["POSITIVE", "NEGATIVE", "POSITIVE", "NEGATIVE"]
    assert dict(rows[1].scores) == pytest.approx(dict(rows[3].scores), abs=1e-4)
    sentence = "Angela Merkel flew to Paris."
    blank, page = marked(BUILT_IN, ["  ", f" {sentence}\n\n" * 90])
    assert not blank.entities
    assert [one.text for one in page.entities] == ["Angela Merkel", "Paris"] * 90
    assert all(page.text[one.start : one.end] == one.text for one in page.entities)


def test_the_built_in_models_do_not_guess_at_letters_they_never_saw() -> None:
    english, *foreign = scored(BUILT_IN, ["I love it, it is wonderful!", "מזג האוויר נפלא", "😀😀😀", "Замечательно!"])
    assert english.scores[0][0] == "POSITIVE"
    assert [(row.scores, row.error) for row in foreign] == [((), "The built-in model reads English only.")] * 3
    (row,) = marked(BUILT_IN, ["פגשתי את דוד כהן בירושלים.\nAngela Merkel flew to Paris."])
    assert [one.text for one in row.entities] == ["Angela Merkel", "Paris"]


def test_a_failing_batch_loses_its_own_lines_and_names_them(tmp_path: Path) -> None:
    name = str(small.classifier(tmp_path / "m", lacking=1))  # "😀" has no embedding.
    texts = ["we love this film", *["love " * 60] * 60, "😀"]
    rows = scored(name, texts)
    lost = [row for row in rows if row.error]
    assert lost[-1].error.startswith(f"Line {len(texts)}: ")
    assert len([row for row in rows if row.scores]) >= 40
    assert all(bool(row.scores) != bool(row.error) for row in rows)


def test_own_labels_need_a_model_of_inference(tmp_path: Path, made: Made) -> None:
    name = str(small.classifier(tmp_path / "nli", labels=("contradiction", "entailment")))
    (row,) = scored(name, ["we love this film"], labels=["film", "paris", " "])
    assert {label for label, _ in row.scores} == {"film", "paris"}
    theirs = transformers.pipeline("zero-shot-classification", model=name)("we love this film", ["film", "paris"])
    assert dict(row.scores) == pytest.approx(dict(zip(theirs["labels"], theirs["scores"], strict=True)), abs=1e-5)
    with pytest.raises(RequestRefused, match="own labels only"):
        scored(made("classifier"), ["love"], labels=["a", "b"])
    with pytest.raises(BadSetting, match="Two to"):
        scored(name, ["love"], labels=["a"])


# --- entities ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", entities.STRATEGIES)
def test_entities_are_those_of_transformers_own_pipeline(made: Made, strategy: str) -> None:
    text = "alice went to paris with bob. we love rome, and acme is good"
    pipe = transformers.pipeline("token-classification", model=made("namer"), aggregation_strategy=strategy)
    (row,) = marked(made("namer"), [text], strategy=strategy)
    mine = [(one.label, one.start, one.end, round(one.score, 4)) for one in row.entities]
    theirs = [
        (o.get("entity_group") or o["entity"], o["start"], o["end"], round(float(o["score"]), 4)) for o in pipe(text)
    ]
    assert mine == theirs
    assert len(mine) == 5


def test_offsets_hold_for_the_text_as_it_was_written(made: Made) -> None:
    text = "  \tÁlice 😀 went\u200f to PARIS, and aliĉe to Paris.\n👩‍🚀 Rome\0!"
    (row,) = marked(made("namer"), [text])
    assert [text[one.start : one.end] for one in row.entities] == ["Álice", "PARIS", "aliĉe", "Paris", "Rome"]
    assert all(one.text == text[one.start : one.end] for one in row.entities)


@pytest.mark.parametrize("filler", [1, 7, 60])
def test_no_entity_is_lost_or_doubled_where_windows_meet(made: Made, filler: int) -> None:
    text = ("alice went " + "very " * filler + "to paris , ") * 150
    (row,) = marked(made("namer"), [text])
    places = [place for place in range(len(text)) if text.startswith(("alice", "paris"), place)]
    assert [one.start for one in row.entities] == places


def test_a_list_gives_a_list_and_blanks_have_none(made: Made) -> None:
    rows = marked(made("namer"), ["bob", "", "we love it"])
    assert [[one.text for one in row.entities] for row in rows] == [["bob"], [], []]


# --- translation ------------------------------------------------------------------------------------------------------

TEXT = "  we love paris. bob hate rome!\n\n\talice went to rome?  \r\n12 + 3 😀\n"


@pytest.mark.parametrize("name", ["marian", "nllb"])
def test_line_breaks_and_order_are_kept(made: Made, name: str) -> None:
    rows: list[Any] = []
    translation.translate(made(name), [TEXT, "bob"], "fr", rows.append, source="en")
    parts = [one for item in rows if isinstance(item, list) for one in item]
    last = {one.number: one for one in parts}
    assert not last[0].error
    assert (last[0].done, last[0].total) == (3, 3)
    written = last[0].text
    assert written.startswith("  ")
    assert written.endswith("\r\n12 + 3 😀\n")
    lines = written.splitlines()
    assert (len(lines), lines[1], lines[3]) == (4, "", "12 + 3 😀")


def test_each_sentence_is_translated_as_if_it_were_alone(made: Made) -> None:
    def of(texts: list[str]) -> list[str]:
        items: list[Any] = []
        translation.translate(made("nllb"), texts, "fr", items.append, source="en")
        last = {one.number: one.text for item in items if isinstance(item, list) for one in item}
        return [last[number] for number in sorted(last)]

    sentences = ["we love paris and rome.", "bob.", "alice went to rome with bob and acme."]
    assert of([" ".join(sentences)])[0].split() == " ".join(of(sentences)).split()


def test_of_a_greeting_nobody_can_be_sure() -> None:
    with pytest.raises(BadSetting, match=r"too short to tell its language\. Choose it"):
        detected("Hi")
    assert [detected(text) for text in ("How are you today?", "Wie geht es dir heute?")] == ["en", "de"]


def test_languages_that_cannot_be_are_told(made: Made) -> None:
    def to(target: str, **options: Any) -> list[Any]:
        items: list[Any] = []
        translation.translate(made("nllb"), ["Das ist ein sehr schöner Tag."], target, items.append, **options)
        return [one for item in items if isinstance(item, list) for one in item]

    assert to("fr")[-1].source == "de"  # detected
    assert "already" in to("de")[-1].error
    with pytest.raises(RequestRefused, match="does not know"):
        to("ja")
    with pytest.raises(BadSetting, match="no language"):
        to("xx")
    with pytest.raises(ModelMissing, match="opus-mt-de-fr is not on this machine"):
        translation.translate(translation.BY_PAIR, ["Das ist ein Tag."], "fr", [].append, source="de")


# --- pictures ---------------------------------------------------------------------------------------------------------


def asked(**changes: Any) -> Any:
    return wish({"prompt": "a red circle", "steps": 3, "width": 64, "height": 64} | changes)


def drawn(name: str, **changes: Any) -> list[Any]:
    items: list[Any] = []
    draw(name, asked(**changes), items.append)
    return items


def test_steps_are_told_and_a_seed_makes_the_picture_again(made: Made) -> None:
    first = drawn(made("painter"), seed=5, count=2)
    steps = [item for item in first if isinstance(item, Step)]
    assert [(step.done, step.steps) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    assert [sketch.size for sketch in steps[-1].sketches] == [(8, 8), (8, 8)]
    one, two = [item for item in first if isinstance(item, Picture)]
    assert one.image.size == (64, 64)
    assert one.image.tobytes() != two.image.tobytes()
    # The second picture's settings make it again, alone.
    again = [item for item in drawn(made("painter"), seed=two.settings["seed"]) if isinstance(item, Picture)]
    difference = max(abs(a - b) for a, b in zip(again[0].image.tobytes(), two.image.tobytes(), strict=True))
    assert difference <= 2


def test_a_picture_tells_how_it_was_made(made: Made) -> None:
    picture = next(item for item in drawn(made("painter"), prompt="été ✨ “x”") if isinstance(item, Picture))
    again, name = read_back(png(picture.image))
    assert (again.prompt, again.steps, again.width, name) == ("été ✨ “x”", 3, 64, made("painter"))
    plain = BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "PNG")
    for data, said in (
        (plain.getvalue(), "does not tell"),
        (b"no picture", "no PNG"),
        (png(picture.image)[:40], "picture|PNG"),
    ):
        with pytest.raises(BadSetting, match=said):
            read_back(data)


async def test_closing_stops_within_a_step(made: Made) -> None:
    drawn(made("painter"))
    seen = []

    async def some() -> None:
        stream: AsyncGenerator[Any] = told(lambda tell: draw(made("painter"), asked(steps=150), tell))
        async with aclosing(stream):
            async for item in stream:
                seen.append(item)
                if isinstance(item, Step):
                    return

    await some()
    assert [item.done for item in seen if isinstance(item, Step)] == [1]
    (model,) = [one for one in kept.listed() if one.task == "diffusion" and one.name == made("painter")]
    assert await asyncio.to_thread(model.turn.acquire, timeout=5)
    model.turn.release()


def test_two_who_draw_take_turns_and_get_their_own(made: Made) -> None:
    alone = [i.image.tobytes() for i in drawn(made("painter"), seed=1, steps=8) if isinstance(i, Picture)]

    async def both() -> list[list[Any]]:
        async def one(seed: int) -> list[Any]:
            return [i async for i in told(lambda tell: draw(made("painter"), asked(seed=seed, steps=8), tell))]

        return await asyncio.gather(one(1), one(2))

    first, second = asyncio.run(both())
    assert [i.image.tobytes() for i in first if isinstance(i, Picture)] == alone
    assert [i.image.tobytes() for i in second if isinstance(i, Picture)] != alone


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps": float("nan")}, "number"), ({"steps": True}, "number"), ({"guidance": 99}, "between 0 and 30"),
        ({"width": 100}, "multiple of 8"), ({"prompt": " "}, "no prompt"), ({"scheduler": "magic"}, "scheduler"),
        ({"count": 9}, "between 1 and 8"), ({"prompt": "x" * 5001}, "5,000"), ({"seed": -1}, "between"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_told(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        asked(**changes)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers with NumPy 2
def test_another_scheduler_makes_another_picture(made: Made) -> None:
    def of(scheduler: str) -> bytes:
        return next(i.image.tobytes() for i in drawn(made("painter"), scheduler=scheduler) if isinstance(i, Picture))

    assert of("") == of("DDIM") != of("Euler")


# --- models -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["classifier", "namer", "marian", "painter"])
def test_a_model_for_something_else_is_refused(made: Made, name: str) -> None:
    owner = {"classifier": "sentiment", "namer": "entities", "marian": "translation", "painter": "diffusion"}[name]
    for task in tasks():
        if task.name == owner:
            assert found(task, made(name)).size > 1000
        else:
            with pytest.raises(RequestRefused, match="Choose a model for"):
                found(task, made(name))


def test_files_that_must_not_or_cannot_be_read(made: Made, tmp_path: Path) -> None:
    pickled, damaged, huge = (Path(shutil.copytree(made("classifier"), tmp_path / n)) for n in ("p", "d", "h"))
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    (damaged / "model.safetensors").write_bytes(b"\xff" * 1000)
    header = json.dumps({"w": {"dtype": "F32", "shape": [10**6, 10**7], "data_offsets": [0, 4]}}).encode()
    (huge / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"0000")
    (tmp_path / "empty").mkdir()
    for folder, said in ((pickled, "pickle"), (damaged, "cannot be read"), (huge, "GB of memory"), ("empty", "empty")):
        with pytest.raises(AppError, match=said):
            scored(str(tmp_path / folder), ["love"])
    assert scored(made("classifier"), ["love"])[0].scores  # The app goes on.


def test_a_model_that_is_not_here_is_missed_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(ModelMissing, match=r"not on this machine\. Download it .* built-in"):
        scored("owner/none", ["love"])
    assert time.monotonic() - started < 2
    for name in ("/etc", "../x", "no such", ""):
        with pytest.raises(AppError):
            scored(name, ["love"])


def test_a_model_is_read_once_and_can_be_unloaded(made: Made) -> None:
    scored(made("classifier"), ["love"])
    (first,) = [one for one in kept.listed() if one.name == made("classifier")]
    scored(made("classifier"), ["hate"])
    assert [one for one in kept.listed() if one.name == made("classifier")] == [first]
    assert first.memory == sum(p.numel() * 4 for p in first.model.model.parameters())
    kept.unload("sentiment", made("classifier"))
    assert made("classifier") not in [one.name for one in kept.listed()]


def test_the_least_used_leaves_before_memory_runs_out(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [str(shutil.copytree(made("classifier"), tmp_path / name)) for name in "abc"]
    size = sum(map(_numbers, Path(names[0]).glob("*.safetensors"))) * 4
    for task, name in {(one.task, one.name) for one in kept.listed()}:
        kept.unload(task, name)

    def machine() -> Any:
        """A machine with memory for two of these models and some work."""
        return SimpleNamespace(available=3 * size - sum(one.memory for one in kept.listed()))

    monkeypatch.setattr("psutil.virtual_memory", machine)
    for name in (names[0], names[1], names[0], names[2]):
        scored(name, ["love"])
    assert [one.name for one in kept.listed()] == [names[0], names[2]]
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=size))
    with pytest.raises(RequestRefused, match=r"needs about .* Choose a smaller model"):
        scored(names[1], ["love"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="it is the GPU's memory that counts where there is one")
@pytest.mark.parametrize(("room", "sliced"), [(1.4, True), (3, False)])
def test_attention_is_computed_in_slices_where_memory_is_short(
    made: Made, monkeypatch: pytest.MonkeyPatch, room: float, sliced: bool
) -> None:
    size = sum(map(_numbers, Path(made("painter")).rglob("*.safetensors"))) * 4
    kept.unload("diffusion", made("painter"))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=room * size))
    items: list[Any] = []
    draw(made("painter"), wish({"prompt": "a red circle", "width": 64, "height": 64, "steps": 1}), items.append)
    assert isinstance(items[-1], Picture)
    (one,) = [one for one in kept.listed() if one.name == made("painter")]
    assert {"Sliced" in type(way).__name__ for way in one.model.pipe.unet.attn_processors.values()} == {sliced}
    kept.unload("diffusion", made("painter"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_too_small_for_a_pipeline_draws_all_the_same(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (1000, 10**9))
    items: list[Any] = []
    draw(made("painter"), wish({"prompt": "a red circle", "width": 64, "height": 64, "steps": 2}), items.append)
    assert isinstance(items[-1], Picture)
    (one,) = [one for one in kept.listed() if one.name == made("painter")]
    assert one.model.offloaded
    assert {weight.device.type for weight in one.model.pipe.unet.parameters()} == {"cpu"}


def test_a_download_that_was_cut_short_works_again(hub: Hub, tmp_path: Path) -> None:
    hub.cut.set()
    with pytest.raises(AppError):
        asyncio.run(_fetched())
    hub.cut.clear()
    before = list(hub.sent)
    assert "config.json" in before
    asyncio.run(_fetched())
    again = hub.sent[len(before) :]
    assert "model.safetensors" in again
    assert "config.json" not in again  # What had come whole is not fetched twice.
    kept_at = Path(tmp_path, "hub", "models--owner--tiny")
    assert [file.read_bytes() for file in kept_at.rglob("snapshots/*/model.safetensors")] == [
        hub.files["model.safetensors"]
    ]
    assert not list(kept_at.rglob("*.incomplete"))


async def _fetched() -> None:
    async with aclosing(download("owner/tiny")) as steps:
        async for _ in steps:
            pass


def test_of_a_pipelines_files_only_what_is_needed_is_fetched() -> None:
    names = (
        "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors", "unet/diffusion_pytorch_model.bin", "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors", "tokenizer/tokenizer_config.json", "tokenizer/merges.txt",
        "scheduler/scheduler_config.json", "sd_turbo.safetensors", "onnx/model.onnx", "image.png", "README.md",
        "unet/openvino_model.xml", "unet/diffusion_pytorch_model.non_ema.safetensors",
    )  # fmt: skip
    assert set(wanted(dict.fromkeys(names, 1))) == {
        "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors", "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors", "tokenizer/tokenizer_config.json", "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    }  # fmt: skip


@pytest.fixture
def hub(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(Path(made("classifier")), tmp_path, monkeypatch) as server:
        # This process has read its settings from the environment long ago; a child reads them anew.
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield server


async def test_sizes_are_known_before_anything_is_fetched(hub: Hub) -> None:
    plan = await lookup("owner/tiny", limit=20)
    assert plan.size == sum(len(data) for data in hub.files.values())
    assert plan.free > plan.size
    assert not hub.sent
    assert (await lookup("owner/converted", limit=20)).revision == "refs/pr/4"
    with pytest.raises(RequestRefused, match="no safetensors"):
        await lookup("owner/pickled", limit=20)


async def test_without_a_network_the_size_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    started = time.monotonic()
    with pytest.raises(Unreachable, match="cannot be reached"):
        await lookup("owner/tiny")
    assert time.monotonic() - started < 2.5


# --- texts ------------------------------------------------------------------------------------------------------------


def test_files_of_texts_are_read() -> None:
    assert texts_of("a.txt", "one\n\ntwo".encode("utf-16")) == ["one", "two"]
    assert texts_of("a.csv", b'id,Review\n1,"good, really"\n2,bad\n') == ["good, really", "bad"]
    assert texts_of("a.csv", b"1,a longer text\n2,another text\n") == ["a longer text", "another text"]
    for name, data in (("a.txt", b"\xff\xff\xff"), ("a.csv", b'a,"b\n'), ("a.txt", b" \n ")):
        with pytest.raises(BadSetting):
            texts_of(name, data)


def test_what_is_too_much_or_nothing_is_told() -> None:
    for texts, said in ((["x" * 1_000_000], "1,000,000 characters"), ([" "], "no text"), (["a"] * 20_001, "20,001")):
        with pytest.raises(BadSetting, match=said):
            checked(texts)
    with pytest.raises(BadSetting, match="list of texts"):
        checked([1])  # type: ignore[list-item]
    assert checked(["a\0b\ud83d"]) == ["a b\ufffd"]


async def test_work_ends_when_nobody_listens_and_hands_on_its_error() -> None:
    ends: list[str] = []

    def endless(tell: Any) -> None:
        try:
            while True:
                tell(1)
                time.sleep(0.001)
        except Stopped:
            ends.append("stopped")
            raise

    async with aclosing(told(endless)) as stream:
        assert await anext(stream) == 1
    assert ends == ["stopped"]

    def failing(tell: Any) -> None:
        tell(2)
        raise BadSetting("no")

    seen = []
    with pytest.raises(BadSetting, match="no"):
        async for item in told(failing):
            seen.append(item)
    assert seen == [2]


# --- reading models ---------------------------------------------------------------------------------------------------


def test_models_that_are_read_at_once_keep_what_their_weights_share(made: Made, tmp_path: Path) -> None:
    names = [shutil.copytree(made("marian"), tmp_path / str(number)) for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        read = list(pool.map(lambda name: kept.model(translation.TASK, str(name)), names))
    for one in read:
        model = one.model.model
        assert model.lm_head.weight is model.model.shared.weight
    for one in read:
        kept.unload(one.task, one.name)


# --- matrices in the processor's order --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Bert", "DistilBert", "Roberta"])
def test_packed_matrices_give_the_same_numbers(kind: str) -> None:
    torch.manual_seed(0)
    small = {"dim": 64, "n_heads": 2, "hidden_dim": 128, "n_layers": 2} if kind == "DistilBert" else {
        "hidden_size": 64, "num_attention_heads": 2, "intermediate_size": 128, "num_hidden_layers": 2,
    }  # fmt: skip
    config = getattr(transformers, f"{kind}Config")(vocab_size=300, **small)
    made = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()
    numbers = sum(weight.numel() for weight in made.parameters())
    ids = torch.randint(2, 300, (7, 33))
    with torch.inference_mode():
        plain = made(input_ids=ids).logits
        pack(made, 512)
        packed = made(input_ids=ids).logits
    assert torch.allclose(plain, packed, atol=1e-5)
    assert sum(weight.numel() for weight in made.parameters()) == numbers  # What is told of its memory is true.
    if platform.machine() == "x86_64":
        assert not [one for one in made.modules() if type(one) is torch.nn.Linear and one.weight.device.type == "cpu"]


def test_models_that_packing_does_not_know_are_left_alone() -> None:
    config = transformers.AlbertConfig(vocab_size=50, hidden_size=64, num_attention_heads=2, intermediate_size=64)
    other = transformers.AlbertForSequenceClassification(config)
    half = transformers.BertForSequenceClassification(
        transformers.BertConfig(vocab_size=50, hidden_size=64, num_attention_heads=2, num_hidden_layers=1)
    ).half()
    for made in (other, half):
        pack(made, 512)
        assert all(weight.device.type == "cpu" for weight in made.parameters())


# --- the built-in ones ------------------------------------------------------------------------------------------------


def test_the_built_in_sentiment_is_right_often_enough() -> None:
    made = sentiment_cases.evaluate()
    print("sentiment:", made)  # noqa: T201  it is to be seen
    assert (made["ordinary"]["sentences"], made["hard"]["sentences"]) >= (233, 204)
    assert made["ordinary"]["right"] >= 0.88
    assert made["hard"]["right"] >= 0.78
    good, bad = scored(BUILT_IN, ["What a wonderful film, I loved it!", "The room was dirty and the staff were rude."])
    assert (good.scores[0][0], bad.scores[0][0]) == ("POSITIVE", "NEGATIVE")


def test_no_sentence_of_the_evaluation_was_learnt() -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = "".join(letter if letter.isalpha() or letter == "'" else " " for letter in text.lower()).split()
        return {tuple(words[at : at + 7]) for at in range(len(words) - 6)}

    chance = random.Random(5)
    learnt = {run for words, _ in sentiment_cases.examples(chance, 12_000) for run in runs(" ".join(words))}
    whole = {" ".join(words).lower().strip(".!") for words, _ in sentiment_cases.examples(chance, 12_000)}
    measured = [text for which in ("evaluation", "ordinary") for text, _ in sentiment_cases.cases(which)]
    assert not [text for text in measured if runs(text) & learnt or text.lower().strip(".!") in whole]


def test_the_built_in_entities_are_right_often_enough() -> None:
    made = entity_cases.evaluate()
    print(f"entities: F1 {made['f1']:.2f} on {made['sentences']}")  # noqa: T201  it is to be seen
    assert made["sentences"] >= 150
    assert made["f1"] >= 0.8
    (row,) = marked(BUILT_IN, ["Angela Merkel met Emmanuel Macron in Paris."])
    assert [(one.text, one.label) for one in row.entities] == [
        ("Angela Merkel", "PER"), ("Emmanuel Macron", "PER"), ("Paris", "LOC"),
    ]  # fmt: skip


def test_the_built_in_painter_opens_and_draws() -> None:
    items: list[Any] = []
    draw(BUILT_IN, wish(diffusion.suggested(BUILT_IN) | {"prompt": "a big red circle", "steps": 8}), items.append)
    picture = next(item for item in items if isinstance(item, Picture)).image
    red, green, blue = picture.getpixel((64, 64))
    assert red > 150 > max(green, blue)
    assert min(picture.getpixel((4, 4))) > 200  # white, as nothing was said of the ground
