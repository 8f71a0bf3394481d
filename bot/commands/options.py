"""What stands after a command's name: words, and options such as `--epochs 3`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic_core import from_json

from bot.errors import CommandError

MOST_SHOWN = 60  # characters of what cannot be read
DASHES = {"—": "--", "–": "--"}  # telephones make one of two hyphens
STRAIGHT = str.maketrans({**dict.fromkeys("“”„", '"'), **dict.fromkeys("‘’‚", "'")})
AROUND = "\"'`“”„‘’‚"  # marks of quotation, and of code


@dataclass(frozen=True, slots=True)
class Options:
    """The words in their order, and the options by name, without the hyphens. A flag is True."""

    words: tuple[str, ...]
    named: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """An option's value; None where it was not given."""
        return self.named.get(name)


def parsed(text: str, known: Mapping[str, Callable[[str], Any] | None]) -> Options:
    """Words and options. `known` says how the value of each option is read; None is a flag.

    Raises CommandError with a sentence that names the option.
    """
    text = with_object(text)
    try:
        pieces = shlex.split(text)
    except ValueError:  # a quotation mark that nobody closed is an apostrophe
        pieces = text.split()
    words: list[str] = []
    named: dict[str, Any] = {}
    left = iter(pieces)
    for piece in left:
        piece = hyphened(piece)  # noqa: PLW2901
        if not piece.startswith("--"):
            words.append(piece)
            continue
        name, equals, value = piece[2:].partition("=")
        if name not in known:
            unknown = name[:MOST_SHOWN]
            raise CommandError(f"There is no option --{unknown}; {nearest(name, list(known))}")
        read = known[name]
        if read is None:
            if equals:
                raise CommandError(f"--{name} takes no value: write it alone, or leave it out.")
            named[name] = True
            continue
        value = value if equals else next(left, "")
        named[name] = as_read(name, value, read)
    return Options(tuple(words), named)


def with_object(text: str) -> str:
    """A text whose JSON object, if it has one, is one word to a shell, whatever quotation marks
    stand around it: those within are its own. It may be typed on a telephone, which rounds them.
    """
    begin, end = text.find("{"), text.rfind("}") + 1
    for written in (text[begin:end], text[begin:end].translate(STRAIGHT)):
        if is_json(written):
            word = shlex.quote(written)
            return f"{text[:begin].rstrip(AROUND)}{word}{text[end:].lstrip(AROUND)}"
    return text


def is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def hyphened(piece: str) -> str:
    """A word whose leading dash is two hyphens again."""
    return DASHES.get(piece[:1], piece[:1]) + piece[1:]


def as_read(name: str, value: str, read: Callable[[str], Any]) -> Any:
    """The value of an option. Raises CommandError for one that cannot be."""
    try:
        return read(value)
    except ValueError as error:
        raise CommandError(f"--{name} {value[:MOST_SHOWN]}: {error}") from None


def nearest(name: str, known: list[str]) -> str:
    """What was probably meant."""
    found = get_close_matches(name, known, n=1)
    return f"did you mean --{found[0]}?" if found else f"known: --{', --'.join(known)}."


def whole_number(text: str) -> int | None:
    """A number that a database can hold; None for any other text."""
    fits = text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if fits else None


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read(value: str) -> int:
        number = whole_number(value)
        if number is None or not least <= number <= most:
            raise ValueError(f"write a whole number from {least} to {most}.")
        return number

    return read


def positive(value: str) -> float:
    """Reads a number above 0."""
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError("write a number above 0, such as 0.5.")
    return number


def one_of(*names: str) -> Callable[[str], str]:
    """Reads one of some words."""

    def read(value: str) -> str:
        if value not in names:
            raise ValueError(f"write one of {', '.join(names)}.")
        return value

    return read


def short(most: int) -> Callable[[str], str]:
    """Reads a text of at most so many characters."""

    def read(value: str) -> str:
        if len(value) > most:
            raise ValueError(f"write {most} characters at most.")
        return some(value)

    return read


def some(value: str) -> str:
    """Reads any text."""
    if not value:
        raise ValueError("write a value after it.")
    return value
