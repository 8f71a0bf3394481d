"""What the exact look would find is suspected before, in any batch and any case."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.datasets.general import SPECIAL
from bot.datasets.personal import kinds_in
from bot.datasets.suspects import suspects
from tests.datasets.test_personal import SECRETS

SPECIALS = ["<|endoftext|>", "<s>", "</S>", "[INST]", "[/inst]", "<<SYS>>", "<</sys>>",
            "<start_of_turn>", "<END_OF_TURN>"]  # fmt: skip
PIECES = [secret for _, secret in SECRETS] + SPECIALS + [
    "4242", "4242 4242", "-", " ", "1", ":", "ß", "İ", "你", "\0", "\n", "asia", "@", "a.b", "sk-",
]  # fmt: skip
TEXTS = st.lists(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=4).map("".join), max_size=6
)


def marked(texts: Sequence[str]) -> bytes:
    """Which texts are suspected."""
    return suspects([text.encode() for text in texts])


def is_found(text: str) -> bool:
    """Whether the exact look finds anything."""
    return bool(kinds_in({"text": text}) or SPECIAL.search(text))


@pytest.mark.parametrize("text", [*(secret for _, secret in SECRETS), *SPECIALS])
def test_every_kind_of_secret_and_token_is_suspected(text: str) -> None:
    assert marked(["Hello", f"It is {text}.", "", "1,000 @home [x] <b> a-b_c"][:3]) == b"\0\1\0"


def test_usual_text_is_not_suspected() -> None:
    assert 1 not in marked(
        ["Write [this] <b>down</b>: 2024-11-21 12:30:00, +49 30 1234567!", "snake_case-words", ""]
    )


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example(["sk-", "a" * 30])
@example(["4242424242424242 1@b.co"])
def test_whatever_is_found_is_suspected_and_neighbours_make_no_difference(texts: list[str]) -> None:
    marks = marked(texts)
    assert marks == b"".join(marked([text]) for text in texts)
    assert all(mark or not is_found(text) for text, mark in zip(texts, marks, strict=True))


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_lower_case_makes_no_secret_of_what_was_none(texts: list[str]) -> None:
    assert all(is_found(text) for text in texts if text.isascii() and is_found(text.lower()))
