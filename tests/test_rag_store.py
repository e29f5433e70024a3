"""Vector stores: one body of assertions over Chroma on disk, a Chroma server and FAISS; then what each can suffer."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import BadSetting, StoreUnusable
from core.rag.embedding import Embedder, Vectors, embedder
from core.rag.index import Index
from core.rag.origins import ReadyOrigins
from core.rag.passages import Document
from core.rag.split import Recipe
from core.rag.store import About, Record, Store, open_store

ROOT = Path(__file__).parent.parent
ABOUT = About("some model", "r1", 16, "Recipe()")
OPEN = Callable[..., Store]


def vectors(count: int, dimension: int = 16, seed: int = 1) -> Vectors:
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def records(made: Vectors, first: int = 0) -> list[Record]:
    return [Record(f"id{n}", f"text {n}", {"n": n}, vector) for n, vector in enumerate(made, first)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a real Chroma server."""
    with serving(tmp_path_factory.mktemp("server")) as (address, _):
        yield address


class serving:  # noqa: N801
    """`chroma run` in a process of its own."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.port = port

    def __enter__(self) -> tuple[str, subprocess.Popen[bytes]]:
        with socket.create_server(("127.0.0.1", self.port)) as free:
            port = free.getsockname()[1]
        command = [str(Path(sys.executable).parent / "chroma"), "run", "--path", str(self.folder), "--port", str(port)]
        with (self.folder / "log.txt").open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/heartbeat", timeout=5).close()
                return f"127.0.0.1:{port}", self.process
            except OSError:
                assert time.monotonic() < until, (self.folder / "log.txt").read_text()
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(params=["chroma", "server", "faiss"])
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OPEN]:
    kind = request.getfixturevalue("server") if request.param == "server" else request.param
    opened: list[Store] = []

    def opens(about: About = ABOUT, folder: Path = tmp_path / "store") -> Store:
        opened.append(open_store(kind, folder, f"passages-{tmp_path.name}"[:60], about))
        return opened[-1]

    yield opens
    for store in opened:
        store.close()


# --- what every store does --------------------------------------------------------------------------------------------


def test_it_finds_what_is_nearest(opens: OPEN) -> None:
    store, made = opens(), vectors(60)
    store.upsert(records(made))
    found = store.nearest(made[7], 5)
    alike = made @ made[7]
    assert [name for name, _ in found] == [f"id{row}" for row in np.argsort(-alike)[:5]]
    assert [score for _, score in found] == pytest.approx(sorted(alike, reverse=True)[:5], abs=1e-4)
    assert len(store.nearest(made[7], 100)) == 60
    assert store.count() == 60


def test_a_record_of_the_same_id_takes_the_others_place(opens: OPEN) -> None:
    store, made = opens(), vectors(10)
    store.upsert(records(made))
    store.upsert([Record("id3", "new", {"n": 33}, -made[3])])
    assert store.count() == 10
    assert store.nearest(-made[3], 1)[0][0] == "id3"
    assert {r.text for page in store.records() for r in page if r.id == "id3"} == {"new"}


def test_what_is_deleted_is_gone(opens: OPEN) -> None:
    store, made = opens(), vectors(20)
    store.upsert(records(made))
    store.delete(["id3", "id4", "nobody"])
    assert store.ids() == {f"id{n}" for n in range(20)} - {"id3", "id4"}
    assert "id3" not in [name for name, _ in store.nearest(made[3], 20)]


def test_every_record_comes_back_whole_in_pages(opens: OPEN) -> None:
    store, made = opens(), vectors(25)
    store.upsert(records(made))
    pages = list(store.records(10))
    assert [len(page) for page in pages] == [10, 10, 5]
    whole = {record.id: record for page in pages for record in page}
    assert (whole["id9"].text, dict(whole["id9"].metadata)) == ("text 9", {"n": 9})
    assert whole["id9"].vector == pytest.approx(made[9], abs=1e-6)


def test_an_empty_store_finds_nothing(opens: OPEN) -> None:
    store = opens()
    store.upsert([])
    store.delete([])
    assert (store.count(), store.ids(), list(store.records()), store.nearest(vectors(1)[0], 3)) == (0, set(), [], [])


def test_vectors_of_another_length_are_refused_and_what_was_there_stays(opens: OPEN) -> None:
    store, made = opens(), vectors(5)
    store.upsert(records(made))
    with pytest.raises(StoreUnusable):
        store.upsert(records(vectors(2, 8), first=50))
    assert store.count() == 5
    assert store.nearest(made[2], 1)[0][0] == "id2"


# --- Chroma -----------------------------------------------------------------------------------------------------------


def test_it_is_there_after_closing(tmp_path: Path) -> None:
    made = vectors(30)
    store = open_store("chroma", tmp_path, "passages", ABOUT)
    store.upsert(records(made))
    store.close()
    again = open_store("chroma", tmp_path, "passages", ABOUT)
    assert again.nearest(made[4], 1)[0][0] == "id4"
    again.close()


@pytest.mark.parametrize("other", [About("other model", "r1", 16, "Recipe()"), About("some model", "r2", 16, "x")])
def test_another_model_of_the_same_length_never_gets_in(tmp_path: Path, server: str, other: About) -> None:
    for kind in ("chroma", server):
        name = f"mine-{tmp_path.name}"[:60]
        open_store(kind, tmp_path, name, ABOUT).close()
        with pytest.raises(StoreUnusable, match="some model"):
            open_store(kind, tmp_path, name, other)


def test_two_clients_of_a_server_see_the_same(server: str, tmp_path: Path) -> None:
    one, other = (open_store(server, tmp_path, "shared", ABOUT) for _ in range(2))
    made = vectors(40)
    one.upsert(records(made[:20]))
    other.upsert(records(made[20:], first=20))
    for store in (one, other):
        assert store.count() == 40
        assert [store.nearest(vector, 1)[0][0] for vector in made] == [f"id{n}" for n in range(40)]
        store.close()


def test_a_server_that_goes_away_is_told(tmp_path: Path) -> None:
    with serving(tmp_path) as (address, _):
        store = open_store(address, tmp_path, "passages", ABOUT)
        store.upsert(records(vectors(3)))
    with pytest.raises(StoreUnusable, match="its server is away"):
        store.nearest(vectors(1)[0], 1)
    with pytest.raises(StoreUnusable):
        open_store(address, tmp_path, "passages", ABOUT)
    store.close()


@pytest.mark.parametrize("kind", ["", "pinecone", "host", "host:", "http://a:1", "a b:80"])
def test_a_store_that_does_not_exist_is_a_setting_that_is_wrong(tmp_path: Path, kind: str) -> None:
    with pytest.raises(BadSetting, match="no store"):
        open_store(kind, tmp_path, "passages", ABOUT)


# --- a store under a corpus -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> Embedder:
    return embedder("minilm-int8")


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    """Every sentence of the knowledge base that is worth one, as a document: real vectors, quickly made."""
    made = []
    for page in sorted((ROOT / "knowledge-base").glob("*/*.md")):
        text = page.read_text("utf-8")
        lines = dict.fromkeys(line.strip() for line in re.split(r"\n|(?<=[.;:,]) ", text) if 25 < len(line) < 110)
        made += [Document(f"{page.stem}-{n}", "", line, page.parent.name) for n, line in enumerate(lines)]
    return made


@pytest.fixture(scope="module")
def made(model: Embedder, documents: list[Document], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("index") / "made"
    done = Index(root, model).refresh(ReadyOrigins(documents), Recipe(size=400, overlap=0))
    assert not done.problem
    assert done.passages == len(documents) > 2000
    return root


@pytest.fixture
def root(made: Path, tmp_path: Path) -> Path:
    """A copy of the index to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "index"))


@pytest.mark.parametrize("kind", ["chroma", "faiss"])
def test_the_store_finds_what_an_exact_search_finds(made: Path, model: Embedder, kind: str) -> None:
    corpus = Index(made, model, kind, large=0).corpus()
    store = corpus._store.wait()
    assert store is not None
    found = []
    for row in range(0, len(corpus.passages), 3):
        vector = np.array(corpus.vectors[row])
        exact = set(np.argsort(-(corpus.vectors @ vector))[:10].tolist())
        found.append(len(exact & {hit for hit, _ in corpus.nearest(vector, 10)}) / 10)
    assert np.mean(found) >= 0.99
    store.close()


@pytest.mark.parametrize("large", [0, 50_000])
def test_a_filter_is_exact_with_and_without_the_store(made: Path, model: Embedder, large: int) -> None:
    corpus = Index(made, model, large=large).corpus()
    store = corpus._store.wait()
    assert (store is None) == (large > 0)
    query = model.embed(["Who signs the contracts?"])[0]
    alike = corpus.vectors @ query
    for types in (["people"], ["contracts", "company"], ["products", "people", "policies", "contracts", "company"]):
        inside = [row for row, passage in enumerate(corpus.passages) if passage.doc_type in types]
        expected = sorted(inside, key=lambda row: -alike[row])[:10]
        found = corpus.nearest(query, 10, corpus.chosen(doc_types=types))
        assert len({row for row, _ in found} & set(expected)) >= 9
        assert {corpus.passages[row].doc_type for row, _ in found} <= set(types)
    source = corpus.passages[5].source
    assert corpus.nearest(query, 10, corpus.chosen([source]))[0][0] == 5
    assert corpus.nearest(query, 10, corpus.chosen([source], ["nothing"])) == []
    assert corpus.nearest(query, 10, corpus.chosen(["nobody"])) == []
    assert corpus.chosen() is None
    if store is not None:
        store.close()


def segment(root: Path) -> Path:
    return next(root.glob("generations/*/store/*/data_level0.bin")).parent


def overwritten(root: Path) -> None:
    file = segment(root) / "data_level0.bin"
    file.write_bytes(b"\xff" * file.stat().st_size)


def truncated(root: Path) -> None:
    file = segment(root) / "data_level0.bin"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])


def without_its_segment(root: Path) -> None:
    shutil.rmtree(segment(root))


def without_its_database(root: Path) -> None:
    next(root.glob("generations/*/store/chroma.sqlite3")).unlink()


def with_a_broken_database(root: Path) -> None:
    file = next(root.glob("generations/*/store/chroma.sqlite3"))
    data = bytearray(file.read_bytes())
    data[100:6000] = b"\xee" * 5900
    file.write_bytes(data)


@pytest.mark.parametrize(
    "damage", [overwritten, truncated, without_its_segment, without_its_database, with_a_broken_database]
)
def test_a_damaged_store_costs_neither_the_process_nor_an_answer(
    root: Path, model: Embedder, documents: list[Document], damage: Callable[[Path], None]
) -> None:
    """Opening some of these ends the process that does it, so a child does it first (safety.md, M14)."""
    damage(root)
    index = Index(root, model, large=0)
    corpus = index.corpus()
    assert corpus._store.wait() is None
    query = np.array(corpus.vectors[11])
    assert corpus.nearest(query, 1)[0][0] == 11
    again = index.refresh(ReadyOrigins(documents), Recipe(size=400, overlap=0))
    assert (again.problem, again.unchanged) == ("", len(documents))
    healed = Index(root, model, large=0).corpus()._store.wait()
    assert healed is not None
    assert healed.nearest(query, 1)[0][0] == corpus.passages[11].id
    healed.close()


def test_several_instances_of_the_app_share_a_server(
    model: Embedder, documents: list[Document], tmp_path: Path, server: str
) -> None:
    some = ReadyOrigins(documents[:40])
    corpora = []
    for name in ("one", "two"):
        index = Index(tmp_path / name, model, server, large=0)
        assert not index.refresh(some).problem
        corpora.append(index.corpus())
    stores = [corpus._store.wait() for corpus in corpora]
    query = np.array(corpora[0].vectors[3])
    assert corpora[0].nearest(query, 3) == corpora[1].nearest(query, 3)
    assert [store and store.count() for store in stores] == [40, 40]
    for store in filter(None, stores):
        store.close()


def test_what_a_server_no_longer_needs_to_hold_goes(
    model: Embedder, documents: list[Document], tmp_path: Path, server: str
) -> None:
    """With the last index that used it: after an edit, and when the index is removed."""
    before = collections(server)
    one, two = (Index(tmp_path / name, model, server, large=0) for name in ("one", "two"))
    for index in (one, two):
        assert not index.refresh(ReadyOrigins(documents[:8])).problem
    (shared,) = collections(server) - before
    one.refresh(ReadyOrigins(documents[:9]))
    (mine,) = collections(server) - before - {shared}
    two.refresh(ReadyOrigins(documents[:9]))
    assert collections(server) - before == {mine}, "nobody has the shared one, and the new one is shared again"
    one.remove()
    assert collections(server) - before == {mine}
    two.remove()
    assert collections(server) == before


def test_a_server_that_was_away_is_told_later(model: Embedder, documents: list[Document], tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving(folder, port) as (address, _):
        index = Index(tmp_path / "index", model, address, large=0)
        assert not index.refresh(ReadyOrigins(documents[:8])).problem
        (old,) = collections(address)
    assert "its server is away" in index.refresh(ReadyOrigins(documents[:9])).problem
    assert len(list((index.root / "generations").iterdir())) == 2
    with serving(folder, port):
        assert not index.refresh(ReadyOrigins(documents[:9])).problem
        assert len(collections(address)) == 1
        assert old not in collections(address)
    assert len(list((index.root / "generations").iterdir())) == 1


def collections(server: str) -> set[str]:
    """The names of a server's collections, asked of it without any code of ours."""
    url = f"http://{server}/api/v2/tenants/default_tenant/databases/default_database/collections?limit=1000"
    with urllib.request.urlopen(url, timeout=10) as reply:
        return {row["name"] for row in json.load(reply)}


def test_searches_go_on_when_the_server_goes_away(model: Embedder, documents: list[Document], tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with serving(folder) as (address, _):
        index = Index(tmp_path / "index", model, address, large=0)
        assert not index.refresh(ReadyOrigins(documents[:30])).problem
        corpus = index.corpus()
        store = corpus._store.wait()
        assert store is not None
        query = np.array(corpus.vectors[3])
        assert corpus.nearest(query, 1)[0][0] == 3
    assert corpus.nearest(query, 1)[0][0] == 3
    store.close()
    changed = index.refresh(ReadyOrigins(documents[:31]))
    assert "its server is away" in changed.problem
    assert len(index.corpus().passages) == 31
