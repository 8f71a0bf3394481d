"""Who may do what, how fast, and for how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import IntEnum

from bot.config import Access as Rules
from bot.errors import AccessDenied, TooFast
from bot.messages import Person
from bot.store import Store, usage

MINUTE = 60.0


class Rank(IntEnum):
    """What a person may do; each may do what those below it may."""

    STRANGER = 0
    USER = 1
    OPERATOR = 2


class Access:
    """Judges people by the rules of [access]. Closed unless opened."""

    def __init__(self, rules: Rules, store: Store) -> None:
        self._rules = rules
        self._store = store
        self._minute = 0
        self._messages: Counter[str] = Counter()
        self._told: set[str] = set()

    def rank(self, person: str) -> Rank:
        """What a person may do."""
        if matches(person, self._rules.operators):
            return Rank.OPERATOR
        return Rank.USER if matches(person, self._rules.users) else Rank.STRANGER

    def require(self, person: str, rank: Rank) -> None:
        """Raise AccessDenied for a person below a rank."""
        if self.rank(person) < rank:
            raise AccessDenied(
                f"Only operators may do that. An operator can add {person!r} to operators in the "
                f"configuration's [access]."
            )

    def admit(self, person: Person, now: float, *, at_once: bool = False) -> None:
        """Let another message of a person in. What is done `at_once`, as /stop is, is never too
        fast.

        Raises AccessDenied for a stranger, TooFast for who sent as many as fit into this minute.
        """
        if self.rank(person.id) is Rank.STRANGER:
            raise AccessDenied(
                f"Sorry, I may not talk with you. My operator can let you in by adding "
                f"{person.id!r} to users in the configuration's [access]."
            )
        self._turn(now)
        most = self._rules.messages_per_minute
        if most and self._messages[person.id] >= most and not at_once:
            seconds = int(MINUTE - now % MINUTE) + 1
            raise TooFast(
                f"That was too fast: I did not take your last message. Send it again in "
                f"{seconds} s."
            )

    def count(self, person: str, now: float) -> None:
        """Count a message that was taken."""
        self._turn(now)
        self._messages[person] += 1

    def was_told(self, person: str) -> bool:
        """Whether a person was told in this minute that they write too fast."""
        return person in self._told

    def note_told(self, person: str) -> None:
        """A person was told; once a minute is enough."""
        self._told.add(person)

    def _turn(self, now: float) -> None:
        """Begin a new minute when the old one is over."""
        minute = int(now // MINUTE)
        if minute != self._minute:
            self._minute, self._messages, self._told = minute, Counter(), set()

    @property
    def budget(self) -> int:
        """The tokens that a person may use in a day (UTC), 0 for no limit."""
        return self._rules.tokens_per_day

    async def require_budget(self, person: str, now: float) -> None:
        """Raise TooFast when a person has used the tokens of the day."""
        if not self.budget:
            return
        used = await self._store.insist(usage.of_person, person, usage.day_of(now))
        if used.prompt_tokens + used.completion_tokens >= self.budget:
            raise TooFast(
                f"You have used today's {self.budget:,} tokens. Come back after midnight (UTC)."
            )


def matches(person: str, patterns: tuple[str, ...]) -> bool:
    """Whether an id is named: by itself, by "adapter:*" or by "*"."""
    adapter = person.partition(":")[0]
    return any(pattern in {person, f"{adapter}:*", "*"} for pattern in patterns)


def lets_in(rules: Rules, people: Sequence[str]) -> bool:
    """Whether anybody may talk whose id begins with one of these."""
    named = {pattern.partition(":")[0] for pattern in (*rules.users, *rules.operators)}
    return bool(named & {"*", *people})
