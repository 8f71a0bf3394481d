"""Telegram's own description of its methods, where it stands beside the checkout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from tests.shared import FOLDER
from tests.telegram_server.values import File

NAME = "specs/telegram/bot-api-10.3.json"
SIMPLE: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "Boolean": lambda value: isinstance(value, bool),
    "True": lambda value: value is True,
    "InputFile": lambda value: isinstance(value, File),
}
MEMBER = re.compile(r"^ ?- (\w+)$", re.MULTILINE)
Fields = Mapping[str, tuple[str, bool]]


class Specification:
    """Which parameters a method takes, and what an object may hold."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._fields: dict[str, Fields] = {}
        self._members: dict[str, list[str]] = {}
        for each in (child for group in described["items"] for child in group["children"]):
            self._fields[each["name"]] = {
                field["name"]: (field["type"], bool(field.get("required")))
                for field in each["annotations"]
            }
            if not each["annotations"]:
                self._members[each["name"]] = MEMBER.findall(each["description"])

    def problem(self, name: str, values: Mapping[str, Any]) -> str:
        """What is wrong with a method's parameters or a type's fields; "" if nothing is."""
        fields = self._fields.get(name)
        if fields is None:
            return f"{name} is not in the Bot API"
        for field, (_, required) in fields.items():
            if required and field not in values:
                return f"{name}: {field} is missing"
        for field, value in values.items():
            if field not in fields:
                return f"{name}: {field} is unknown"
            if wrong := self._wrong(fields[field][0], value):
                return f"{name}.{field}: {wrong}"
        return ""

    def _wrong(self, kind: str, value: Any) -> str:
        if kind.startswith("Array of "):
            return self._wrong_array(kind.removeprefix("Array of "), value)
        if kind in SIMPLE:
            return "" if SIMPLE[kind](value) else f"{value!r:.50} is no {kind}"
        kinds = re.split(r" or |, | and ", kind)
        if len(kinds) == 1:
            kinds = self._members.get(kind) or kinds
        if kinds != [kind]:
            problems = [self._wrong(each, value) for each in kinds]
            return "" if "" in problems else "; ".join(problems)
        if not isinstance(value, Mapping):
            return f"{value!r:.50} is no {kind}"
        return self.problem(kind, value)

    def _wrong_array(self, kind: str, value: Any) -> str:
        if not isinstance(value, list):
            return f"{value!r:.50} is no array"
        return next(filter(None, (self._wrong(kind, each) for each in value)), "")


@cache
def specification() -> Specification | None:
    """The description; None where the file is not."""
    file = FOLDER / NAME
    return Specification(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None
