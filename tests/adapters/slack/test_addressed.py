"""Whom a message is for, and what it says to the bot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.addressed import Meant, meant, unmentioned
from adapters.slack.events import Written

ME = "U0BOT"


def written(text: str, *, thread: str = "", direct: bool = False) -> Written:
    """A message of Ann."""
    return Written("T1", "C1", "U0ANN", "T1", "2.0", thread, text, direct, False, ())


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (written("Hello", direct=True), Meant.YES),
        (written("Ask <@U0BOB>", direct=True), Meant.YES),
        (written("<@U0BOT> hello"), Meant.YES),
        (written("hello <@U0BOT|tunebot>!", thread="1.0"), Meant.YES),
        (written("<@U0BOB> and <@U0BOT>: hello", thread="1.0"), Meant.YES),
        (written("Hello"), Meant.NO),
        (written("<@U0BOTTOM> hello"), Meant.NO),
        (written("And then?", thread="1.0"), Meant.IN_ITS_THREADS),
        (written("See <#C1|general> and <https://a.b|@this>", thread="1.0"), Meant.IN_ITS_THREADS),
        (written("<@U0BOB> what do you think?", thread="1.0"), Meant.NO),
        (written("<@U0BOB|bob> what do you think?", thread="1.0"), Meant.NO),
        (written("<!here> look at this", thread="1.0"), Meant.NO),
        (written("<!channel|channel> look", thread="1.0"), Meant.NO),
        (written("<!subteam^S012|@ops> look", thread="1.0"), Meant.NO),
        (written("It is <!date^1^{date}|Monday>", thread="1.0"), Meant.IN_ITS_THREADS),
    ],
)
def test_message_is_for_whom_people_would_expect(message: Written, answer: Meant) -> None:
    assert meant(message, ME) is answer


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<@U0BOT> hello", "hello"),
        ("<@U0BOT>, hello", "hello"),
        ("<@U0BOT|tunebot>: hello", "hello"),
        ("hello <@U0BOT>", "hello"),
        ("hello <@U0BOT>!", "hello!"),
        ("Could <@U0BOT> help?", "Could help?"),
        ("First\n<@U0BOT> second", "First\nsecond"),
        ("<@U0BOT> <@U0BOT> hello", "hello"),
        ("<@U0BOT> <@U0BOB> hello", "<@U0BOB> hello"),
        ("<@U0BOT>/model x", "/model x"),
        ("<@U0BOT>", "<@U0BOT>"),
        ("  hello  ", "hello"),
        ("<@U0BOTTOM> hello", "<@U0BOTTOM> hello"),
        ("<@U0BOT>\n```\n  a = 1\n```", "```\n  a = 1\n```"),
    ],
)
def test_own_name_is_taken_out(text: str, said: str) -> None:
    assert unmentioned(text, ME) == said


@given(st.text(alphabet="ab ,:.\n<@U0BOT|>", max_size=200))
def test_only_blanks_and_the_name_go(text: str) -> None:
    rest = unmentioned(text, ME)
    assert len(rest) <= len(text)
    assert sum(map(text.count, "ab")) >= sum(map(rest.count, "ab"))


def test_nothing_that_is_typed_takes_long() -> None:
    for text in (" " * 40_000, "<@U0BOT" * 6_000, "<@U0BOT>" * 5_000, "<!subteam^" * 4_000):
        unmentioned(text, ME)
        meant(written(text, thread="1.0"), ME)
