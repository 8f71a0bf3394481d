"""What a person reads in blocks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.slack_server.text import block_texts, escaped, unescaped


def plain(text: str) -> dict[str, str]:
    """A text object."""
    return {"type": "plain_text", "text": text}


LINE = {
    "type": "rich_text_section",
    "elements": [
        {"type": "text", "text": "see "},
        {"type": "link", "url": "https://a.com", "text": "this"},
        {"type": "text", "text": ", "},
        {"type": "user", "user_id": "U012"},
        {"type": "emoji", "name": "wave"},
    ],
}
READ = "see this, @U012:wave:"


@pytest.mark.parametrize(
    ("block", "read"),
    [
        ({"type": "markdown", "text": "**a**"}, ["**a**"]),
        ({"type": "header", "text": plain("a")}, ["a"]),
        ({"type": "section", "text": plain("a"), "fields": [plain("b"), plain("c")]}, ["a\nb\nc"]),
        ({"type": "context", "elements": [plain("a"), plain("b")]}, ["a\nb"]),
        ({"type": "image", "image_url": "x", "alt_text": "a", "title": plain("b")}, ["b\na"]),
        ({"type": "rich_text", "elements": [LINE, LINE]}, [f"{READ}\n{READ}"]),
        ({"type": "table", "rows": [[{"type": "raw_text", "text": "a"}], [LINE]]}, [f"a\n{READ}"]),
        ({"type": "actions", "elements": [{"type": "button", "text": plain("Go")}]}, []),
        ({"type": "divider"}, []),
    ],
)
def test_block_is_read(block: dict[str, Any], read: list[str]) -> None:
    assert block_texts([block]) == read


@given(st.text())
def test_escaped_text_is_read_as_it_was_written(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert "<" not in escaped(text)
