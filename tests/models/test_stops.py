"""What of an answer is shown, and when."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models.stops import StopTrimmer
from bot.prompt import SENTENCE_MARKS, stop_mark

# Few letters, so that stops, their beginnings and overlaps of them are common.
texts = st.text(alphabet="ab.\n ", max_size=40)
stops = st.lists(st.text(alphabet="ab.\n", min_size=1, max_size=5), max_size=4)
prefixes = st.sampled_from(["", " ", "ab", " a"])
cuts = st.lists(st.integers(1, 40))


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    return [text[start:end] for start, end in pairwise(edges)]


def shown(trimmer: StopTrimmer, pieces: Sequence[str]) -> str:
    return "".join(map(trimmer.feed, pieces)) + trimmer.flush()


def whole(text: str, stops: Sequence[str], prefix: str) -> str:
    """The same, from the whole text at once and without a thought for speed."""
    found = [(text.find(stop), len(stop), stop) for stop in stops if stop in text]
    if not found:
        return text.removeprefix(prefix)
    start, _length, stop = min(found)
    answer = text[:start].removeprefix(prefix)
    mark = stop[: len(stop) - len(stop.lstrip(SENTENCE_MARKS))]
    return answer + mark if answer.strip() else answer


@given(texts, stops, prefixes, cuts)
def test_any_split_shows_the_same_text(
    text: str, stops: list[str], prefix: str, cuts: list[int]
) -> None:
    trimmer = StopTrimmer(stops, prefix)
    assert shown(trimmer, pieces(text, cuts)) == whole(text, stops, prefix)
    assert trimmer.cut == any(stop in text for stop in stops)


@given(texts, stops, cuts)
def test_only_what_may_become_a_stop_is_held_back(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    trimmer = StopTrimmer(stops)
    fed = out = ""
    for piece in pieces(text, cuts):
        fed += piece
        out += trimmer.feed(piece)
        if trimmer.cut:
            break
        held = fed.removeprefix(out)
        assert len(held) < max(map(len, stops), default=1)
        assert not held or any(stop != held and stop.startswith(held) for stop in stops)


@given(texts, cuts)
def test_nothing_is_held_back_without_stops(text: str, cuts: list[int]) -> None:
    trimmer = StopTrimmer(())
    assert [trimmer.feed(piece) for piece in pieces(text, cuts)] == pieces(text, cuts)


@pytest.mark.parametrize(
    ("stop", "marks"),
    [(".\n", "."), ("。\n", "。"), ("?!\n", "?!"), (" END", ""), ("\n", ""), ("", ""), (".", ".")],
)
def test_marks_of_a_stop_are_its_leading_punctuation(stop: str, marks: str) -> None:
    assert stop_mark(stop) == marks


@pytest.mark.parametrize(
    ("written", "mark"), [("Yes", "."), ("Yes. ", ""), ("Yes!", ""), ("", ""), ("  ", "")]
)
def test_mark_that_the_server_took_is_known(written: str, mark: str) -> None:
    trimmer = StopTrimmer([".\n"], " ")
    assert trimmer.feed(written) + trimmer.flush() == written.removeprefix(" ")
    assert trimmer.mark_of_cut(".\n") == mark


def test_stop_alone_is_no_answer() -> None:
    assert shown(StopTrimmer([".\n"], " "), [" ", ".", "\n", "more"]) == ""


def test_time_grows_with_the_text_and_not_faster() -> None:
    def seconds(count: int) -> float:
        trimmer = StopTrimmer([".\nCustomer:"], " ")
        began = time.process_time()
        for _ in range(count):
            trimmer.feed("ab.\n")
        return time.process_time() - began

    seconds(1_000)
    assert seconds(40_000) < 40 * max(seconds(4_000), 0.001)
