"""Which profile a conversation talks by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from bot.errors import CommandError
from bot.messages import Profile


class Profiles:
    """The profiles that can be chosen, and the one for conversations that chose none."""

    def __init__(self, configured: Mapping[str, Profile], default: str) -> None:
        self._known = dict(configured)
        self.default = default

    def all(self) -> list[Profile]:
        """Every profile, in the order of the configuration."""
        return list(self._known.values())

    def learn(self, profile: Profile) -> None:
        """Let a model that was trained be chosen, too."""
        self._known[profile.name] = profile

    def unlearn(self, name: str) -> None:
        """A model is gone: who chose it talks by the default profile."""
        self._known.pop(name, None)

    def chosen(self, name: str, system: str | None = None) -> Profile:
        """The profile of a conversation's choice; the default for none, or for one that is gone.

        `system` replaces the profile's own system prompt.
        """
        profile = self._known.get(name) or self._known[self.default]
        return profile if system is None else replace(profile, system=system)

    def named(self, name: str) -> Profile:
        """The profile of that name. Raises CommandError with the nearest one."""
        if name in self._known:
            return self._known[name]
        nearest = get_close_matches(name, self._known, n=1, cutoff=0.4)
        remedy = f"did you mean {nearest[0]!r}?" if nearest else "/models lists them."
        raise CommandError(f"There is no profile named {name!r}: {remedy}")

    @property
    def history(self) -> int:
        """The most turns that any profile needs of a conversation."""
        return max(p.history * (2 if p.summarise else 1) for p in self._known.values())
