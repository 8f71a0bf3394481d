"""Which blocks Slack takes: their form, and lengths that no schema says.

The numbers are those of Slack's reference of blocks and block elements, and of facts/slack.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.slack_server.specification import block_schemas
from tests.slack_server.values import Json, Refused

if TYPE_CHECKING:
    from tests.slack_server.server import SlackServer

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MOST_MARKDOWN = 12_000
MOST_TEXT = {
    ("section", "text"): 3_000,
    ("header", "text"): 150,
    ("button", "text"): 75,
    ("button", "value"): 2_000,
    ("input", "label"): 2_000,
    ("input", "hint"): 2_000,
}
MOST_ITEMS = {
    ("section", "fields"): 10,
    ("actions", "elements"): 25,
    ("context", "elements"): 10,
    ("context_actions", "elements"): 5,
    ("static_select", "options"): 100,
    ("overflow", "options"): 5,
    ("radio_buttons", "options"): 10,
    ("checkboxes", "options"): 10,
}
MOST_CHARACTERS = {"action_id": 255, "block_id": 255, "image_url": 3_000, "alt_text": 2_000}
MOST_FIELD = 2_000
OPTION = {"text": 75, "value": 150}
TEXTS = frozenset({"plain_text", "mrkdwn", "markdown"})
MESSAGES_ONLY = frozenset(
    {"card", "carousel", "context_actions", "markdown", "plan", "table", "task_card"}
)
VIEW_FIELDS = {
    "type": 0,
    "title": 24,
    "submit": 24,
    "close": 24,
    "callback_id": 255,
    "external_id": 255,
    "private_metadata": 3_000,
    "blocks": 0,
    "clear_on_close": 0,
    "notify_on_close": 0,
    "submit_disabled": 0,
}


def checked(slack: SlackServer, blocks: Any, surface: str = "message") -> list[Json]:
    """The blocks, if Slack takes them. Raises Refused, and notes the violation."""
    if not isinstance(blocks, list):
        raise refusal(slack, "invalid_blocks_format", "blocks are no list")
    if len(blocks) > MOST_BLOCKS[surface]:
        raise refusal(slack, "invalid_blocks", f"{len(blocks)} blocks are too many")
    for problem in problems(blocks, surface):
        raise refusal(slack, "invalid_blocks", problem)
    summed = sum(len(text_of(each)) for each in blocks if each["type"] == "markdown")
    if summed > MOST_MARKDOWN:
        raise refusal(slack, "msg_blocks_too_long", f"{summed} characters of markdown")
    return blocks


def checked_view(slack: SlackServer, view: Mapping[str, Any], kind: str) -> Json:
    """A view, if Slack takes it. Raises Refused, and notes the violation."""
    for problem in view_problems(view, kind):
        raise refusal(slack, "invalid_arguments", problem)
    checked(slack, view["blocks"], kind)
    return dict(view)


def refusal(slack: SlackServer, error: str, problem: str) -> Refused:
    """What the bot is told of a violation."""
    slack.violates(f"{error}: {problem}")
    return Refused(error, response_metadata={"messages": [f"[ERROR] {problem}"]})


def view_problems(view: Mapping[str, Any], kind: str) -> Iterator[str]:
    """What is wrong with a view, apart from its blocks."""
    if view.get("type") != kind:
        yield f"the view is {view.get('type')!r} and not {kind!r}"
    if kind == "modal" and "title" not in view:
        yield "a modal has no title"
    if not isinstance(view.get("blocks"), list):
        yield "a view has no blocks"
    kinds = [each.get("type") for each in listed(view, "blocks") if isinstance(each, dict)]
    if kind == "modal" and "input" in kinds and "submit" not in view:
        yield "a modal with inputs has no submit"
    for name, value in view.items():
        if name not in VIEW_FIELDS:
            yield f"the view's {name} is unknown"
        elif VIEW_FIELDS[name] and len(text_of(value)) > VIEW_FIELDS[name]:
            yield f"the view's {name} is longer than {VIEW_FIELDS[name]}"


def problems(blocks: Sequence[Any], surface: str) -> Iterator[str]:
    """What is wrong with blocks, the first thing first."""
    schemas = block_schemas()
    for block in blocks:
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            yield f"{block!r:.50} is no block"
            return
        if schemas and (problem := schemas.problem(block)):
            yield problem
        if surface != "message" and block["type"] in MESSAGES_ONLY:
            yield f"{block['type']} is no block of a {surface}"
        if block["type"] == "section" and not block.get("text") and not block.get("fields"):
            yield "section: neither text nor fields"
        yield from too_long(block)
        twice = Counter(f"{each['action_id']}" for each in nested(block) if "action_id" in each)
        yield from (f"action_id {name} stands twice" for name, n in twice.items() if n > 1)
    ids = Counter(f"{block['block_id']}" for block in blocks if "block_id" in block)
    yield from (f"block_id {name} stands twice" for name, n in ids.items() if n > 1)


def too_long(block: Json) -> Iterator[str]:
    """What in a block is too long, too many or empty."""
    for part in nested(block):
        kind = str(part.get("type", ""))
        for name, value in part.items():
            if len(text_of(value)) > (most := most_characters(part, kind, name)):
                yield f"{kind}.{name} is longer than {most}"
            if isinstance(value, list) and len(value) > MOST_ITEMS.get((kind, name), len(value)):
                yield f"{kind}.{name} are more than {MOST_ITEMS[kind, name]}"
        for field in listed(part, "fields"):
            if kind == "section" and len(text_of(field)) > MOST_FIELD:
                yield f"section.fields has one longer than {MOST_FIELD}"
        if kind in TEXTS and not part.get("text"):
            yield f"an empty {kind}"


def most_characters(part: Json, kind: str, name: str) -> int:
    """How long a text may be there. What has a text and a value, and no type, is an option."""
    is_option = not kind and {"text", "value"} <= part.keys()
    if is_option and name in OPTION:
        return OPTION[name]
    return MOST_TEXT.get((kind, name)) or MOST_CHARACTERS.get(name, sys.maxsize)


def nested(part: Any) -> Iterator[Json]:
    """Every object in a block, itself first."""
    if isinstance(part, dict):
        yield part
        for each in part.values():
            yield from nested(each)
    elif isinstance(part, list):
        for each in part:
            yield from nested(each)


def listed(part: Mapping[str, Any], name: str) -> list[Any]:
    """What is listed there; nothing where it is no list."""
    value = part.get(name)
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A text, or that of a text object."""
    if isinstance(value, dict):
        value = value.get("text")
    return value if isinstance(value, str) else ""
