"""Prompt and completion become chat, and back, by what the profile says of marks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.datasets.conversion import Converter
from bot.datasets.examples import Format
from bot.datasets.findings import Finding
from bot.messages import Profile
from tests.datasets.examples import (
    ODD_ROWS,
    calling,
    chat,
    message,
    numbered,
    preference,
    tool,
)

PLAIN = Profile("plain", "openai", "davinci-002", api="completions")
SUPPORT = Profile(
    "support", "openai", "davinci-002", api="completions", separator="\nAgent:", answer_prefix=" ",
    stop=(".\n",), user_label="Customer: ",
)  # fmt: skip
ARROW = Profile(
    "arrow", "openai", "davinci-002", system="Be brief.", separator=" ->", answer_prefix=" ",
    stop=(" END",),
)  # fmt: skip
LABELLED = Profile(
    "labelled",
    "openai",
    "davinci-002",
    separator="\nBot: ",
    user_label="\nUser: ",
    label_first=True,
)

QUESTIONS = Profile("questions", "openai", "davinci-002", separator="?", stop=(" END",))
LONDON = Profile("london", "openai", "davinci-002", separator=" in London?")


def converted(fields: Any, profile: Profile, target: Format) -> tuple[list[Any], list[Finding]]:
    """What an example becomes, and what is said about it."""
    converter = Converter(profile, target)
    rows = [row.fields for row in converter.rows(numbered([fields])[0])]
    return rows, list(converter.findings())


BOTH_WAYS = [
    (PLAIN, "Hi", "Hello", ["Hi", "Hello"]),
    (SUPPORT, "Hi\nAgent:", " Hello.\n", ["Hi", "Hello."]),
    (SUPPORT, "Hi\nAgent: Hello.\nCustomer: Bye\nAgent:", " Bye.\n",
     ["Hi", "Hello.", "Bye", "Bye."]),
    (ARROW, "Be brief.\n\nHi ->", " Hello END", ["Hi", "Hello"]),
    (ARROW, "Be brief.\n\nHi -> Hello ENDBye ->", " Bye END", ["Hi", "Hello", "Bye", "Bye"]),
    (LONDON, "Is it in London?", "Yes", ["Is it in London?", "Yes"]),
    (QUESTIONS, "Is it open?", "Yes END", ["Is it open?", "Yes"]),
    (QUESTIONS, "Is it open?Yes ENDToday?", "No END", ["Is it open?", "Yes", "Today?", "No"]),
    (LABELLED, "\nUser: Hi\nBot: Hello\nUser: Bye\nBot: ", "Bye", ["Hi", "Hello", "Bye", "Bye"]),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "prompt", "completion", "said"), BOTH_WAYS)
def test_marks_are_taken_off_and_put_back(
    profile: Profile, prompt: str, completion: str, said: list[str]
) -> None:
    example = {"prompt": prompt, "completion": completion}
    rows, findings = converted(example, profile, Format.CHAT)
    system = [message("system", profile.system)] if profile.system else []
    turns = [message(("user", "assistant")[n % 2], text) for n, text in enumerate(said)]
    assert (rows, findings) == ([chat(*system, *turns)], [])
    back, findings = converted(rows[0], profile, Format.COMPLETIONS)
    assert (back[-1], findings) == (example, [])


def test_each_trained_answer_becomes_a_completion() -> None:
    turns = [
        message("user", "A"), message("assistant", "1"),
        message("user", "B"), message("assistant", "2", weight=0),
        message("user", "C"), message("assistant", "3", weight=1),
    ]  # fmt: skip
    rows, _ = converted(chat(*turns), SUPPORT, Format.COMPLETIONS)
    assert [row["completion"] for row in rows] == [" 1.\n", " 3.\n"]
    assert rows[1]["prompt"] == "A\nAgent: 1.\nCustomer: B\nAgent: 2.\nCustomer: C\nAgent:"


def test_instructions_of_the_example_go_before_its_question() -> None:
    example = chat(message("developer", "Rhyme."), message("user", "A"), message("assistant", "B"))
    rows, _ = converted(example, ARROW, Format.COMPLETIONS)
    assert rows == [{"prompt": "Rhyme.\n\nA ->", "completion": " B END"}]


def test_what_has_the_format_already_stays() -> None:
    for example, target in ((chat(), Format.CHAT), ({"prompt": "A"}, Format.COMPLETIONS)):
        assert converted(example, SUPPORT, target) == ([example], [])


USER, ANSWER = message("user"), message("assistant")


@pytest.mark.parametrize(
    ("check", "profile", "example", "target"),
    [
        ("convert-text", PLAIN, {"prompt": "A"}, Format.CHAT),
        ("convert-text", PLAIN, {"prompt": 1, "completion": "A"}, Format.CHAT),
        ("convert-marks", SUPPORT, {"prompt": "\nAgent: B\nAgent:", "completion": ""}, Format.CHAT),
        ("convert-marks", SUPPORT, chat(message("user", "\nAgent:"), ANSWER), Format.COMPLETIONS),
        ("convert-marks", SUPPORT, chat(USER, message("assistant", "A.\nB")), Format.COMPLETIONS),
        ("convert-marks", PLAIN, chat(USER, ANSWER, USER, ANSWER), Format.COMPLETIONS),
        ("convert-preference", PLAIN, preference(), Format.CHAT),
        ("convert-preference", PLAIN, chat(), Format.PREFERENCE),
        ("convert-broken", PLAIN, chat(USER), Format.COMPLETIONS),
        ("convert-tools", PLAIN, chat(tools=[tool()]), Format.COMPLETIONS),
        ("convert-tools", PLAIN, chat(USER, calling()), Format.COMPLETIONS),
        ("convert-content", PLAIN, chat(message("user", [{"type": "file", "file": {}}]), ANSWER),
         Format.COMPLETIONS),
        ("convert-content", PLAIN, chat(USER, message("assistant", None, refusal="No.")),
         Format.COMPLETIONS),
        ("convert-question", PLAIN, chat(ANSWER), Format.COMPLETIONS),
        ("convert-instructions", PLAIN, chat(USER, message("system"), ANSWER), Format.COMPLETIONS),
        ("object", PLAIN, ["A"], Format.CHAT),
        ("convert-content", PLAIN, chat(USER, calling()), Format.REINFORCEMENT),
        ("convert-untrained", PLAIN, chat(USER, ANSWER, USER, message("assistant", "B", weight=0)),
         Format.REINFORCEMENT),
        ("convert-broken", PLAIN, chat(USER), Format.REINFORCEMENT),
        ("convert-answer", PLAIN, chat(USER, label="A"), Format.CHAT),
        ("convert-preference", PLAIN, preference(), Format.REINFORCEMENT),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_said_with_its_line(
    check: str, profile: Profile, example: Any, target: Format
) -> None:
    rows, findings = converted(example, profile, target)
    assert rows == []
    assert [(finding.check, finding.lines) for finding in findings] == [(check, (1,))]


def test_answer_becomes_a_field_and_comes_back() -> None:
    example = {"prompt": "Be brief.\n\nHi ->", "completion": " Hello END"}
    (question,), findings = converted(example, ARROW, Format.REINFORCEMENT)
    assert question == chat(message("developer", "Be brief."), message("user", "Hi"),
                            answer="Hello")  # fmt: skip
    assert findings == []
    assert converted(question, ARROW, Format.COMPLETIONS)[0] == [example]


SAID = st.text("abc XYZ?é", min_size=1).filter(str.strip)


@settings(deadline=None)
@given(
    st.lists(st.tuples(SAID, SAID), min_size=1, max_size=3),
    st.sampled_from([SUPPORT, ARROW, LABELLED]),
)
def test_chat_comes_back_as_it_was(exchanges: list[tuple[str, str]], profile: Profile) -> None:
    stop = profile.stop[0] if profile.stop else ""
    end = "." if stop == ".\n" else ""  # the dot that a stop shares with its answer comes back
    turns = [
        each
        for question, answer in exchanges
        for each in (message("user", question), message("assistant", answer + end))
    ]
    system = [message("system", profile.system)] if profile.system else []
    example = chat(*system, *turns)
    completions, _ = converted(example, profile, Format.COMPLETIONS)
    assert len(completions) == len(exchanges)
    assert converted(completions[-1], profile, Format.CHAT)[0] == [example]


@settings(deadline=None)
@given(SAID, SAID, st.sampled_from([SUPPORT, ARROW, LABELLED, PLAIN]))
def test_completion_comes_back_as_it_was(question: str, answer: str, profile: Profile) -> None:
    label = profile.user_label if profile.label_first else ""
    before = f"{profile.system}\n\n" if profile.system else ""
    example = {
        "prompt": before + label + question + profile.separator,
        "completion": profile.answer_prefix + answer + "".join(profile.stop),
    }
    chats, _ = converted(example, profile, Format.CHAT)
    assert converted(chats[0], profile, Format.COMPLETIONS)[0] == [example]


@settings(deadline=None)
@given(ODD_ROWS, st.sampled_from(Format), st.sampled_from([SUPPORT, PLAIN]))
def test_any_row_is_converted_or_said(value: Any, target: Format, profile: Profile) -> None:
    before = repr(value)
    rows, findings = converted(value, profile, target)
    assert bool(rows) != bool(findings)
    assert repr(value) == before
