"""A press tells what its button was made for, and a note where an answer goes is read back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.blocks import Opinion, Says, Stop, buttons, feedback, pressed, stop
from adapters.slack.pieces import largest, open_fence, pieces, size
from adapters.slack.place import Place
from bot.messages import Button, ConversationId, ReplyTo


def elements(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What can be pressed."""
    return [element for block in blocks for element in block["elements"]]


@given(st.text(max_size=48), st.sampled_from(["", "U0ANN"]), st.sampled_from(["", "1.5"]))
def test_button_says_what_it_was_made_for(says: str, person: str, thread: str) -> None:
    [element] = elements(buttons([Button("Go", says)], person, thread))
    assert pressed(element) == Says(says, person, thread)
    assert len(element["value"]) <= 2_000


def test_only_who_was_asked_may_press() -> None:
    assert Says("/yes", "U0ANN").may("U0ANN")
    assert not Says("/yes", "U0ANN").may("U0BOB")
    assert Says("/yes").may("U0BOB")


def test_long_and_empty_labels_are_taken() -> None:
    shown = elements(buttons([Button("x" * 200, "/a"), Button("", "/b")], "", ""))
    assert [each["text"]["text"] for each in shown] == ["x" * 75, "…"]
    assert len(buttons([Button("x", f"/{n}") for n in range(60)], "", "")) == 3


def test_stop_and_opinion_are_read_back() -> None:
    assert pressed(elements([stop("1.5")])[0]) == Stop("1.5")
    [thumbs] = elements([feedback(["1.1"])])
    bad = pressed({**thumbs, "value": thumbs["negative_button"]["value"]})
    assert bad == Opinion(-1, ("1.1",))
    assert bad.handle("1.2") == "1.1+1.2"


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"action_id": "say:0"},
        {"action_id": "say:0", "value": "{"},
        {"action_id": "say:0", "value": "[]"},
        {"action_id": "say:0", "value": '{"text": "/a"}'},
        {"action_id": "opinion", "value": '{"value": 2, "before": []}'},
        {"action_id": "opinion", "value": '{"value": 1, "before": 3}'},
        {"action_id": "other", "value": "{}"},
    ],
)
def test_button_of_somebody_else_means_nothing(action: dict[str, Any]) -> None:
    assert pressed(action) is None


@given(st.builds(Place, st.text(), st.text(), st.text(), st.text(), st.text(), st.booleans()))
def test_place_is_read_back_from_its_note(place: Place) -> None:
    where = ConversationId("slack", place.channel, place.thread)
    assert Place.of(ReplyTo(where, "key", place.origin())) == place


def test_note_of_a_later_version_is_read() -> None:
    to = ReplyTo(ConversationId("slack", "C1"), "key", '{"user": "U1", "new": 1}')
    assert Place.of(to) == Place("C1", user="U1")
    assert Place.of(ReplyTo(ConversationId("slack", "C1"), "key")) == Place("C1")


@given(st.text(alphabet="ab <&\n`~", max_size=3_000), st.integers(400, 2_000))
def test_pieces_hold_all_of_a_text_and_are_never_too_long(text: str, most: int) -> None:
    several = pieces(text, most)
    assert all(size(piece) <= most + 4 for piece in several)
    kept = "".join(several).replace("`", "").replace("~", "")
    assert [each for each in kept if each in "ab<&"].count("a") >= text.count("a")


@given(st.text(alphabet="ab <&[]():/.com\ud800é"))
def test_size_is_never_larger_than_it_is_taken_for(text: str) -> None:
    assert size(text) <= largest(text)


@given(st.text(alphabet="ab <&\n`", max_size=1_500), st.integers(400, 600))
def test_pieces_that_are_full_never_change(text: str, most: int) -> None:
    whole = pieces(text, most)
    for end in range(0, len(text), 97):
        part = pieces(text[:end], most)
        assert part[:-1] == whole[: len(part) - 1]


def test_code_that_is_cut_goes_on_as_code() -> None:
    several = pieces("```python\n" + "x = 1\n" * 300 + "```\nAfterwards", 600)
    assert all(piece.startswith("```python\n") for piece in several[:-1])
    assert not any(open_fence(piece) for piece in several)
    assert several[-1].endswith("Afterwards")
