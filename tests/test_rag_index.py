"""The index on disk: only what changed is made anew, no reader sees half of it, no fault loses what was there."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from core.errors import BadSetting, FileUnread, IndexDamaged, IndexInUse, OtherModel
from core.rag import open_index
from core.rag.embedding import Embedder, embedder
from core.rag.generation import current, manifest_of
from core.rag.index import Index
from core.rag.origins import FolderOrigins, ReadyOrigins
from core.rag.passages import Document
from core.rag.split import Recipe

ROOT = Path(__file__).parent.parent
DUCKS = "# Ducks\n\nMarrowfen keeps eleven ducks behind the boat house."
PIES = "# Pies\n\nOn Fridays the canteen bakes pies with leeks and cheese."
BOATS = "# Boats\n\nThe survey boat is moored at Staith Road."


@pytest.fixture(scope="module")
def model() -> Embedder:
    return embedder("minilm-int8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents that were written a while ago."""
    made = tmp_path / "documents"
    for name, text in {"birds/ducks.md": DUCKS, "food/pies.md": PIES, "boats.md": BOATS}.items():
        write(made / name, text, age=100)
    return made


def write(path: Path, text: str, age: float = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - age,) * 2)


@pytest.fixture
def index(tmp_path: Path, model: Embedder) -> Index:
    return Index(tmp_path / "index", model, "faiss")


def texts(index: Index) -> dict[str, str]:
    return {source: document.text for source, document in index.corpus().documents.items()}


def best(index: Index, query: str) -> str:
    corpus = index.corpus()
    row, _ = corpus.nearest(index.model.embed([query], query=True)[0], 1)[0]
    return corpus.passages[row].source


class Reads(FolderOrigins):
    """A folder that notes what is read of it."""

    read_so_far: ClassVar[list[str]] = []

    def read(self, sources: object) -> Iterator[object]:  # type: ignore[override]
        for source, outcome in super().read(sources):  # type: ignore[arg-type]
            self.read_so_far.append(source)
            yield source, outcome


@pytest.fixture
def reads(folder: Path) -> Reads:
    Reads.read_so_far = []
    return Reads(folder)


# --- what is in it ----------------------------------------------------------------------------------------------------


def test_an_index_holds_every_document_and_finds_it(index: Index, folder: Path) -> None:
    with pytest.raises(BadSetting, match="empty"):
        index.corpus()
    done = index.refresh(FolderOrigins(folder))
    assert sorted(done.added) == ["birds/ducks.md", "boats.md", "food/pies.md"]
    assert texts(index) == {"birds/ducks.md": DUCKS, "food/pies.md": PIES, "boats.md": BOATS}
    assert best(index, "what is for lunch?") == "food/pies.md"
    corpus = index.corpus()
    assert corpus is index.corpus()
    assert sorted(corpus.by_type) == ["", "birds", "food"]
    for passage in corpus.passages:
        assert corpus.documents[passage.source].text[passage.start : passage.end] == passage.text
    rows = range(len(corpus.passages))
    assert {row for part in corpus.by_source.values() for row in rows[part]} == set(rows)
    assert [corpus.passages[corpus.rows[passage.id]] for passage in corpus.passages] == list(corpus.passages)
    exact = index.model.embed([passage.shown for passage in corpus.passages])
    assert np.abs(exact - corpus.vectors).max() < 1e-5


def test_passages_come_back_as_they_were_split(index: Index) -> None:
    from core.rag.split import split

    rows = "\n".join(f"| row {n} | some words that fill the table, number {n} |" for n in range(60))
    text = f"# Title\n\n## Table\n\n| a | b |\n|---|---|\n{rows}\n\n## \ud800 and ünïcode\n\nText."
    document = Document("a b/ü.md", "Title", text, "a b", pages=(0, 700), digest="d", note="half of it")
    recipe = Recipe(window=index.model.max_tokens)
    index.refresh(ReadyOrigins([document]), recipe)
    corpus = Index(index.root, index.model).corpus()
    document = replace(document, text=text.replace("\ud800", "\ufffd"))
    assert corpus.documents == {document.source: document}
    assert list(corpus.passages) == split(document, recipe, index.model.tokens)
    assert any(passage.lead for passage in corpus.passages)


def test_what_cannot_be_read_is_told_and_costs_no_other(index: Index, folder: Path, reads: Reads) -> None:
    write(folder / "broken.pdf", "%PDF-1.7 and no more", age=100)
    write(folder / "empty.md", "", age=100)
    done = index.refresh(reads)
    assert sorted(done.refused) == ["broken.pdf", "empty.md"]
    assert "was not added" in done.refused["empty.md"]
    assert len(index.corpus().documents) == 3
    assert sorted(index.corpus().refused) == ["broken.pdf", "empty.md"]
    Reads.read_so_far.clear()
    again = index.refresh(reads)
    assert "broken.pdf" in again.refused
    assert "broken.pdf" not in Reads.read_so_far
    write(folder / "broken.pdf", "", age=50)
    (folder / "broken.pdf").unlink()
    assert index.refresh(reads).refused.keys() == {"empty.md"}


def test_a_folder_of_nothing_is_an_index_of_nothing(index: Index, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert index.refresh(FolderOrigins(tmp_path / "none")).passages == 0
    corpus = index.corpus()
    assert corpus.nearest(index.model.embed(["a"])[0], 5) == []
    with pytest.raises(FileUnread):
        index.refresh(FolderOrigins(tmp_path / "nowhere"))


# --- what changed -----------------------------------------------------------------------------------------------------


def test_what_is_unchanged_is_not_even_opened(index: Index, reads: Reads) -> None:
    first = index.refresh(reads)
    name = index.corpus().name
    Reads.read_so_far.clear()
    again = index.refresh(reads)
    assert (again.unchanged, Reads.read_so_far, index.corpus().name) == (3, [], name)
    assert first.passages == again.passages


def test_a_second_time_takes_a_fiftieth(tmp_path: Path, model: Embedder) -> None:
    """Without the store, which would only make the first time longer."""
    documents = [
        Document(f"{n}", page.stem, page.read_text("utf-8")[:1500])
        for n, page in enumerate(sorted((ROOT / "knowledge-base").glob("*/*.md"))[:30])
    ]
    index = Index(tmp_path / "index", model, "faiss")
    first = index.refresh(ReadyOrigins(documents))
    again = min(index.refresh(ReadyOrigins(documents)).seconds for _ in range(5))
    assert first.seconds / again >= 50


def test_an_edited_file_leaves_nothing_of_what_it_said(index: Index, folder: Path, reads: Reads) -> None:
    index.refresh(reads)
    Reads.read_so_far.clear()
    write(folder / "birds/ducks.md", "# Ducks\n\nThe ducks were given to the zoo of Harle.\n", age=50)
    done = index.refresh(reads)
    assert (done.changed, done.unchanged, Reads.read_so_far) == (("birds/ducks.md",), 2, ["birds/ducks.md"])
    assert not any("eleven" in passage.shown for passage in index.corpus().passages)
    assert best(index, "who has the ducks now?") == "birds/ducks.md"


def test_an_edit_that_keeps_size_and_time_of_a_fresh_file_is_seen(index: Index, folder: Path) -> None:
    """A file's time is too coarse to show a change within the moment in which it was read."""
    path = folder / "boats.md"
    write(path, BOATS)
    stamp = path.stat().st_mtime_ns
    index.refresh(FolderOrigins(folder))
    path.write_text(BOATS.replace("Staith", "Quarry"))
    os.utime(path, ns=(stamp, stamp))
    assert index.refresh(FolderOrigins(folder)).changed == ("boats.md",)


def test_a_touched_file_is_not_read_again(index: Index, folder: Path, reads: Reads) -> None:
    index.refresh(reads)
    Reads.read_so_far.clear()
    os.utime(folder / "boats.md", (1e9, 1e9))
    name = index.corpus().name
    assert index.refresh(reads).unchanged == 3
    assert (Reads.read_so_far, index.corpus().name) == ([], name)


def test_a_deleted_file_is_gone(index: Index, folder: Path) -> None:
    index.refresh(FolderOrigins(folder))
    index.corpus()
    (folder / "food/pies.md").unlink()
    assert index.refresh(FolderOrigins(folder)).removed == ("food/pies.md",)
    assert "food/pies.md" not in texts(index)
    on_disk = b"".join(path.read_bytes() for path in (index.root / "generations").rglob("*") if path.is_file())
    assert b"leeks" in on_disk  # The generation that was loaded is still being read.
    index.corpus()
    index.refresh(FolderOrigins(folder))
    on_disk = b"".join(path.read_bytes() for path in (index.root / "generations").rglob("*") if path.is_file())
    assert b"leeks" not in on_disk


def test_another_recipe_splits_anew_and_reads_nothing(index: Index, reads: Reads) -> None:
    index.refresh(reads)
    Reads.read_so_far.clear()
    index.refresh(reads, Recipe(kind="recursive", size=200, overlap=0))
    assert Reads.read_so_far == []
    manifest = manifest_of(index.root)
    assert manifest is not None
    assert "recursive" in manifest.about.recipe
    assert len(index.corpus().documents) == 3


def test_texts_that_were_embedded_before_are_not_embedded_again(index: Index, folder: Path, model: Embedder) -> None:
    steps: list[str] = []

    def report(_: float | None, text: str = "") -> None:
        steps.append(text)

    index.refresh(FolderOrigins(folder), report=report)
    assert any("Embedding" in step for step in steps)
    shutil.rmtree(index.root / "generations")
    steps.clear()
    again = Index(index.root, model, "faiss")
    again.refresh(FolderOrigins(folder), report=report)
    assert not any("Embedding" in step for step in steps)
    assert best(again, "what is for lunch?") == "food/pies.md"


def test_the_model_reads_each_passage_once(index: Index, folder: Path) -> None:
    """For its vector and for those of its tokens, and after an edit what was edited alone."""
    said: list[str] = []

    def report(_: float | None, text: str = "") -> None:
        said.append(text)

    index.refresh(FolderOrigins(folder), report=report)
    assert [step for step in said if step.startswith("Embedding")] == ["Embedding 0 of 3 passages"]
    said.clear()
    there = index.lookup(report)
    assert said == []
    assert there.late is not None
    kept = there.late.states[there.late.starts[0] : there.late.starts[1]].astype(np.float32)
    kept /= np.linalg.norm(kept, axis=1, keepdims=True)
    _, tokens = there.late.model.read([there.corpus.passages[0].shown])
    assert (kept @ tokens[0][1].T).max(axis=1).min() > 0.999
    write(folder / "boats.md", "# Boats\n\nThe survey boat is moored at Quarry Road.\n", age=50)
    index.refresh(FolderOrigins(folder), report=report)
    assert [step for step in said if step.startswith("Embedding")] == ["Embedding 0 of 1 passages"]
    after = index.lookup().late
    assert after is not None
    row, before = index.corpus().by_source["birds/ducks.md"].start, there.corpus.by_source["birds/ducks.md"].start
    same = [late.states[late.starts[at] : late.starts[at + 1]] for late, at in ((there.late, before), (after, row))]
    assert np.array_equal(*same)
    assert not list((index.root / "generations").glob("*/tokens"))


def test_a_cache_of_vectors_that_is_broken_is_made_anew(index: Index, folder: Path) -> None:
    index.root.mkdir(parents=True)
    (index.root / "vectors.sqlite").write_bytes(b"no database" * 1000)
    assert index.refresh(FolderOrigins(folder)).passages == 3


# --- stopping, and other models ---------------------------------------------------------------------------------------


class Stopped(BaseException):
    """What a job's report raises."""


@pytest.mark.parametrize("at", ["Reading", "Embedding", "Writing the index"])
def test_stop_leaves_what_was_there(index: Index, folder: Path, at: str) -> None:
    index.refresh(FolderOrigins(folder))
    before = index.corpus()
    write(folder / "new.md", "# New\n\nSomething that nobody has said before.\n", age=50)

    def report(_: float | None, text: str = "") -> None:
        if text.startswith(at):
            raise Stopped

    with pytest.raises(Stopped):
        index.refresh(FolderOrigins(folder), report=report)
    assert index.corpus() is before
    assert index.refresh(FolderOrigins(folder)).added == ("new.md",)


def test_another_model_is_told_and_nothing_is_deleted_before_consent(index: Index, folder: Path) -> None:
    index.refresh(FolderOrigins(folder))
    other = Index(index.root, embedder("minilm"), "faiss")
    says = "made with minilm-int8. Rebuild it for minilm?"
    with pytest.raises(OtherModel, match=says):
        other.corpus()
    with pytest.raises(OtherModel, match=says):
        other.refresh(FolderOrigins(folder))
    assert best(index, "what is for lunch?") == "food/pies.md"
    other.refresh(FolderOrigins(folder), rebuild=True)
    assert other.corpus().about.model == "minilm"
    exact = other.model.embed([passage.shown for passage in other.corpus().passages])
    assert np.abs(exact - other.corpus().vectors).max() < 1e-5


def test_another_revision_of_a_model_is_another_model(index: Index, folder: Path) -> None:
    index.refresh(FolderOrigins(folder))
    generation = current(index.root)
    assert generation is not None
    told = json.loads((generation / "manifest.json").read_text())
    told["about"]["revision"] = "older"
    (generation / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(OtherModel, match="minilm-int8 older"):
        Index(index.root, index.model).corpus()


# --- damage -----------------------------------------------------------------------------------------------------------


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", ["documents.jsonl", "vectors.npy", "manifest.json"])
@pytest.mark.parametrize("damage", [flipped, halved, Path.unlink])
def test_damage_is_found_and_mended_from_the_sources(
    index: Index, folder: Path, name: str, damage: Callable[[Path], None]
) -> None:
    index.refresh(FolderOrigins(folder))
    generation = current(index.root)
    assert generation is not None
    if (name, damage) == ("manifest.json", flipped):
        (generation / name).write_text("[]")
    else:
        damage(generation / name)
    again = Index(index.root, index.model, "faiss")
    with pytest.raises(IndexDamaged, match="damaged and is being rebuilt"):
        again.corpus()
    said: list[str] = []
    done = again.refresh(FolderOrigins(folder), report=lambda _, text="": said.append(text))
    assert "The knowledge base is damaged and is being rebuilt." in said
    assert len(done.added) == 3
    assert best(again, "what is for lunch?") == "food/pies.md"
    assert (index.root / "damaged").is_dir()


# --- several processes ------------------------------------------------------------------------------------------------


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    head = """
        import sys, time
        from pathlib import Path
        from core.errors import AppError
        from core.rag.embedding import embedder
        from core.rag.index import Index
        from core.rag.origins import FolderOrigins, ReadyOrigins
        from core.rag.passages import Document
        root, model = Path(sys.argv[1]), embedder("minilm-int8")
        def say(text):
            print(text, flush=True)
    """
    whole = textwrap.dedent(head) + textwrap.dedent(script)
    command = [sys.executable, "-c", whole, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_one_writes_while_others_read(index: Index, folder: Path) -> None:
    index.refresh(FolderOrigins(folder))
    holding = """
        def report(_, text=""):
            say("holding")
            sys.stdin.readline()
        Index(root, model, "faiss").refresh(FolderOrigins(Path(sys.argv[2])), report=report)
        say("done")
    """
    write(folder / "new.md", "# New\n\nThe otter is back.\n", age=50)
    with child(holding, index.root, folder) as other:
        assert heard(other) == "holding"
        with pytest.raises(IndexInUse, match="in use by another process"):
            index.refresh(FolderOrigins(folder))
        assert best(index, "what is for lunch?") == "food/pies.md"
        other.communicate("\n" * 20)
    assert "new.md" in texts(index), "the generation that another process has made is seen at once"


def test_a_generation_is_kept_as_long_as_another_process_reads_it(index: Index, folder: Path) -> None:
    index.refresh(FolderOrigins(folder))
    first = current(index.root)
    assert first is not None
    reader = """
        corpus = Index(root, model).corpus()
        say(len(corpus.passages))
        sys.stdin.readline()
        say(corpus.vectors.sum() != 0)
    """
    with child(reader, index.root) as other:
        assert heard(other) == "3"
        write(folder / "new.md", "# New\n\nThe otter is back.\n", age=50)
        index.refresh(FolderOrigins(folder))
        assert first.is_dir()
        assert other.communicate("\n")[0].strip() == "True"
    index.refresh(FolderOrigins(folder))
    assert not first.exists()


def test_whatever_moment_it_is_killed_at_nothing_is_lost_and_the_rest_is_finished(index: Index) -> None:
    """A child adds documents and is killed with kill -9 at random points (safety.md, row 23)."""
    writing = """
        words = "otter heron weir sluice river tide gauge sensor probe cable mast buoy".split()
        made = [Document(f"d{n}", f"T{n}", f"# T{n}\\n\\n{' '.join(words[(n * k) % 12] for k in range(1, 9))} {n}.")
                for n in range(120)]
        start = int(sys.argv[2])
        for count in range(start, 121, 3):
            Index(root, model, "faiss").refresh(ReadyOrigins(made[:count]))
            say(count)
    """
    chance, count = random.Random(7), 3
    for _ in range(6):
        with child(writing, index.root, count) as process:
            told = heard(process)
            time.sleep(chance.random() * 0.6)
            process.send_signal(signal.SIGKILL)
            told = ([told, *process.communicate()[0].split()])[-1]
        count = int(told)
        corpus = Index(index.root, index.model).corpus()
        # What was told is there; the step after it may be too, and nothing is there by half.
        assert len(corpus.documents) in (count, count + 3)
        assert len(corpus.passages) == len(corpus.documents)
        assert [p.id for p in corpus.passages] == list(dict.fromkeys(p.id for p in corpus.passages))
        exact = index.model.embed([passage.shown for passage in corpus.passages])
        assert np.abs(exact - corpus.vectors).max() < 1e-5
    del corpus
    index.refresh(ReadyOrigins([Document("last", "Last", "# Last\n\nThe end.")]))
    assert [path.name for path in (index.root / "generations").iterdir()] == [index.corpus().name]


def test_a_full_disk_is_told_and_what_was_there_stays(index: Index, folder: Path) -> None:
    """No file may grow beyond a limit, which is how a process can be given a full disk."""
    index.refresh(FolderOrigins(folder))
    filling = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
        text = "".join(f"Sentence number {n} is here. " for n in range(4000))
        long = Document("long.md", "Long", "# Long\\n\\n" + text)
        class Both:
            kept = FolderOrigins(Path(sys.argv[2]))
            def listed(self):
                return [*self.kept.listed(), *ReadyOrigins([long]).listed()]
            def read(self, sources):
                return ReadyOrigins([long]).read(sources)
        try:
            Index(root, model, "faiss").refresh(Both())
        except AppError as error:
            say(error)
    """
    with child(filling, index.root, folder) as process:
        said = process.communicate()[0].strip()
    assert said == "The disk is full: long.md was not added."
    assert sorted(texts(index)) == ["birds/ducks.md", "boats.md", "food/pies.md"]
    assert index.refresh(FolderOrigins(folder)).unchanged == 3


# --- for scripts, and for visitors ------------------------------------------------------------------------------------


def test_a_script_opens_the_index_of_a_folder(folder: Path, tmp_path: Path) -> None:
    index = open_index(folder, data=tmp_path / "data", model="minilm-int8", store="faiss")
    assert best(index, "what is for lunch?") == "food/pies.md"
    write(folder / "new.md", "# Otters\n\nThe otter is back.\n", age=50)
    again = open_index(folder, data=tmp_path / "data", model="minilm-int8", store="faiss")
    assert again.root == index.root
    assert best(again, "otter") == "new.md"
    found = again.search("what is baked on Fridays?", k=2)
    assert found[0].source == "food/pies.md"
    assert len(found) <= 2


def test_several_indexes_live_side_by_side_and_one_can_go(tmp_path: Path, model: Embedder) -> None:
    mine, yours = (Index(tmp_path / name, model, "faiss") for name in ("mine", "yours"))
    mine.refresh(ReadyOrigins([Document("a", "A", "# A\n\nMine alone.")]))
    yours.refresh(ReadyOrigins([Document("b", "B", "# B\n\nYours alone.")]))
    assert (list(texts(mine)), list(texts(yours))) == (["a"], ["b"])
    mine.remove()
    assert not mine.root.exists()
    assert list(texts(yours)) == ["b"]
    with pytest.raises(BadSetting):
        mine.corpus()
