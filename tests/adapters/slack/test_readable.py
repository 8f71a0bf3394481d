"""Texts are read as people see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.readable import people_in, readable

NAMES = {"U0ANN": "Ann Smith"}


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("Hello", "Hello"),
        ("Ask <@U0ANN>.", "Ask @Ann Smith."),
        ("Ask <@U0BOB>.", "Ask @U0BOB."),
        ("Ask <@W0BOB|bob>.", "Ask @bob."),
        ("In <#C1|general>", "In #general"),
        ("In <#C1|>", "In #C1"),
        ("<!here> and <!channel|channel>", "@here and @channel"),
        ("<!subteam^S1|@ops> or <!subteam^S2>", "@ops or @S2"),
        ("<!date^1392734382^{date}|Feb 18>", "Feb 18"),
        ("<https://a.example/b?x=1&amp;y=2>", "https://a.example/b?x=1&y=2"),
        ("<https://a.example|the page>", "the page (https://a.example)"),
        ("<http://a.example|a.example>", "a.example"),
        ("{{<http://item.name|item.name>}}", "{{item.name}}"),
        ("<http://a.example>", "http://a.example"),
        ("<mailto:ann@a.example|ann@a.example>", "ann@a.example"),
        ("<mailto:ann@a.example|Ann>", "Ann (mailto:ann@a.example)"),
        ("<tel:+3120|+3120>", "+3120"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt; is &lt;", "&lt; is <"),
        ("&nbsp; stays", "&nbsp; stays"),
        ("<@U0ANN>&lt;@U0ANN&gt;", "@Ann Smith<@U0ANN>"),
        ("<> < > <", "<> < > <"),
        ("<|label>", "label"),
    ],
)
def test_text_is_read_as_people_see_it(sent: str, seen: str) -> None:
    assert readable(sent, NAMES) == seen


def test_everybody_in_a_text_is_found_once() -> None:
    assert people_in("<@U0ANN> <@U0BOB|bob> <@U0ANN> <#C1> &lt;@U9&gt;") == {"U0ANN", "U0BOB"}


@given(st.text())
def test_what_was_escaped_is_what_was_typed(typed: str) -> None:
    sent = typed.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert readable(sent, {}) == typed


@given(st.text(alphabet="<>@#!|^&;ltgampUW01 /:", max_size=80))
def test_whatever_comes_can_be_read(sent: str) -> None:
    readable(sent, NAMES)
