"""Slack's own description of its methods and blocks, where it stands beside the checkout."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

from tests.shared import FOLDER
from tests.slack_server.values import Json, Parameters
from tests.slack_server.wire import STRUCTURED

METHODS = "specs/slack/methods.json"
BLOCKS = "specs/slack/blocks.schema.json"
# Left-overs of the file: what it requires although there is another way to say it, what it calls
# a string although JSON has it as it is, and arguments that are younger than it.
NOT_REQUIRED = {"chat.appendStream": {"markdown_text"}}
SHAPES: dict[str, type | tuple[type, ...]] = {
    "attachments": list,
    "blocks": list,
    "chunks": list,
    "metadata": dict,
    "prompts": list,
    "view": dict,
}
YOUNGER = {"chat.stopStream": {"session_status"}}
# Bolt's clients name the team with every call.
EVERYWHERE = frozenset({"team_id"})
WORDS = frozenset({"0", "1", "true", "false", "True", "False"})
# What a form can hold of each type is text; JSON has the type itself.
FORM: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: value in WORDS,
    "integer": lambda value: str(value).isdigit(),
    "number": lambda value: str(value).isdigit(),
    "string": lambda value: isinstance(value, str),
}


class Specification:
    """Which arguments a method takes and how they come."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        self._methods = {name: each for name, each in described.items() if "args" in each}

    def tier(self, method: str) -> str:
        """The rate tier as the file names it: "t1" to "t5", where 5 is special."""
        return str(self._methods[method]["rate_limits"])

    def problem(self, method: str, given: Parameters, *, in_json: bool) -> str:
        """What is wrong with a call; "" if nothing is."""
        if method not in self._methods:
            return f"{method} is not in the Web API"
        described = self._methods[method]
        if in_json and not described.get("json_input_supported"):
            return f"{method} takes no JSON"
        takes: Json = described["args"]["properties"]
        required = set(described["args"]["required"]) - NOT_REQUIRED.get(method, set())
        for name in sorted(required - {"token"}):
            if name not in given:
                return f"{method}: {name} is missing"
        for name, value in given.items():
            if name not in {*takes, *EVERYWHERE, *YOUNGER.get(method, ())}:
                return f"{method}: {name} is unknown"
            if wrong := _wrong(name, takes.get(name, {}), value, in_json=in_json):
                return f"{method}: {name} {wrong}"
        return ""


def _wrong(name: str, described: Json, value: Any, *, in_json: bool) -> str:
    """What is wrong with one value; in words that follow its name."""
    if name in SHAPES:
        return "" if isinstance(value, SHAPES[name]) else f"is {value!r:.50}"
    allowed = described.get("enum")
    if allowed and value not in allowed:
        return f"is {value!r:.50} and not one of {allowed}"
    if in_json or name in STRUCTURED:
        errors = (error.message for error in _validator(_cleaned(described)).iter_errors(value))
        return next(errors, "")
    kinds = [each.get("type") for each in described.get("anyOf", [described])]
    fits = [FORM[kind](value) for kind in kinds if kind in FORM]
    return f"is {value!r:.50}" if fits and not any(fits) else ""


def _cleaned(described: Json) -> str:
    """The part of a description that is JSON Schema."""
    kept = ("type", "enum", "anyOf", "items", "properties", "required", "minimum", "maximum")
    lengths = ("minLength", "maxLength", "minItems", "maxItems")
    return json.dumps({key: described[key] for key in (*kept, *lengths) if key in described})


@cache
def _validator(schema: str) -> Draft7Validator:
    """A validator, made once for each schema."""
    return Draft7Validator(json.loads(schema))


class BlockSchemas:
    """Which blocks there are and what they hold."""

    def __init__(self, schema: Json) -> None:
        self._definitions: Json = schema["definitions"]
        self._names = {
            each["properties"]["type"]["const"]: name
            for name, each in self._definitions.items()
            if name.endswith("Block") and "const" in each.get("properties", {}).get("type", {})
        }
        # An image is described twice, by its URL and by its file.
        self._names["image"] = "ImageBlock"
        self._validators: dict[str, Draft7Validator] = {}

    def problem(self, block: Any) -> str:
        """What is wrong with a block; "" if nothing is."""
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or kind not in self._names:
            return f"there is no block of type {kind!r}"
        if kind not in self._validators:
            schema = {
                "$ref": f"#/definitions/{self._names[kind]}",
                "definitions": self._definitions,
            }
            self._validators[kind] = Draft7Validator(schema)
        error = best_match(self._validators[kind].iter_errors(block))
        return f"{kind}{error.json_path[1:]}: {error.message:.200}" if error else ""


@cache
def specification() -> Specification | None:
    """The description of the methods; None where the file is not."""
    file = FOLDER / METHODS
    return Specification(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


@cache
def block_schemas() -> BlockSchemas | None:
    """The description of the blocks; None where the file is not."""
    file = FOLDER / BLOCKS
    return BlockSchemas(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None
