"""Which turns fit the model's window. Nothing is ever cut inside a turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.messages import Profile, Role, Turn

ENDLESS = 2**31  # tokens: the room of a model whose window nobody knows
TURN_TOKENS = 3  # what a chat format adds to each turn: facts/prepare-data.md


def room(profile: Profile, window: int) -> int:
    """The tokens of a window that may hold the prompt; a window of 0 is not known.

    What the profile lets an answer take is kept free, but never more than half of the window.
    """
    return window - min(profile.answer_tokens, window // 2) if window else ENDLESS


def fit(
    turns: Sequence[Turn],
    most: int,
    room: int = ENDLESS,
    count: Callable[[str], int] = len,
    before: str = "",
) -> list[Turn]:
    """The newest turns, `most` at most, that fit `room` tokens beside the text `before` them.

    They start at a question. The newest one and what follows it are kept even where they do not
    fit: the model's refusal then says more than silence.
    """
    last_first = range(len(turns) - 1, -1, -1)
    newest = next((i for i in last_first if turns[i].role is Role.USER), 0)
    tokens = 0 if room == ENDLESS else count(before) + tokens_of(turns[newest:], count)
    start, together = newest, True
    for i in range(newest - 1, max(len(turns) - most, 0) - 1, -1):
        if room != ENDLESS:
            tokens += tokens_of(turns[i : i + 1], count)
        if tokens > room:
            break
        together = together and turns[i].role is Role.USER
        if together or asks(turns, i):
            start = i
    return list(turns[start:])


def asks(turns: Sequence[Turn], i: int) -> bool:
    """Whether turn `i` begins an exchange: a question that does not follow another one."""
    return turns[i].role is Role.USER and (i == 0 or turns[i - 1].role is not Role.USER)


def tokens_of(turns: Sequence[Turn], count: Callable[[str], int]) -> int:
    """The tokens that turns take in a prompt."""
    return sum(count(turn.text) for turn in turns) + TURN_TOKENS * len(turns)
