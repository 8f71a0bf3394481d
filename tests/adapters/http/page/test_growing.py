"""An answer that grows is rendered piece by piece, and ends as if it had come at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.http.page.growing import Change, Growing
from adapters.http.page.markdown import rendered
from tests.adapters.contract import NASTY
from tests.adapters.http.page.test_markdown import HOSTILE

PIECES = [
    "word", " ", "\n", "\n\n", "\r\n", "\r", "# ", "- ", "* ", "1. ", "2) ", "> ", "    ", "\t",
    "```", "```py\n", "~~~", "| a | b |", "\n|-|-|\n", "|", "---", "===", "***", "**", "_", "`",
    "[a](https://a.example)", "![", "](", "<b>", "&lt;", "\\", "\0", "\u2028", "\x0b", "[x] ",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=60)


class Reader:
    """Who applies changes as the page does."""

    def __init__(self) -> None:
        self.html: list[str] = []

    def take(self, change: Change | None) -> None:
        if change:
            assert change.start <= len(self.html)
            self.html[change.start :] = change.html


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 12), min_size=1))
def test_any_snapshots_end_as_the_whole(text: str, steps: list[int]) -> None:
    growing, reader = Growing(), Reader()
    at = 0
    while at < len(text):
        for step in steps:
            at += step
            reader.take(growing.show(text[:at]))
    reader.take(growing.finish(text))
    assert tuple(reader.html) == rendered(text.replace("\r\n", "\n").replace("\r", "\n"))


@pytest.mark.parametrize("step", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "text",
    [
        "a\n```py x``` b",
        "a\n```py x\ny``` b\n```\nc",
        "a\n# b\n#c\n###### d\n####### e",
        "a\n| b | c |\n|-|-|x\n\nd\n| b | c |\n|-|-|\n| e |\nf",
        "a\n***b*** c\n***\nd\n---\ne",
        "[a]\n\nb\n\nc\n\n[a]: https://a.example",
        "- a\n- b\n\n  c\n\n- d\n\ne\n\n1. f\n1) g\n- h\n* i",
        "> a\nb\n> c\n\n> d\n    e\n\n    f\n\n    g\nh",
        "~~~\na\n\n\nb\n~~~\nc\n~~~\nd",
        "a\n1. b\n2. c\nd\n2. e\n\n2. f",
    ],
)
def test_what_later_words_may_change_is_not_settled(text: str, step: int) -> None:
    growing, reader = Growing(), Reader()
    for end in range(0, len(text), step):
        reader.take(growing.show(text[:end]))
    reader.take(growing.finish(text))
    assert tuple(reader.html) == rendered(text)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_snapshots_that_do_not_grow_out_of_each_other_end_as_the_last(texts: list[str]) -> None:
    growing, reader = Growing(), Reader()
    for text in texts:
        reader.take(growing.show(text))
    reader.take(growing.finish(texts[-1]))
    assert tuple(reader.html) == rendered(texts[-1].replace("\r\n", "\n").replace("\r", "\n"))


def test_every_prefix_of_what_is_nasty_is_rendered() -> None:
    for text in [*HOSTILE, *NASTY.values()]:
        growing = Growing()
        for end in range(0, len(text), 1 + len(text) // 200):
            growing.show(text[:end])
        growing.finish(text)


def test_only_what_changed_is_sent() -> None:
    growing = Growing()
    text = "One.\n\nTwo.\n\nThree.\n\nFo"
    assert growing.show(text) == Change(0, rendered(text))
    assert growing.show(text + "ur.") == Change(3, ("<p>Four.</p>",))
    assert growing.finish(text + "ur.") is None


def test_line_that_may_become_anything_waits() -> None:
    growing = Growing()
    assert growing.show("Some text\n-") == Change(0, ("<p>Some text</p>",))
    assert growing.show("Some text\n- an item") == Change(1, ("<ul>\n<li>an item</li>\n</ul>",))


def test_code_that_is_not_closed_yet_looks_like_code() -> None:
    change = Growing().show("```python\nfor i in range(3):\n    print(")
    assert change
    assert '<span class="k">for</span>' in change.html[0]


def cost(block: str, snapshots: int) -> tuple[float, int]:
    """Seconds and characters of HTML that it takes to show 100,000 characters of this."""
    text = (block * 100_000)[:100_000]
    growing, sent = Growing(), 0
    begin = time.process_time()
    for number in range(1, snapshots + 1):
        change = growing.show(text[: len(text) * number // snapshots])
        sent += sum(map(len, change.html)) if change else 0
    growing.finish(text)
    return time.process_time() - begin, sent


def test_long_answer_in_many_snapshots_costs_a_multiple_of_its_length() -> None:
    seconds, sent = cost(
        "A paragraph of *an* answer, as models write it.\n\n- and\n- a list\n\n", 2000
    )
    assert sent < 2_000_000
    assert seconds < 15  # of processor time; it takes less than one


def test_one_long_block_does_not_cost_its_square() -> None:
    _, sent = cost("words without an end, ", 2000)
    assert sent < 10_000_000, "2,000 times half of it would be 100 million"
