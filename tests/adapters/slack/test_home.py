"""The home tab, for any number of models and commands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.home import Known, closed, home, price, stranger_sentence
from bot.commands import infos
from bot.messages import Person, Profile, Spent
from bot.ports import CommandInfo
from tests.slack_server.blocks import problems, view_problems
from tests.slack_server.text import block_texts

ANN = Person("slack:U1", "Ann")

profiles = st.builds(
    Profile, name=st.text(max_size=600), provider=st.just("p"), model=st.text(max_size=600)
)
commands = st.builds(
    CommandInfo,
    name=st.from_regex(r"/[a-z]{1,99}( [a-z]{1,99})?", fullmatch=True),
    arguments=st.text(max_size=600),
    summary=st.text(max_size=600),
    operator=st.booleans(),
)
spent = st.builds(
    Spent,
    answers=st.integers(0, 10**12),
    prompt_tokens=st.integers(0, 10**15),
    completion_tokens=st.integers(0, 10**15),
    cost=st.floats(0, 1e9),
    unpriced=st.integers(0, 10**12),
)


def known(
    profiles: list[Profile], commands: list[CommandInfo], today: Spent, in_all: Spent
) -> Known:
    return Known(ANN, "/tunebot", "gpt-4o-mini answers.", profiles, commands, (today, in_all))


@settings(max_examples=30)
@given(st.lists(profiles, max_size=3), st.lists(commands, max_size=3), spent, spent)
def test_home_is_one_that_slack_takes(
    profiles: list[Profile], commands: list[CommandInfo], today: Spent, in_all: Spent
) -> None:
    view = home(known(profiles, commands, today, in_all))
    assert not list(view_problems(view, "home"))
    assert not list(problems(view["blocks"], "home"))
    assert not any(text["type"] == "mrkdwn" for text in elements(view)), "Slack acts on nothing"


@pytest.mark.parametrize("most", [0, 51, 500])
def test_home_has_room_for_any_number_of_models_and_commands(most: int) -> None:
    profiles = [Profile(f"p{number}", "p", "m" * 1000) for number in range(most)]
    one_word = [CommandInfo(f"/c{n}", "A", "x" * 1000, operator=False) for n in range(most)]
    families = [CommandInfo(f"/f{n} c", "A", "x", operator=True) for n in range(most)]
    view = home(known(profiles, [*one_word, *families], Spent(), Spent()))
    assert not list(problems(view["blocks"], "home"))
    assert len(view["blocks"]) < 100


@given(st.text())
def test_home_of_a_stranger_is_one_that_slack_takes(user: str) -> None:
    view = closed(stranger_sentence(Person(f"slack:{user}"[:200])))
    assert not list(view_problems(view, "home"))
    assert not list(problems(view["blocks"], "home"))


def test_home_reads_as_a_page() -> None:
    profiles = [Profile("assistant", "p", "gpt-4o-mini"), Profile("support", "p", "davinci-002")]
    view = home(known(profiles, list(infos()), Spent(1, 10, 5, 0.25), Spent(3000, 30, 15, 7.5, 1)))
    page = "\n".join(block_texts(view["blocks"]))
    for line in (
        "assistant: gpt-4o-mini, unless another is chosen",
        "support: davinci-002",
        "Today: 1 answer, 10 tokens in, 5 out, $0.2500",
        "In all: 3,000 answers, 30 tokens in, 15 out, $7.50 and 1 of unknown price",
        "/model [NAME] Show or choose the model of this conversation.",
        "/finetune …",
        "/system [TEXT] Show or set the system prompt of this conversation. (operators)",
    ):
        assert line in page


def test_many_models_end_with_how_to_list_them_all() -> None:
    profiles = [Profile(f"p{number}", "p", "m") for number in range(1234)]
    page = str(home(known(profiles, [], Spent(), Spent())))
    assert "1,184 more: " in page
    assert "/models" in page


@pytest.mark.parametrize(
    ("used", "money"),
    [
        (Spent(), "$0.00"),
        (Spent(2, 1, 1, 0.0, 2), "price unknown"),
        (Spent(2, 1, 1, 0.00012), "$0.0001"),
        (Spent(2, 1, 1, 1234.5), "$1,234.50"),
        (Spent(5, 1, 1, 0.5, 3), "$0.5000 and 3 of unknown price"),
    ],
)
def test_price_says_what_is_known(used: Spent, money: str) -> None:
    assert price(used) == money


def elements(part: object) -> list[dict[str, object]]:
    """Every object of a view that has a type."""
    found: list[dict[str, object]] = []
    if isinstance(part, dict):
        found += [part] if "type" in part else []
        for each in part.values():
            found += elements(each)
    elif isinstance(part, list):
        for each in part:
            found += elements(each)
    return found
