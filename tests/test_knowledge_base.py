"""The knowledge base that ships: its folders, its links, and questions whose answers really stand where they say."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent / "knowledge-base"
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(ROOT.rglob("*.md"))}
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOT / "knowledge-base-tests.jsonl").read_text("utf-8").splitlines()
]
ALONE = [row for row in QUESTIONS if "history" not in row]
FOLLOWING = [row for row in QUESTIONS if "history" in row]
CATEGORIES = {
    "direct_fact", "temporal", "comparative", "numerical", "relationship", "spanning", "holistic", "unanswerable",
}  # fmt: skip


def test_the_folders_and_how_much_is_in_them() -> None:
    folders = Counter(name.split("/")[0] for name in TEXTS)
    assert folders == {"company": 12, "products": 17, "people": 16, "contracts": 15, "policies": 15}
    words = [len(text.split()) for text in TEXTS.values()]
    assert min(words) >= 250
    assert sum(count >= 1500 for count in words) >= 3


def test_every_file_has_one_title_and_differs_from_all_others() -> None:
    titles = [re.findall(r"^# (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M) for text in TEXTS.values()]
    assert all(len(title) == 1 for title in titles)
    assert len({title[0] for title in titles}) == len(set(TEXTS.values())) == len(TEXTS)


def test_links_between_the_files_lead_somewhere() -> None:
    for name, text in TEXTS.items():
        for target, _, heading in (link.partition("#") for link in re.findall(r"\]\(([^)]+)\)", text)):
            path = (ROOT / name).parent.joinpath(target).resolve() if target else ROOT / name
            assert path.is_file(), f"{name}: {target}"
            titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.M)
            assert heading in ["", *(title.lower().replace(" ", "-") for title in titles)], f"{name}: {heading}"


def test_how_many_questions_there_are() -> None:
    assert len(ALONE) >= 160
    assert len(FOLLOWING) >= 50
    counts = Counter(row["category"] for row in ALONE)
    assert set(counts) == CATEGORIES
    assert min(counts.values()) >= 12
    assert {row["category"] for row in FOLLOWING} <= CATEGORIES


def test_no_question_is_asked_twice() -> None:
    asked = Counter(
        (row["question"].lower(), *(turn["content"].lower() for turn in row.get("history", []))) for row in QUESTIONS
    )
    assert max(asked.values()) == 1


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row["question"][:50])
def test_the_answer_stands_in_its_sources(row: dict[str, Any]) -> None:
    assert row["question"]
    assert row["reference_answer"]
    if row["category"] == "unanswerable":
        assert row["keywords"] == row["sources"] == []
        return
    assert 2 <= len(row["keywords"]) <= 5
    passages = [TEXTS[source].lower() for source in row["sources"]]
    for keyword in row["keywords"]:
        assert any(keyword.lower() in passage for passage in passages), keyword
    for source, passage in zip(row["sources"], passages, strict=True):
        assert any(keyword.lower() in passage for keyword in row["keywords"]), source


@pytest.mark.parametrize("row", FOLLOWING, ids=lambda row: row["question"][:50])
def test_a_follow_up_has_the_turn_before(row: dict[str, Any]) -> None:
    assert [turn["role"] for turn in row["history"]] == ["user", "assistant"]
    assert all(turn["content"] for turn in row["history"])
