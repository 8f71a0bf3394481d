"""What a model writes is shown as it meant it, and cannot do anything."""

from __future__ import annotations

import time

import pytest

from adapters.http.page.highlighting import LANGUAGES, LONGEST, MOST_LINES, highlighted, is_quick
from adapters.http.page.markdown import rendered
from tests.adapters.contract import NASTY
from tests.adapters.http.page.allowed import Allowed
from tests.shared import shared

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt\n>alert(1)</sCrIpT >",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)><math><mtext></form><form><mglyph><style></math><img src onerror=x>",
    "<!-- --><![CDATA[ <p> ]]><?php ?><!DOCTYPE html>",
    "[a](javascript:alert(1)) [a](JaVaScRiPt:alert(1)) [a](java\tscript:alert(1))",
    "[a](&#106;avascript:alert(1)) [a](javascript&colon;alert(1)) [a](\\javascript:alert(1))",
    "[a](data:text/html,<script>alert(1)</script>) [a](vbscript:x) [a](file:///etc/passwd)",
    "[a](//evil.example) [a](/api/page/start) [a](#say) [a](?x) [a](\u0001javascript:alert(1))",
    '<javascript:alert(1)> <data:text/html,x> <https://ok.example/"onmouseover=alert(1)>',
    '[a](https://ok.example/" onmouseover="alert(1)) [a](https://ok.example "t\\" onclick=\\"x")',
    '![a](javascript:alert(1)) ![a" onerror="x](https://e.example/"x) ![](x.png)',
    "[![a](https://e.example/a.png)](https://e.example) ![[a](https://e.example)](https://e.example)",
    "[a](https://e.example/[b](https://f.example))",
    '```"><script>alert(1)</script>\nx\n```',
    '```html onload="x"\n<script>alert(1)</script>\n```',
    "    <script>indented</script>",
    "`<script>`` <b>`",
    "|<b>|\n|:-:|\n|<script>alert(1)</script>|",
    "1. <iframe srcdoc='<script>'>\n   - <style>*{}</style>",
    "99999999999999. x\n\n999999999. x",
    "&lt;script&gt; &#60;script&#62; &amp;lt; &#x3c;b&#x3e;",
    "\u202e\u2066\ufeff\u2028<b\u2029>\x0b\x0c<\0script>",
    "＜script＞ <ſcript> <scrıpt>",
    "[a]() [a](<>) ![a]() [![a]()](https://e.example) [![a](https://e.example)]()",
    "[x]: javascript:alert(1)\n\n[x] [y][x]",
    "- [x](javascript:alert(1))\n- [x] <b>",
]

A_WHILE = 3.0  # seconds of processor time: ten times what it takes, far below what it took


@pytest.mark.parametrize("text", [*HOSTILE, *NASTY.values()])
def test_nothing_but_what_is_allowed_comes_out(text: str) -> None:
    Allowed("".join(rendered(text)))


def test_no_naughty_string_does_harm() -> None:
    for text in shared("data/strings/blns.json"):
        for around in ("{}", "[{}]({})", "```{}\n{}\n```", "# {}\n|{}|\n|-|", "![{}](https://{})"):
            Allowed("".join(rendered(around.format(text, text))))


def test_every_block_is_one_element() -> None:
    for text in HOSTILE:
        for html in rendered(text):
            assert html.startswith("<")
            Allowed(f"<div>{html}</div>")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**b** *i* ~~s~~", "<p><strong>b</strong> <em>i</em> <s>s</s></p>"),
        ("# One\n", "<h3>One</h3>"),
        ("#### Four\n", "<h5>Four</h5>"),
        ("a\\\nb", "<p>a<br />\nb</p>"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
        ("see main.py and example.com", "<p>see main.py and example.com</p>"),
        ("3. c", '<ol start="3"><li>c</li>\n</ol>'),
        (
            "- [x] a\n- [ ] b [x] c",
            '<ul>\n<li class="task">☑ a</li>\n<li class="task">☐ b [x] c</li>\n</ul>',
        ),
        ("[x]: https://a.example", None),
    ],
)
def test_markdown_is_what_people_expect(text: str, html: str | None) -> None:
    if html:
        assert rendered(text) == (html,)
    else:
        assert "https://a.example" in Allowed("".join(rendered(text))).text


def test_link_opens_outside_and_tells_nothing() -> None:
    (html,) = rendered("[a](https://a.example/?x=1&y=2)")
    assert 'href="https://a.example/?x=1&amp;y=2"' in html
    assert 'rel="noopener noreferrer nofollow" target="_blank"' in html


def test_picture_is_a_link_and_never_loaded() -> None:
    (html,) = rendered("![a *cup*](https://a.example/cup.png)")
    assert "<img" not in html
    assert 'href="https://a.example/cup.png"' in html
    assert ">a cup</a>" in html


def test_columns_of_a_table_are_aligned_without_style() -> None:
    (html,) = rendered("|a|b|c|\n|-|-:|:-:|\n|1|2|3|")
    assert "style" not in html
    assert '<td class="right">2</td>' in html
    assert '<td class="center">3</td>' in html


def test_empty_cell_heads_nothing() -> None:
    (html,) = rendered("||b|\n|-|-|\n|1|2|")
    assert "<td></td>\n<th>b</th>" in html
    Allowed(html)


def test_code_has_colours_its_language_and_a_button() -> None:
    (html,) = rendered("```python\ndef f(): ...\n```")
    assert '<span class="k">def</span>' in html
    assert 'aria-label="Code: python"' in html
    assert Allowed(html).text == "pythonCopydef f(): ...\n"


@pytest.mark.parametrize("language", ["", "nobody-knows", '"><b>', "python" * 50])
def test_code_of_any_language_is_shown(language: str) -> None:
    (html,) = rendered(f"```{language}\n<b>1</b>\n```")
    assert "<b>1</b>\n" in Allowed(html).text


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "x = 1\n" * 10_000),
        ("python", "\n " * 900 + "x\n"),
        ("csharp", "a\n" * 900),
        ("c", "x" + " " * 1900 + "x\n"),
        ("systemd", "x" * 1900 + "\n"),
        ("lilypond", "a" * 1900 + "\n"),
    ],
)
def test_code_that_takes_long_is_shown_without_colours(language: str, code: str) -> None:
    begin = time.process_time()
    (html,) = rendered(f"```{language}\n{code}```")
    assert "<span class" not in html
    assert code in Allowed(html).text
    assert time.process_time() - begin < A_WHILE


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_longest_code_in_colours_takes_no_time(language: str) -> None:
    for piece in ("a", "a.", "'", "//", "<", "#", "-", "1", "a\n", "a b ", "[*"):
        code = (piece * (MOST_LINES if "\n" in piece else LONGEST) + "a " * LONGEST)[:LONGEST]
        begin = time.process_time()
        assert is_quick(code)
        assert highlighted(code, language)
        assert time.process_time() - begin < A_WHILE, piece


def test_code_that_was_in_colours_once_is_not_read_again() -> None:
    highlighted("x = 1", "python")
    before = highlighted.cache_info().hits
    highlighted("x = 1", "python")
    assert highlighted.cache_info().hits == before + 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "*a " * 5000,
        "![[" * 3000,
        "> " * 5000,
        "- " * 3000,
        "[a](b" * 3000,
        "~~a" * 5000,
        "[" * 20_000,
        "://" * 20_000,
        "http://a" * 5000,
    ],
    ids=lambda text: text[:5],
)
def test_text_made_to_take_long_does_not(text: str) -> None:
    begin = time.process_time()
    Allowed("".join(rendered(text)))
    assert time.process_time() - begin < A_WHILE


def test_paragraph_of_any_length_is_shown() -> None:
    text = "a *b* " * 10_000
    (html,) = rendered(text.strip())
    assert Allowed(html).text.strip() == text.strip()


def test_long_answer_has_its_marks() -> None:
    block = "Some *prose*, `code` and [links](https://a.example). " * 20 + "\n\n- an **item**\n\n"
    html = "".join(rendered(block * 100))
    for tag, times in (("<em>", 2000), ("<code>", 2000), ("<a ", 2000), ("<strong>", 100)):
        assert html.count(tag) == times
