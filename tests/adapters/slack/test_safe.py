"""Nothing that a model writes wakes anybody or disguises a link, and it reads as it was written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from adapters.slack.links import addresses, host
from adapters.slack.safe import cleaned, mrkdwn, notice, plain, safe, streamable, visible
from tests.adapters.slack.desk import Desk, desk
from tests.shared import shared
from tests.slack_server.pings import acts
from tests.slack_server.text import unescaped

PINGS = (
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<@U0ANN>",
    "<!subteam^S012|@team>",
    "<#C012|general>",
    "<https://evil.com|https://bank.com>",
    "<mailto:x@evil.com|ceo@bank.com>",
    "&lt;!channel&gt;",
    "&amp;lt;!channel>",
    "&#60;!channel&#62;",
    "`<!channel>`",
    "```\n<!channel>\n```",
    "<<!channel>>",
    "<\u200b!channel>",
    "<\r!channel>",
    "<\x00!channel>",
    "\\<!channel>",
    "[x](<!channel>)",
    "[x](!channel)",
    "[x](@U0ANN)",
    "[<!channel>](https://a.com)",
    "![<!channel>](https://a.com)",
)
LIES = (
    "[https://bank.com](https://evil.com)",
    "[bank.com](https://evil.com/bank.com)",
    "[**https://bank.com**](https://evil.com)",
    "[`bank.com`](https://evil.com)",
    "[see https://bank.com now](https://evil.com)",
    "[https://bank.com/login](https://bank.com.evil.com/login)",
    "[https://bank.com](https://bank.com@evil.com)",
    "[https://bank.com]( https://evil.com 'title')",
    "[https://bank.com](<https://evil.com>)",
    "![https://bank.com](https://evil.com)",
    "[![https://bank.com](https://bank.com)](https://evil.com)",
    "[[https://bank.com]](https://evil.com)",
    "[https://bank.com `[` ](https://evil.com)",
    "[`]` https://bank.com](https://evil.com)",
    "[https://bank.com `]` more](https://evil.com)",
    "`\n> [https://bank.com `]` more](https://evil.com)",
    "`\n> [https://bank.com `[` more](https://evil.com)",
    "`\n> [https://bank.com `[\n> ` more](https://evil.com)",
    "`\n> [https://bank.com `](x)` more](https://evil.com)",
    "[ｂａｎｋ．com](https://evil.com)",
    "[ba\u200bnk.com](https://evil.com)",
    "[bank\\.com](https://evil.com)",
    "[www.bank.com](//evil.com)",
    "[https://bank.com][1]\n\n[1]: https://evil.com",
    "[https://bank.com][]\n\n[https://bank.com]: https://evil.com",
    "[https://bank.com]\n\n[https://bank.com]: https://evil.com",
)
HONEST = (
    "[the docs](https://docs.python.org/3/library/re.html)",
    "[docs.python.org](https://docs.python.org/3/)",
    "[https://www.a.com](https://a.com/x?b=1)",
    "[main.py](https://github.com/x/main.py)",
    "Use `foo` from [docs](https://docs.python.org) or [GitHub](https://github.com/x)",
    "- [x] done\n- [ ] open",
    "a[0](1) and f[i][j]",
    "> [!NOTE]\n> quoted",
)
WRITTEN = st.lists(
    st.one_of(
        st.sampled_from([*PINGS, *LIES, *HONEST]),
        st.sampled_from([*"<>&[]()`\\!@#|*_~:;/. \n", "```", "\n\n", "](", "&lt;", "&amp;"]),
        st.sampled_from(["https://bank.com", "evil.com", "[bank.com", "(https://evil.com)"]),
        st.text(max_size=6),
    ),
    max_size=12,
).map("".join)


def wakes(text: str) -> list[tuple[str, str]]:
    """What Slack would act on, whichever way it takes the text."""
    return [*acts("markdown", text), *acts("mrkdwn", text)]


def disguised(text: str) -> list[tuple[str, str]]:
    """The links that CommonMark makes of a text and whose labels show another host."""
    found = []
    for block in MarkdownIt().parse(text):
        label, href = "", ""
        for token in block.children or ():
            if token.type == "link_open":
                label, href = "", str(token.attrs["href"])
            label += token.content
            if token.type == "link_close" and {host(each) for each in addresses(label)} - {
                host(href)
            }:
                found.append((label, href))
    return found


@pytest.mark.parametrize("text", [*PINGS, *LIES])
def test_nothing_pings_or_lies(text: str) -> None:
    assert wakes(safe(text)) == []
    assert wakes(mrkdwn(text)) == []
    assert list(acts("mrkdwn", notice(text, 3000))) == []


@pytest.mark.parametrize("text", LIES)
def test_disguised_link_is_no_link(text: str) -> None:
    assert "evil.com" in safe(text)
    assert disguised(safe(text)) == []


@pytest.mark.parametrize("text", HONEST)
def test_honest_link_stays_one(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    "text",
    ["a < b && c > d", "<div class='x'>&nbsp;</div>", "&lt;b&gt;", "&amp;amp;", "AT&T", "x <- y"],
)
def test_code_reads_as_it_was_written(text: str) -> None:
    assert unescaped(safe(text)) == unescaped(notice(text, 3000)) == text


@given(WRITTEN)
def test_whatever_is_written_wakes_nobody(text: str) -> None:
    for shown in (mrkdwn(text), notice(text, 3000), notice(text, 20)):
        assert list(acts("mrkdwn", shown)) == []
    assert wakes(safe(text)) == []
    assert disguised(safe(text)) == []


@given(WRITTEN)
def test_whatever_is_written_is_read_as_that(text: str) -> None:
    def without_blanks(shown: str) -> str:
        return re.sub(r"\s", "", shown)

    assert without_blanks(unescaped(safe(text))) == without_blanks(cleaned(text))


@given(WRITTEN)
def test_what_was_streamed_is_never_taken_back(text: str) -> None:
    shown = ""
    for most in range(len(text) + 1):
        newer = streamable(text[:most])
        assert newer.startswith(shown)
        assert wakes(newer) == []
        shown = newer
    assert safe(text).startswith(shown)


@given(st.text(alphabet="ab <>&*`[]()\n", max_size=200), st.integers(5, 60))
def test_notice_is_as_short_as_it_is_asked_for(text: str, most: int) -> None:
    assert len(notice(text, most)) <= most + 1


def test_label_of_a_button_and_name_of_a_file_are_plain() -> None:
    assert plain("<!here>\n\x00a") == "‹!here› a"


@pytest.mark.parametrize("text", ["", " \n", "\u200b\ufeff", "\x00", "\ud800"])
def test_where_nothing_is_seen_something_is(text: str) -> None:
    assert visible(safe(text)) == visible(mrkdwn(text)) == visible(notice(text, 9)) == "…"


def test_lookalikes_by_the_thousand_take_no_time() -> None:
    for text in (
        "[" * 8_000,
        "](" * 4_000,
        "[" * 4_000 + "](" * 2_000,
        "`[" * 4_000,
        "[bank.com" * 900,
    ):
        safe(text)
        streamable(text)


# On a Slack


async def streamed(slack: Desk, text: str, step: int) -> str:
    """Stream a text in steps, finish it, and return what is read."""
    sink = slack.sink()
    handle = ""
    for most in range(step, len(text), step):
        handle = await sink.show(0, text[:most], handle) or handle
    handle = await sink.finish(0, text, handle)
    await sink.close()
    return slack.message(handle).seen


@pytest.mark.parametrize("text", [*PINGS, *LIES, *HONEST])
async def test_every_beginning_of_a_hostile_text_is_streamed_without_a_ping(text: str) -> None:
    async with desk() as slack:
        seen = await streamed(slack, f"So {text} it", 1)
        assert re.sub(r"\s", "", seen) == re.sub(r"\s", "", cleaned(f"So {text} it"))
        assert slack.server.workspace.pings == []
        assert slack.calls("chat.startStream") == slack.calls("chat.stopStream") == 1


@pytest.mark.parametrize("streams", ["everywhere", "nowhere"])
async def test_naughty_strings_ping_nobody(streams: str) -> None:
    strings = shared("data/strings/blns.json")
    async with desk(streams=streams) as slack:
        for at in range(0, len(strings), 40):
            several = "\n\n".join(strings[at : at + 40])[:8_000]
            await streamed(slack, several, len(several) // 3 + 1)
        assert slack.server.workspace.pings == []
