"""An answer is shown while it grows: whatever a model writes, each beginning of it can be sent."""

from __future__ import annotations

import random

import pytest

from adapters.telegram.format import formatted
from tests.shared import shared
from tests.telegram_server.text import formatted as taken

FRAGMENTS = (
    *("**", "*", "***", "_", "__", "~~", "~", "`", "``", "||", "|", "\\", "$", "$$", "![", "["),
    *("```py\n", "\n```\n", "```", "> ", ">> ", "\n> ", "](http://a.b/c_d", "](", ")", "]", "<b>"),
    *("</b>", "<a href='x'>", "<!-- ", "&amp;", "&#0;", "&#9;", "&#8238;", "\n- ", "\n1. ", "\n# "),
    *("\n---\n", "\n| a | b |\n|---|---|\n| ", " | ", "\n\n", "\n", "    ", "\t", "😀", "e\u0301"),
    *("👩\u200d👩\u200d👧\u200d👦", "強調。", "次の", "\u202e", "\u2028", "\x00", "\ufeff"),
    *("- [ ] ", "- [x] ", "word", " ", "x^2", "@channel", "/start", "#tag", "http://a.b/_c_"),
    *("\u200b", ":::", "tg://user?id=1", "[^1]", "[^1]: "),
)
TEXTS, SHARES = 200, 8
MOST_UNITS = 4096


def nasty(number: int) -> str:
    """One of the texts, always the same."""
    dice = random.Random(number)
    return "".join(dice.choice(FRAGMENTS) for _ in range(24))


def sendable(markdown: str) -> None:
    """Telegram takes it, and takes nothing out of it."""
    text, entities = formatted(markdown)
    kept, standing = taken(text, [entity.to_dict() for entity in entities], MOST_UNITS)
    assert kept
    assert kept == text
    assert standing == [entity.to_dict() for entity in entities]


@pytest.mark.parametrize("share", range(SHARES))
def test_every_beginning_of_a_nasty_text_can_be_sent(share: int) -> None:
    for number in range(share, TEXTS, SHARES):
        text = nasty(number)
        for end in range(len(text) + 1):
            sendable(text[:end])


def test_naughty_strings_can_be_sent() -> None:
    for text in shared("data/strings/blns.json"):
        sendable(text)
