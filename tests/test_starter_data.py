"""The data that the built-in model learns from: answers stand in their passages, questions say whom they are about."""

import re
from random import Random

from starter.data import grids, prose
from starter.data.dialogues import Conversation
from starter.data.forms import FOLDER
from starter.data.passages import UNKNOWN


def plain(text: str) -> str:
    """On one line, without the dashes of a list."""
    return " ".join(re.sub(r"^- ", "", text, flags=re.M).split())


def test_the_sentence_that_answers_stands_in_the_passage() -> None:
    rng, seen = Random(1), 0
    for _ in range(60):
        for sheet in prose.shelf(rng)[0]:
            seen += len(sheet.answers)
            assert all(plain(answer) in plain(sheet.text) for _, answer in sheet.answers), sheet
    assert seen > 500


def test_row_column_and_cell_of_an_answer_stand_in_the_table() -> None:
    rng, seen = Random(2), 0
    for _ in range(40):
        for sheet in grids.tables(rng)[0]:
            for _, answer in sheet.answers:
                name, told = answer.split(": ", 1)
                assert name in sheet.text
                assert all(word in sheet.text for word in told.replace(",", " ").split()), answer
                seen += 1
    assert seen > 300


def test_a_question_names_whom_its_paragraph_is_about() -> None:
    for paragraph in (p for found in prose.paragraphs().values() for p in found if p.named):
        assert all("{S}" in q for line in paragraph.lines for q in line.questions), paragraph.heading


def test_no_section_of_forms_comes_twice() -> None:
    for file in FOLDER.glob("*.txt"):
        names = re.findall(r"^\[\w+\]$", file.read_text(encoding="utf-8"), flags=re.M)
        assert len(names) == len(set(names)), file.name  # The second would replace the first.


def test_no_slot_and_no_choice_is_left_in_a_dialogue() -> None:
    rng = Random(3)
    for _ in range(60):
        sheets, open_ = prose.shelf(rng)
        said = open_ + [x for s in sheets for pair in s.answers for x in pair] + [s.heading for s in sheets]
        assert not [x for x in said if re.search(r"\{\w+\}|<[^>]*\|", x)]


def test_most_searches_find_what_answers() -> None:
    rng = Random(4)
    searches, open_ = 0, 0
    for _ in range(150):
        messages = Conversation(rng, library=True).make()["messages"]
        for call, _, answer in zip(messages, messages[1:], messages[2:], strict=False):
            if [c["function"]["name"] for c in call.get("tool_calls", [])] == ["search_knowledge_base"]:
                searches += 1
                open_ += answer["content"] == UNKNOWN
    assert searches > 100
    assert 0.05 < open_ / searches < 0.3
