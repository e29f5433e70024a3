"""What the page shows of a conversation: bubbles, their order, and the figures."""

from __future__ import annotations

import html
import re
from dataclasses import replace

from core.llm import Conversation, Done, Message, ToolCall, ToolResult
from tabs.bubbles import bubbles, figures, message_at, money, totals

CALL = ToolCall("1", "get_ticket_price", {"origin": "Delhi", "destination": "<b>Paris</b>"})
DONE = Done("end", 20, 10, seconds_to_first_token=0.5, seconds=1.5, cost=0.0025, choice="local/starter")
ASKED: Conversation = (
    Message("user", "How <i>much</i>?"),
    Message("assistant", "Let me look.", thinking="Hm.", tool_calls=(CALL,), done=Done("tool_use", 10, 5)),
)
RESULT = Message("tool", tool_result=ToolResult("1", CALL.name, "```\n<img>\n512 USD", seconds=0.25))
WHOLE: Conversation = (*ASKED, RESULT, Message("assistant", "512.", done=DONE))


def test_thinking_text_call_and_answer_come_in_order() -> None:
    shown = bubbles(WHOLE)
    titles = [html.unescape(bubble.get("metadata", {}).get("title", bubble["content"])) for bubble in shown]
    assert titles == [
        "How <i>much</i>?",
        "💭 Thinking",
        "Let me look.",
        "🛠️ get_ticket_price(Delhi, <b>Paris</b>)",
        "512.",
        "📊 local/starter · 10 tokens · first after 0.50 s · 10 tokens/s · $0.0025",
    ]
    assert not any(re.search(r"<[A-Za-z/!]|!\[", str(bubble.get("metadata", bubble["content"]))) for bubble in shown)
    assert shown[3]["metadata"]["duration"] == 0.25
    assert shown[3]["metadata"]["status"] == "done"


def test_a_result_cannot_leave_its_code_block() -> None:
    content = bubbles(WHOLE)[3]["content"]
    assert "<img>" not in content
    assert "```\n<img>\n512 USD" in html.unescape(content)


def test_a_call_without_a_result_is_pending_until_its_turn_is_left() -> None:
    assert bubbles(ASKED)[-1]["metadata"]["status"] == "pending"
    left = bubbles((*ASKED, Message("user", "Never mind")))[3]
    assert left["metadata"]["status"] == "done"
    assert "interrupted" in left["content"]


def test_a_failed_call_says_why() -> None:
    failed = replace(RESULT, tool_result=ToolResult("1", CALL.name, "No fare is known.", is_error=True))
    assert "⚠️ No fare is known." in bubbles((*ASKED, failed))[-1]["content"]


def test_why_an_answer_is_incomplete_is_shown() -> None:
    cut = Message("assistant", "It co", done=replace(DONE, stop="length"))
    assert "longest length" in bubbles((cut,))[1]["content"]
    calling = bubbles((Message("assistant", "It co", done=replace(DONE, stop="tool_use")),))
    assert "in the middle of a tool call" in calling[1]["content"]
    assert "- Ended because: the model called a tool" in calling[2]["content"]
    assert bubbles((Message("assistant", "It", note="Stopped."),))[1]["content"] == "⚠️ Stopped."


def test_each_bubble_leads_back_to_its_message() -> None:
    assert [message_at(WHOLE, index) for index in range(6)] == [0, 1, 1, 1, 3, 3]
    assert message_at(WHOLE, 99) == 3


def test_figures_say_only_what_is_known() -> None:
    assert Done().tokens_per_second is None
    assert figures(Done(choice="x/y")) == "x/y · price unknown"
    assert [money(cost) for cost in (None, 0, 0.00002, 0.00012, 2.5)] == [
        "price unknown", "free", "under $0.0001", "$0.0001", "$2.50"
    ]  # fmt: skip


def test_the_chat_is_summed() -> None:
    assert totals(()) == ""
    assert totals(WHOLE) == "This chat: 30 tokens read · 15 written · $0.0025 for what has a price"
