"""What Slack makes of a text that a person types."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.slack_server.text import unescaped
from tests.slack_server.values import User
from tests.slack_server.writing import MARKED, rich_text, typed


@given(text=st.text())
def test_what_is_typed_is_read_as_it_was_typed(text: str) -> None:
    stored = typed(text, ())
    assert MARKED.search(text) or unescaped(stored) == text
    assert MARKED.search(text) or "<" not in stored


@given(text=st.text(st.sampled_from("ab <>@!#&:/h|\n")))
def test_every_text_has_its_rich_text(text: str) -> None:
    stored = typed(text, [User("U1", "ab", "Ab", "T1")])
    elements = [each for block in rich_text(stored) for each in block["elements"][0]["elements"]]
    assert all(len(each) == 2 for each in elements)
    assert bool(elements) == bool(stored)


def test_mention_channel_broadcast_and_link_are_elements() -> None:
    ann = User("U1", "ann", "Ann", "T1")
    stored = typed("@ann see <#C1> <!here> <https://example.com/?a=1&amp;b=2> & @bob", [ann])
    assert stored == ("<@U1> see <#C1> <!here> <https://example.com/?a=1&amp;b=2> &amp; @bob")
    (block,) = rich_text(stored)
    assert block["elements"][0]["elements"] == [
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " see "},
        {"type": "channel", "channel_id": "C1"},
        {"type": "text", "text": " "},
        {"type": "broadcast", "range": "here"},
        {"type": "text", "text": " "},
        {"type": "link", "url": "https://example.com/?a=1&b=2"},
        {"type": "text", "text": " & @bob"},
    ]
