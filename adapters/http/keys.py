"""The keys by which applications may use the server, kept as hashes."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256

from bot.errors import ConfigError

VARIABLE = "TUNEBOT_API_KEYS"
SHORTEST = 16
LONG = 24  # four characters of a key of this length tell it apart and give nothing away


class Keys:
    """What TUNEBOT_API_KEYS holds, separated by commas or spaces; false where there is none.

    Raises ConfigError, which names no key, when one is too short or cannot stand in a header.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        keys = environment.get(VARIABLE, "").replace(",", " ").split()
        self._names = {
            sha256(key.encode()).digest(): self._name(number, key)
            for number, key in enumerate(keys, start=1)
        }

    def __len__(self) -> int:
        return len(self._names)

    @property
    def names(self) -> list[str]:
        """What the log calls the keys."""
        return list(self._names.values())

    @property
    def callers(self) -> Mapping[str, str]:
        """What stands for each key, by its name in the log."""
        return {name: caller(digest) for digest, name in self._names.items()}

    def find(self, given: bytes) -> str:
        """What stands for a key, wherever it is among the others; "" for one that is not ours. It
        takes as long for each.
        """
        digest, found = sha256(given).digest(), ""
        for ours in self._names:
            if hmac.compare_digest(ours, digest):
                found = caller(digest)
        return found

    @staticmethod
    def _name(number: int, key: str) -> str:
        if len(key) < SHORTEST or not (key.isascii() and key.isprintable()):
            raise ConfigError(
                f"{VARIABLE}: key {number} cannot be used; give each key at least {SHORTEST} "
                "characters, all of them printable ASCII, as `openssl rand -hex 32` makes them."
            )
        return f"key {number} ({key[:4]}…)" if len(key) >= LONG else f"key {number}"


def caller(digest: bytes) -> str:
    """What stands for a key: enough of its hash that no two are alike."""
    return digest.hex()[:16]
