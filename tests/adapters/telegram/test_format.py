"""Markdown to a text and entities that Telegram takes, and nothing that is seen gets lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.telegram.format import (
    MOST_ENTITIES,
    MOST_UNITS,
    PLACEHOLDER,
    formatted,
    plain,
    units,
)
from tests.telegram_server.text import formatted as taken

MARKS = st.sampled_from(
    [
        *("**", "*", "_", "~~", "`", "```", "\n```py\n", "||", "|", "$", "$$", "\\(", "\\)", "\\["),
        *("<b>", "</b>", "<", "<!--", "# ", "> ", "- ", "1. ", "\n", "\n\n", "[a](http://b)", "\\"),
        *(
            "|a|b|\n|-|-|\n|c|d|\n",
            "強調。",
            "「",
            "🙂",
            "&lt;",
            "&#8238;",
            "&#0;",
            "---\n",
            "- [ ] ",
        ),
    ]
)
MARKDOWN = st.lists(MARKS | st.text(max_size=8), max_size=60).map("".join)


def covered(markdown: str, kind: str) -> list[str]:
    """The texts that entities of a kind cover."""
    text, entities = formatted(markdown)
    wide = text.encode("utf-16-le")
    return [
        wide[2 * each.offset : 2 * (each.offset + each.length)].decode("utf-16-le")
        for each in entities
        if each.type == kind
    ]


@settings(max_examples=300, deadline=None)
@given(MARKDOWN)
def test_whatever_is_formatted_is_taken_as_it_is(markdown: str) -> None:
    text, entities = formatted(markdown)
    told = [entity.to_dict() for entity in entities]
    assert taken(text, told, MOST_UNITS) == (text, told)
    assert text
    assert len(told) <= MOST_ENTITIES


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["word", "<tag>", "||", "$x", "a$", "</tag>", "`c`", "**b**"])))
def test_no_word_is_lost(words: list[str]) -> None:
    text, _ = formatted(" ".join(words))
    plain = [re.sub(r"[`*]", "", word) for word in words]
    assert text.split() == (plain or [PLACEHOLDER])


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("a <b>x</b> y", "a <b>x</b> y"),
        ("Use <div> and <br/>", "Use <div> and <br/>"),
        ("<div>\nx `a<b`\n</div>", "<div>\nx a<b\n</div>"),
        ("x <!-- secret --> y", "x <!-- secret --> y"),
        ("a || b and c || d", "a || b and c || d"),
        ("from $HOME/$USER", "from $HOME/$USER"),
        ("$5 or $6", "$5 or $6"),
        (r"\(a^2\) and \(b\)", "a^2 and (b)"),
        (r"\[ x = \frac{1}{2} \]", "x = ½"),
        ("```\nPS1='\\[\\e[1m\\]'\n```", "PS1='\\[\\e[1m\\]'"),
        ("| a || b |\n|-|-|-|\n| c || d |", "a |  | b\n--+--+--\nc |  | d"),
        ("# Title\n\n- one\n- two", "Title\n\n• one\n• two"),
        ("- [ ] to do\n- [x] done", "☐ to do\n✅ done"),
        ("", PLACEHOLDER),
        (" \n\n ", PLACEHOLDER),
        ("\u200b\ufeff", PLACEHOLDER),
        ("```\n```", "```\n```"),
        ("[](x)", "[](x)"),
        ("a\x00b\ud800c\x1b[0m", "a b\ufffdc [0m"),
        ("\x9b1A \u202egnirts", "1A gnirts"),
        ("one\r\ntwo\tthree", "one\ntwo    three"),
    ],
)
def test_text_is_what_people_read(markdown: str, text: str) -> None:
    assert formatted(markdown).text == text


@pytest.mark.parametrize(
    ("markdown", "bold"),
    [
        ("**強調。**次", ["強調。"]),
        ("次**「強調」**です", ["「強調」"]),
        ("**一。**二**三。**四", ["一。", "三。"]),
        ("🙂 **強調。**次 **x**", ["強調。", "x"]),
        ("甲**乙**。**丙**丁", ["乙", "丙"]),
        ("`**強調。**次`", []),
    ],
)
def test_bold_ends_where_wide_punctuation_meets_a_letter(markdown: str, bold: list[str]) -> None:
    assert covered(markdown, "bold") == bold
    assert "\ufdd0" not in formatted(markdown).text


def test_entities_are_placed_in_utf16_units() -> None:
    assert covered("👩‍👩‍👧‍👦 **bold 🙂** `code`", "bold") == ["bold 🙂"]
    assert covered("👩‍👩‍👧‍👦 **bold 🙂** `code`", "code") == ["code"]


def test_open_code_block_is_one_already() -> None:
    (entity,) = formatted("```python\nprint(1)").entities
    assert (entity.type, entity.language) == ("pre", "python")


def test_link_to_nowhere_is_its_text_alone() -> None:
    assert covered("[a](b) [c](javascript:x) [d](https://e.f)", "text_link") == ["d"]


def test_emoji_that_bots_cannot_send_is_text() -> None:
    emoji = "![🙂](tg://emoji?id=5368324170671202286)"
    assert formatted(f"{emoji} x").entities == []


def test_text_that_formatting_makes_too_long_is_sent_as_it_was_written() -> None:
    row = "|" + "x" * 900 + "|y|\n"
    table = row + "|-|-|\n" + "|a|b|\n" * 300
    markdown = table[:4000]
    text, entities = formatted(markdown)
    assert text == markdown.strip()
    assert not entities


def test_longest_part_fits() -> None:
    for text in ("🙂" * 2000, "- x\n" * 1000, "**b** " * 666, "<" * 4000):
        assert units(formatted(text).text) <= MOST_UNITS


def test_more_entities_than_telegram_takes_are_left_out() -> None:
    assert len(formatted("**b** " * 300).entities) == MOST_ENTITIES


@pytest.mark.parametrize("fence", ["```go\n{}\n```", "{}"])
@pytest.mark.parametrize("length", [1000, 3000, 3990])
def test_code_with_tabs_is_never_longer_than_a_message(fence: str, length: int) -> None:
    code = ("\tif err != nil {\n\t\treturn err\n\t}\n" * 200)[: length - 10].rstrip()
    shown = formatted(fence.format(code))
    assert units(shown.text) <= MOST_UNITS
    assert shown.text.split() == code.split(), "nothing is missing"
    assert units(plain(fence.format(code)).text) <= MOST_UNITS


def test_plain_text_is_cut_at_what_a_message_takes() -> None:
    assert plain("x" + "🌱" * 3000).text == "x" + "🌱" * 2047
