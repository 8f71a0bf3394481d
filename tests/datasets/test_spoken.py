"""Conversations become examples: what is in, what is out, and that it is said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.datasets.chat import chat_faults
from bot.datasets.findings import Level, Row
from bot.datasets.preference import preference_faults
from bot.datasets.spoken import Conversations
from bot.messages import Attachment, Ending, Profile, Role, Turn
from tests.datasets.examples import chat, keys, message, preference

ASSISTANT = Profile("assistant", "openai", "gpt-4o-mini")
BRIEF = Profile("brief", "openai", "gpt-4o-mini", system="Be brief.")
SUPPORT = Profile(
    "support", "openai", "davinci-002", separator="\nAgent:", answer_prefix=" ", stop=("\n",),
    user_label="Customer: ",
)  # fmt: skip


def asked(text: str, **fields: Any) -> Turn:
    """A question."""
    return Turn(Role.USER, text, **fields)


def answered(text: str, ending: Ending = Ending.WHOLE, feedback: int = 0, **fields: Any) -> Turn:
    """An answer."""
    return Turn(Role.ASSISTANT, text, ending=ending, feedback=feedback, **fields)


def test_whole_answers_become_a_chat_with_the_system_prompt() -> None:
    turns = [asked("A"), answered("1"), asked("B"), asked("C"), answered("2")]
    conversations = Conversations(BRIEF)
    assert conversations.chat(turns) == [
        Row(
            1,
            chat(
                message("system", "Be brief."),
                message("user", "A"),
                message("assistant", "1"),
                message("user", "B\nC"),
                message("assistant", "2"),
            ),
        )
    ]
    assert conversations.findings() == []


@pytest.mark.parametrize("ending", [each for each in Ending if each is not Ending.WHOLE])
def test_answer_that_is_not_whole_is_out_and_named(ending: Ending) -> None:
    turns = [asked("A"), answered("1", ending), asked("B"), answered("2")]
    conversations = Conversations(ASSISTANT)
    rows = conversations.chat(turns)
    assert [row.fields for row in rows] == [chat(message("user", "B"), message("assistant", "2"))]
    (finding,) = conversations.findings()
    assert (finding.check, finding.lines) == ("spoken-unfinished", (1,))
    assert ending.value in finding.says


def test_answer_that_was_continued_to_its_end_is_whole() -> None:
    turns = [
        asked("A"),
        answered("One, ", Ending.LENGTH),
        answered("two", Ending.STOPPED, continues=True),
        answered(".", continues=True),
    ]
    (row,) = Conversations(ASSISTANT).chat(turns)
    assert row.fields == chat(message("user", "A"), message("assistant", "One, two."))


def test_answer_that_was_asked_again_is_the_last_one() -> None:
    turns = [asked("A"), answered("1", Ending.REPLACED), answered("2")]
    (row,) = Conversations(ASSISTANT).chat(turns)
    assert row.fields == chat(message("user", "A"), message("assistant", "2"))


def test_disliked_answers_are_context_and_not_trained() -> None:
    turns = [asked("A"), answered("1", feedback=-1), asked("B"), answered("2"),
             asked("C"), answered("3", feedback=2)]  # fmt: skip
    (row,) = Conversations(ASSISTANT).chat(turns)
    assert [m.get("weight") for m in row.fields["messages"][1::2]] == [0, None, None]
    strict = Conversations(ASSISTANT, liked_only=True)
    (row,) = strict.chat(turns)
    assert [m.get("weight") for m in row.fields["messages"][1::2]] == [0, 0, None]
    assert keys(strict.findings()) == {"spoken-untrained"}


def test_questions_about_files_are_out_but_not_speech() -> None:
    picture = Attachment("a.png", "image/png", "a", 1)
    speech = Attachment("a.ogg", "audio/ogg", "b", 1)
    conversations = Conversations(ASSISTANT)
    rows = conversations.chat(
        [asked("A", attachments=(picture,)), answered("1"),
         asked("B", attachments=(speech,)), answered("2")]
    )  # fmt: skip
    assert [row.fields for row in rows] == [chat(message("user", "B"), message("assistant", "2"))]
    assert keys(conversations.findings()) == {"spoken-files"}


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [asked("A")],
        [answered("1")],
        [asked("A"), answered("1", Ending.FAILED)],
        [asked("A"), answered(" ")],
        [asked("A"), answered("1", feedback=-1)],
    ],
)
def test_conversation_without_anything_to_learn_is_left_out(turns: list[Turn]) -> None:
    conversations = Conversations(ASSISTANT)
    assert conversations.chat(turns) == []
    assert "spoken-nothing" in keys(conversations.findings())


def test_completions_are_written_as_the_profile_asks() -> None:
    turns = [asked("A"), answered("1"), asked("B"), answered("2", feedback=-1)]
    turns += [asked("C"), answered("3")]
    conversations = Conversations(SUPPORT)
    assert conversations.completions(turns) == [
        Row(1, {"prompt": "A\nAgent:", "completion": " 1\n"}),
        Row(
            1,
            {
                "prompt": "A\nAgent: 1\nCustomer: B\nAgent: 2\nCustomer: C\nAgent:",
                "completion": " 3\n",
            },
        ),
    ]
    assert conversations.completions([asked("A"), answered("1\n2")]) == []
    assert {f.check: f.lines for f in conversations.findings()} == {
        "spoken-untrained": (1,),
        "convert-marks": (2,),
    }


def test_disliked_answer_and_the_liked_one_that_replaced_it_are_a_pair() -> None:
    turns = [
        asked("A"),
        answered("1"),
        asked("B"),
        answered("2", Ending.REPLACED, feedback=-1),
        answered("3", Ending.REPLACED, feedback=1),
        answered("4", feedback=1),
        asked("C"),
        answered("5", feedback=-1),
    ]
    before = [message("user", "A"), message("assistant", "1"), message("user", "B")]
    assert Conversations(BRIEF).preferences(turns) == [
        Row(1, preference("4", "2", message("system", "Be brief."), *before))
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (answered("1", Ending.REPLACED), answered("2", feedback=1)),
        (answered("1", Ending.REPLACED, feedback=-1), answered("2")),
        (answered("1", Ending.REPLACED, feedback=-1), answered("1", feedback=1)),
        (answered("1", Ending.REPLACED, feedback=-1), answered("2", Ending.STOPPED, feedback=1)),
    ],
)
def test_without_both_judgements_there_is_no_pair(first: Turn, second: Turn) -> None:
    conversations = Conversations(ASSISTANT)
    assert conversations.preferences([asked("A"), first, second]) == []
    assert "spoken-nothing" in keys(conversations.findings())


TURNS = st.builds(
    Turn,
    st.sampled_from(Role),
    st.text(max_size=4),
    ending=st.sampled_from(Ending),
    continues=st.booleans(),
    feedback=st.integers(-2, 2),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(TURNS, max_size=10), st.booleans())
def test_whatever_was_said_gives_good_examples(turns: list[Turn], liked_only: bool) -> None:
    for profile in (BRIEF, SUPPORT):
        conversations = Conversations(profile, liked_only=liked_only)
        for row in conversations.chat(turns):
            assert not [f for f in chat_faults(row.fields) if f.rule.level is not Level.NOTE]
        for row in conversations.preferences(turns):
            assert not list(preference_faults(row.fields))
        conversations.completions(turns)
        conversations.findings()
