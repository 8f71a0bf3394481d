"""Examples that say nearly the same are found, others are not, in bounded memory."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.datasets.checks import Choice
from bot.datasets.near_duplicates import (
    BANDS,
    MINIMA_A_BAND,
    REMOVE,
    NearDuplicates,
    minima,
    word_pairs,
)
from tests.datasets.examples import NOTHING, chat, message, numbered, passed

CHOSEN = Choice(frozenset({REMOVE.key}))
WORDS = [f"{a}{b}{c}" for a in "bdfklmnprst" for b in "aeiou" for c in "bdgklmnrst"]
ASKED = "Please tell me how I can cancel the order that I placed with you last week on Monday"
JAPANESE = "先週の月曜日に注文した商品をキャンセルする方法を教えてください。よろしくお願いします。"


def text(seed: int, words: int = 40) -> str:
    """Words that no other text has in this order."""
    return " ".join(random.Random(seed).choices(WORDS, k=words))


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (ASKED, ASKED, True),
        (ASKED, ASKED.upper() + "!!", True),
        (ASKED, ASKED.replace("Please tell", "Tell"), True),
        (ASKED, ASKED + " please", True),
        (ASKED, "Where is my parcel? It was sent three days ago and I need it tomorrow", False),
        (ASKED, " ".join(reversed(ASKED.split())), False),
        (JAPANESE, JAPANESE.replace("よろしく", "宜しく"), True),
        (JAPANESE, "明日の天気はどうですか。傘を持って行ったほうがいいでしょうか。", False),
        ("hi", "hi", True),
        ("hi", "bye", False),
    ],
)
def test_alike_is_what_shares_most_pairs_of_words(one: str, other: str, *, alike: bool) -> None:
    rows = numbered([{"prompt": one, "completion": ""}, {"prompt": other, "completion": ""}])
    left, findings = passed([NearDuplicates(CHOSEN)], rows)
    assert len(left) == 2 - alike
    assert [f.lines for f in findings] == [(2,)] * alike


def test_different_questions_about_the_same_document_are_not_alike() -> None:
    document = text(0, 2_000)
    rows = numbered({"prompt": f"{document} {text(n, 300)}", "completion": ""} for n in (1, 2))
    assert passed([NearDuplicates(NOTHING)], rows)[1] == []


def test_nothing_is_removed_unless_it_is_chosen() -> None:
    rows = numbered([chat()] * 3)
    left, findings = passed([NearDuplicates(NOTHING)], rows)
    assert left == rows
    assert findings[0].count == 2
    assert findings[0].remedy == replace(REMOVE, says="Remove 2 near duplicates")


def test_the_same_instructions_make_no_duplicates() -> None:
    examples = [chat(message("system", text(0, 200)), message("user", text(n))) for n in (1, 2)]
    assert passed([NearDuplicates(NOTHING)], numbered(examples))[1] == []


def test_found_among_many_and_nothing_else() -> None:
    originals = [text(n) for n in range(400)]
    copies = [original.rsplit(" ", 2)[0] + " anew" for original in originals[:100]]
    rows = numbered({"prompt": said, "completion": ""} for said in originals + copies)
    _, findings = passed([NearDuplicates(NOTHING)], rows)
    assert 90 <= findings[0].count <= 100
    assert min(findings[0].lines) > 400


def test_above_the_bound_it_is_an_estimate_and_memory_is_bounded() -> None:
    check = NearDuplicates(NOTHING, most=100)
    rows = numbered({"prompt": text(n % 1_500), "completion": ""} for n in range(3_000))
    _, findings = passed([check], rows)
    assert len(check._kept) <= 100
    assert "estimate" in findings[0].says
    assert 750 <= findings[0].count <= 2_250


@settings(deadline=None)
@given(st.text())
def test_any_text_is_like_itself(text: str) -> None:
    hashes = word_pairs(text)
    assert hashes == sorted(set(hashes))
    if hashes:
        assert len(minima(hashes)) == BANDS * MINIMA_A_BAND


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii")))
def test_case_makes_no_difference(text: str) -> None:
    assert word_pairs(text) == word_pairs(text.swapcase())
