"""Prompts are written letter for letter as the model was trained."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import ANSWER_TOKENS, Profile, Role, Turn
from bot.prompt import GO_ON, alternating, completion_prompt, request_body

SUPPORT = Profile(
    "support",
    "openai",
    "davinci-002",
    api="completions",
    separator="\nAgent:",
    answer_prefix=" ",
    stop=(".\n",),
    user_label="Customer: ",
)
CHAT = Profile("chat", "openai", "gpt-4o-mini", system="Be kind.", params={"temperature": 0.5})


def turns(*texts: str) -> list[Turn]:
    """Questions and answers in turn."""
    return [Turn(Role.ASSISTANT if i % 2 else Role.USER, text) for i, text in enumerate(texts)]


def test_the_prompt_of_a_real_training_file_is_met_letter_for_letter() -> None:
    said = turns(
        "Where can I see the use record of spare parts?",
        "For example, click `Spare Parts Usage Record` to view the use of spare parts",
        "How to upgrade Product SN after replacing spare parts?",
    )
    assert request_body(SUPPORT, said) == {
        "model": "davinci-002",
        "max_tokens": ANSWER_TOKENS,
        "stop": [".\n"],
        "prompt": "Where can I see the use record of spare parts?\nAgent: For example, click "
        "`Spare Parts Usage Record` to view the use of spare parts.\nCustomer: How to upgrade "
        "Product SN after replacing spare parts?\nAgent:",
    }


@pytest.mark.parametrize(
    ("changes", "texts", "prompt"),
    [
        ({}, ["Hi"], "Hi\nAgent:"),
        ({"label_first": True}, ["Hi"], "Customer: Hi\nAgent:"),
        ({}, ["Hi", "Yes.", "So"], "Hi\nAgent: Yes.\nCustomer: So\nAgent:"),
        ({}, ["Hi", "Yes", "So"], "Hi\nAgent: Yes.\nCustomer: So\nAgent:"),
        ({}, ["Hi", "Really?", "So"], "Hi\nAgent: Really?.\nCustomer: So\nAgent:"),
        ({"stop": ()}, ["Hi", "Yes", "So"], "Hi\nAgent: YesCustomer: So\nAgent:"),
        ({"stop": (" END", "\n")}, ["Hi", "Yes", "So"], "Hi\nAgent: Yes ENDCustomer: So\nAgent:"),
        ({"answer_prefix": ""}, ["Hi", "Yes", "So"], "Hi\nAgent:Yes.\nCustomer: So\nAgent:"),
        ({"user_label": ""}, ["Hi", "Yes", "So"], "Hi\nAgent: Yes.\nSo\nAgent:"),
        ({"separator": "\n\n###\n\n"}, ["Hi"], "Hi\n\n###\n\n"),
        ({"separator": " ->", "stop": ("\n",)}, ["a", "b", "c"], "a -> b\nCustomer: c ->"),
        ({"separator": "?"}, ["What?", "Yes", "So"], "What? Yes.\nCustomer: So?"),
        ({"separator": "?"}, ["What??"], "What??"),
        ({"separator": "?\n"}, ["What?"], "What?\n"),
        ({"separator": "?\n"}, ["What??\n"], "What??\n"),
        ({"separator": " London?"}, ["Is it in London?"], "Is it in London?"),
        ({"separator": " London?\n"}, ["Is it in London?"], "Is it in London?\n"),
        ({"system": "Be brief."}, ["Hi"], "Be brief.\n\nHi\nAgent:"),
        ({}, [" Hi "], " Hi \nAgent:"),
    ],
)
def test_separators_labels_and_stops_stand_where_the_training_data_had_them(
    changes: dict[str, object], texts: list[str], prompt: str
) -> None:
    profile = Profile(**{**{f: getattr(SUPPORT, f) for f in SUPPORT.__slots__}, **changes})
    assert completion_prompt(profile, turns(*texts)) == prompt


SEPARATORS = st.sampled_from(["\nAgent:", "?", "?\n", ".", " ->", "\n\n###\n\n", "？"])
TEXTS = st.text(st.sampled_from("a?.\n ->？"), max_size=6)


@given(SEPARATORS, TEXTS, TEXTS)
def test_a_prompt_that_was_trained_is_met_however_it_is_typed(
    separator: str, asked: str, before: str
) -> None:
    profile = replace(SUPPORT, separator=separator)
    trained = asked + separator
    assert completion_prompt(profile, turns(trained)) == trained
    if not asked.endswith((separator, "?", ".", "？")):
        assert completion_prompt(profile, turns(asked)) == trained
    prompt = completion_prompt(profile, turns(before, "Yes", trained))
    assert prompt.endswith(f" Yes.\nCustomer: {trained}")


def test_a_prompt_starts_at_a_question() -> None:
    said = turns("lost", "An answer whose question was cut away", "Hi")[1:]
    assert completion_prompt(SUPPORT, said) == "Hi\nAgent:"


def test_limit_of_an_answer_is_the_profiles_where_it_sets_one() -> None:
    limited = replace(SUPPORT, params={"max_tokens": 40})
    assert request_body(limited, turns("Hi"))["max_tokens"] == 40


def test_going_on_leaves_the_cut_answer_open() -> None:
    said = turns("Hi", "It begins")
    assert completion_prompt(SUPPORT, said, go_on=True) == "Hi\nAgent: It begins"


def test_a_chat_has_its_system_prompt_its_turns_and_its_parameters() -> None:
    assert request_body(CHAT, turns("Hi", "Hello", "So")) == {
        "model": "gpt-4o-mini",
        "temperature": 0.5,
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "So"},
        ],
    }


def test_a_chat_goes_on_by_asking_for_the_rest() -> None:
    messages = request_body(CHAT, turns("Hi", "It begins"), go_on=True)["messages"]
    assert messages[-2:] == [
        {"role": "assistant", "content": "It begins"},
        {"role": "user", "content": GO_ON},
    ]


def test_a_summary_stands_in_the_system_prompt() -> None:
    system = request_body(CHAT, turns("Hi"), "Ann has a cat.")["messages"][0]["content"]
    assert system == "Be kind.\n\nEarlier in this conversation: Ann has a cat."


def test_two_questions_in_a_row_are_one_turn() -> None:
    said = [Turn(Role.USER, "One"), Turn(Role.USER, "Two")]
    assert alternating(said) == [Turn(Role.USER, "One\nTwo")]


def test_a_question_repeated_at_once_is_sent_once() -> None:
    said = [Turn(Role.USER, "Hello?"), Turn(Role.USER, "Hello?"), Turn(Role.USER, "Anyone?")]
    assert alternating(said) == [Turn(Role.USER, "Hello?\nAnyone?")]


def test_the_rest_of_a_cut_answer_follows_it_with_nothing_between() -> None:
    said = [
        Turn(Role.USER, "Count"),
        Turn(Role.ASSISTANT, "one, tw"),
        Turn(Role.ASSISTANT, "o, three", continues=True),
    ]
    assert alternating(said)[1] == Turn(Role.ASSISTANT, "one, two, three")
