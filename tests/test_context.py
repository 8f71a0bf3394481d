"""What a model is reminded of fits its window, and is never cut inside a turn."""

from hypothesis import given
from hypothesis import strategies as st

from bot.context import ENDLESS, TURN_TOKENS, fit, room, tokens_of
from bot.messages import ANSWER_TOKENS, Profile, Role, Turn

some_turns = st.lists(
    st.builds(Turn, st.sampled_from(Role), st.text(st.characters(codec="ascii"), max_size=30)),
    max_size=20,
).map(lambda said: [*said, Turn(Role.USER, "the question")])


def profile(**changes: object) -> Profile:
    return Profile("p", "openai", "gpt-4o-mini", **changes)  # type: ignore[arg-type]


@given(some_turns, st.integers(1, 30), st.integers(0, 400))
def test_the_newest_turns_that_fit_are_kept_whole(said: list[Turn], most: int, tokens: int) -> None:
    kept = fit(said, most, tokens, len)
    assert kept == said[len(said) - len(kept) :]
    assert kept[-1] == said[-1]
    if len(kept) > 1:
        assert tokens_of(kept, len) <= tokens
        assert len(kept) <= most


@given(some_turns, st.integers(1, 30), st.integers(0, 400))
def test_a_context_that_was_cut_starts_at_a_question(
    said: list[Turn], most: int, tokens: int
) -> None:
    assert fit(said, most, tokens, len)[0].role is Role.USER


def test_what_stands_before_the_turns_takes_room() -> None:
    said = [Turn(Role.USER, "a" * 10), Turn(Role.ASSISTANT, "b" * 10), Turn(Role.USER, "c")]
    needed = tokens_of(said, len)
    assert len(fit(said, 9, needed, len)) == 3
    assert len(fit(said, 9, needed, len, before="x")) == 1


def test_a_question_that_alone_is_too_long_is_still_sent() -> None:
    assert fit([Turn(Role.USER, "a" * 1000)], 5, 10, len) == [Turn(Role.USER, "a" * 1000)]


def test_questions_in_a_row_are_kept_together_where_they_fit() -> None:
    said = [Turn(Role.ASSISTANT, "cut"), Turn(Role.USER, "one"), Turn(Role.USER, "two")]
    assert fit(said, 9, tokens_of(said[1:], len), len) == said[1:]


def test_a_question_that_was_too_long_does_not_spoil_the_next() -> None:
    said = [Turn(Role.USER, "a" * 1000), Turn(Role.USER, "two")]
    assert fit(said, 9, len("two") + TURN_TOKENS, len) == said[1:]


def test_the_answer_has_room_in_the_window() -> None:
    assert room(profile(), 8_000) == 8_000 - ANSWER_TOKENS
    assert room(profile(params={"max_tokens": 100}), 8_000) == 7_900
    assert room(profile(params={"max_completion_tokens": 6_000}), 8_000) == 4_000
    assert room(profile(), 0) == ENDLESS
